//! From a listener to requests: HTTP/1.1 over TCP; over TLS, HTTP/2 too.
//!
//! - Header names go out as Nomad spells them: `X-Nomad-Index`; in lower case over HTTP/2, as it has it.
//! - With certificates, a handshake has [`Limits::handshake_time`], and holds up nobody else. Who speaks
//!   plain HTTP there is told so, and closed.
//! - A client that sends nothing, or a head too slowly, is closed after [`Limits::head_time`]; one that
//!   takes nothing of what is sent to it after [`Limits::untaken_time`].
//! - A head of more than [`Limits::most_head`] is answered 431 without a body, and a URL of more than 64 KiB
//!   414; whoever answers requests has to tell of smaller bounds.
//! - What is left of a request that was refused is read for a while, so that its client, which may still be
//!   sending, finds the answer.
//! - Beyond [`Limits::connections`] nobody new is let in until somebody leaves. Who has
//!   [`Limits::connections_per_address`] is told so, with 429, and closed; over TLS only closed, as by Nomad.
//! - Nothing that a client does, and no lack of file descriptors, ends the server or makes it spin.
//! - At the end nobody new is let in, idle connections are closed, and what is being answered is
//!   answered, for at most [`Limits::drain`].

mod connection;
mod handshake;
mod idle;
mod patient;
mod stream;
mod turned_away;

use crate::crowd::{Crowd, Most};
use crate::tls::Certificates;
use axum::body::Body;
use axum::http::{Request, Response};
use connection::Serving;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::Service;
use turned_away::TurnedAway;

/// What bounds a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once; more wait to be let in. Default 16,384.
    pub connections: usize,
    /// The most connections at once of one client's address. Default 100, as Nomad's.
    pub connections_per_address: usize,
    /// The largest request line with headers that is answered as a request, in bytes. Default 64 KiB. What
    /// is larger, up to [`Limits::most_head`], is passed on all the same, to be refused with words.
    pub head_bytes: usize,
    /// How long a TLS handshake may take. Default 10 s.
    pub handshake_time: Duration,
    /// How long the next head may take to arrive, the pause before it included. Default 100 s: Go's and
    /// Rust's clients close what was idle for 90 s, so none of them writes into a connection that is
    /// being closed here.
    pub head_time: Duration,
    /// How long a client may take nothing of what is sent to it; over HTTP/2, of any one answer, and up to
    /// twice as long. Default 60 s.
    pub untaken_time: Duration,
    /// How long requests under way may take to be answered at the end. Default 5 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            connections_per_address: 100,
            head_bytes: 64 << 10,
            handshake_time: Duration::from_secs(10),
            head_time: Duration::from_secs(100),
            untaken_time: Duration::from_secs(60),
            drain: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// The largest head that is read at all, in bytes.
    pub fn most_head(&self) -> usize {
        self.head_bytes.saturating_mul(2)
    }
}

/// How long to wait before accepting again, when the system refused.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Answers with `service` whoever connects to `listener`, over TLS if there are certificates, until
/// `shutdown` completes.
pub async fn serve<S>(
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let serving = Serving {
        service,
        certificates,
        limits,
    };
    let draining = GracefulShutdown::new();
    let stopping = CancellationToken::new();
    let (crowd, turned_away) = (Crowd::default(), TurnedAway::default());
    let most = Most {
        of_each: limits.connections_per_address,
        in_all: usize::MAX, // who is beyond that is not accepted
    };
    let is_encrypted = serving.certificates.is_some();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            (stream, address) = accept(&listener), if connections.len() < limits.connections => {
                // An IPv4 address is the same in the clothes of IPv6.
                let address = address.ip().to_canonical();
                let Ok(place) = crowd.admit(address, most) else {
                    if !is_encrypted {
                        turned_away.tell(stream);
                    }
                    continue;
                };
                let (watcher, stopping) = (draining.watcher(), stopping.clone());
                let served = serving.clone().serve(stream, address, watcher, stopping);
                connections.spawn(async move {
                    let _place = place;
                    served.await;
                });
            }
            Some(ended) = connections.join_next() => tell(ended),
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    stopping.cancel();
    if timeout(limits.drain, draining.shutdown()).await.is_err() {
        while connections.try_join_next().is_some() {}
        tracing::warn!(
            "{} connections were cut: their requests took too long",
            connections.len()
        );
    }
}

/// The next connection, however long the system has none to give.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!("small answers may be late: {error}");
                }
                return (stream, address);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!("connections cannot be accepted for now: {error}");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Whether the connection failed before it was accepted, and not the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

fn tell(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a connection met a defect: {error}");
    }
}
