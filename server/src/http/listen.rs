//! From a listener to requests: HTTP/1.1 over TCP.
//!
//! - Header names go out as Nomad spells them: `X-Nomad-Index`.
//! - A client that sends nothing, or a head too slowly, is closed after [`Limits::head_time`]; a head
//!   of more than [`Limits::head_bytes`] is answered 431.
//! - Beyond [`Limits::connections`] nobody new is let in until somebody leaves. Who has
//!   [`Limits::connections_per_address`] is told so, with 429, and closed.
//! - Nothing that a client does, and no lack of file descriptors, ends the server or makes it spin.
//! - At the end nobody new is let in, idle connections are closed, and what is being answered is
//!   answered, for at most [`Limits::drain`].

use super::crowd::Crowd;
use super::edge::Interference;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::{Service, ServiceExt};

/// What bounds a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once; more wait to be let in. Default 16,384.
    pub connections: usize,
    /// The most connections at once of one client's address. Default 100, as Nomad's.
    pub connections_per_address: usize,
    /// The largest request line with headers, in bytes. Default 64 KiB.
    pub head_bytes: usize,
    /// How long the next head may take to arrive, the pause before it included. Default 100 s: Go's and
    /// Rust's clients close what was idle for 90 s, so none of them writes into a connection that is
    /// being closed here.
    pub head_time: Duration,
    /// How long requests under way may take to be answered at the end. Default 5 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            connections_per_address: 100,
            head_bytes: 64 << 10,
            head_time: Duration::from_secs(100),
            drain: Duration::from_secs(5),
        }
    }
}

/// How long to wait before accepting again, when the system refused.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Answers with `service` whoever connects to `listener`, until `shutdown` completes.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let http = http1(limits);
    let draining = GracefulShutdown::new();
    let crowd = Crowd::default();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            (stream, address) = accept(&listener), if connections.len() < limits.connections => {
                let Some(place) = crowd.admit(address.ip(), limits.connections_per_address) else {
                    crowd.turn_away(stream);
                    continue;
                };
                let service = service.clone();
                let answer = service_fn(move |request: Request<Incoming>| {
                    let answered = service.clone().oneshot(request.map(Body::new));
                    async move { sent(answered.await) }
                });
                let connection = http.serve_connection(TokioIo::new(stream), answer);
                let connection = draining.watch(connection);
                connections.spawn(async move {
                    let _place = place;
                    connection.await
                });
            }
            Some(ended) = connections.join_next() => tell(ended),
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    if timeout(limits.drain, draining.shutdown()).await.is_err() {
        while connections.try_join_next().is_some() {}
        tracing::warn!(
            "{} connections were cut: their requests took too long",
            connections.len()
        );
    }
}

/// The response, unless a test asked for none.
fn sent(answered: Result<Response<Body>, Infallible>) -> Result<Response<Body>, Dropped> {
    match answered {
        Ok(response) => match response.extensions().get::<Interference>() {
            Some(Interference::Dropped) => Err(Dropped),
            Some(Interference::Replaced) | None => Ok(response),
        },
        Err(never) => match never {},
    }
}

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("a test asked for it")]
struct Dropped;

fn http1(limits: Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.title_case_headers(true)
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_header_size(limits.head_bytes);
    http
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

fn tell(ended: Result<hyper::Result<()>, tokio::task::JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a connection ended: {error}"),
        Err(error) => tracing::error!("a connection met a defect: {error}"),
    }
}
