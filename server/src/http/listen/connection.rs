//! One connection, from its handshake to its end.

use super::Limits;
use super::handshake::shake;
use super::idle::Requests;
use super::patient::Patient;
use super::stream::Stream;
use crate::http::edge::{ClientAddress, Interference};
use crate::tls::Certificates;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

/// The most requests at once on a connection of HTTP/2; a client waits with more. As Go's servers.
const REQUESTS_AT_ONCE: u32 = 250;

/// How often a client of HTTP/2 that is silent is asked whether it is still there, and how long it has to
/// say so.
const ALIVE: Duration = Duration::from_secs(30);

/// How much of an answer over HTTP/2 is held for a client that reads slowly, in bytes.
const UNREAD: usize = 64 << 10;

/// What a connection is served with.
#[derive(Clone)]
pub(super) struct Serving<S> {
    pub service: S,
    pub certificates: Option<Arc<Certificates>>,
    pub limits: Limits,
}

impl<S> Serving<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    /// Answers the requests of a connection of this address until its end. At the server's end, which the
    /// watcher knows of, what is under way is answered; `stopping` is cancelled then, too.
    pub async fn serve(
        self,
        stream: TcpStream,
        address: IpAddr,
        watcher: Watcher,
        stopping: CancellationToken,
    ) {
        let stream = Patient::new(stream, self.limits.untaken_time, stopping.clone());
        let shaking = shake(stream, self.certificates.as_ref());
        let shaken = tokio::select! {
            shaken = timeout(self.limits.handshake_time, shaking) => shaken,
            () = stopping.cancelled() => return,
        };
        let ended = match shaken.unwrap_or_else(|late| Err(late.into())) {
            // Few do, and it holds more than all else here.
            Ok(Some(stream)) if stream.speaks_http2() => {
                Box::pin(self.http2(stream, address, watcher)).await
            }
            Ok(Some(stream)) => self.http1(stream, address, watcher).await,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!("a handshake came to nothing: {error}");
                return;
            }
        };
        if let Err(error) = ended {
            tracing::debug!("a connection ended: {error}");
        }
    }

    async fn http1(self, stream: Stream, address: IpAddr, watcher: Watcher) -> hyper::Result<()> {
        let service = self.service;
        let answer = service_fn(move |request: Request<Incoming>| {
            let answered = service.clone().oneshot(of(address, request));
            async move { sent(answered.await) }
        });
        let connection = http1::Builder::new()
            .title_case_headers(true)
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_time)
            .max_header_size(self.limits.most_head())
            .serve_connection(TokioIo::new(stream), answer);
        watcher.watch(connection).await
    }

    async fn http2(self, stream: Stream, address: IpAddr, watcher: Watcher) -> hyper::Result<()> {
        let requests = Requests::none();
        let (service, counted) = (self.service, requests.clone());
        let answer = service_fn(move |request: Request<Incoming>| {
            let (service, under_way) = (service.clone(), counted.begin());
            async move {
                let response = sent(service.oneshot(of(address, request)).await)?;
                Ok::<_, Dropped>(under_way.until_sent(response))
            }
        });
        let head_bytes = u32::try_from(self.limits.most_head()).unwrap_or(u32::MAX);
        let (idle, untaken) = (self.limits.head_time, self.limits.untaken_time);
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE)
            .max_concurrent_streams(REQUESTS_AT_ONCE)
            .max_header_list_size(head_bytes)
            .max_send_buf_size(UNREAD)
            .serve_connection(TokioIo::new(stream), answer);
        tokio::select! {
            ended = watcher.watch(connection) => ended,
            () = requests.are_given_up(idle, untaken) => Ok(()),
        }
    }
}

/// The request, with the address that it is from.
fn of(address: IpAddr, request: Request<Incoming>) -> Request<Body> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ClientAddress(address));
    request
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
