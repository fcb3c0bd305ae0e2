//! The tower layer that lets the document judge every exchange of a router.
//!
//! - It changes nothing and delays nothing: bodies are copied while they pass.
//! - The router puts [`Routed`] into the extensions of its responses. A response without it was
//!   answered by no operation, and must have a status of [`UNROUTED`].
//! - Status and headers are judged when they are sent, bodies when they end. A stream that never
//!   ends, is made while it is sent, or is beyond [`BODY_BOUND`], is judged by its head alone.
//! - What a test had answered in place of an answer ([`Interference`]) is not judged.
//! - It belongs around the routes of the document and inside of whatever encodes bodies; pages that
//!   the document does not tell, such as Swagger UI, belong outside.
use super::{
    RequestParts, ResponseParts, Routed, Truth, Violation,
    copied::{Copied, Copy},
};
use crate::http::edge::{Interference, IsStreamed};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, Uri, request, response},
    response::Response,
};
use percent_encoding::percent_decode_str;
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// The longest body that is judged, in bytes; longer ones pass.
pub const BODY_BOUND: usize = 4 << 20;

/// What a request that reaches no operation is answered: 307 to a cleaned path, 400 to one that cannot
/// be decoded, 403 to a foreign web page, 404 and 405, 414 to a URL and 431 to a head that is too large.
pub const UNROUTED: [u16; 7] = [307, 400, 403, 404, 405, 414, 431];

/// Called with each violation, in the task that serves the connection: it should be quick.
pub type OnViolation = Arc<dyn Fn(&Violation) + Send + Sync>;

/// Judges every exchange by `truth` and tells each violation.
#[must_use]
pub fn layer(truth: Arc<Truth>, on_violation: OnViolation) -> Layer {
    Layer {
        truth,
        on_violation,
    }
}

/// See [`layer`].
#[derive(Clone)]
pub struct Layer {
    truth: Arc<Truth>,
    on_violation: OnViolation,
}

impl<S> tower::Layer<S> for Layer {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched {
            inner,
            judge: self.clone(),
        }
    }
}

/// A service whose exchanges are judged.
#[derive(Clone)]
pub struct Watched<S> {
    inner: S,
    judge: Layer,
}

impl<S> tower::Service<Request> for Watched<S>
where
    S: tower::Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (head, body) = request.into_parts();
        let asked = Asked::of(&head);
        let body = Body::new(Copied::new(body, asked.body.clone(), || {}));
        let answer = self.inner.call(Request::from_parts(head, body));
        let judge = self.judge.clone();
        Box::pin(async move { answer.await.map(|response| judge.response(asked, response)) })
    }
}

/// What is kept of a request until it is answered.
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Copy,
}

impl Asked {
    fn of(head: &request::Parts) -> Self {
        Self {
            method: head.method.clone(),
            uri: head.uri.clone(),
            headers: head.headers.clone(),
            body: Copy::bounded(BODY_BOUND),
        }
    }
}

impl Layer {
    fn response(self, asked: Asked, response: Response) -> Response {
        if response.extensions().get::<Interference>().is_some() {
            return response;
        }
        let Some(routed) = response.extensions().get::<Routed>().copied() else {
            self.unrouted(&asked, &response);
            return response;
        };
        let (head, body) = response.into_parts();
        let judged = ResponseParts {
            status: head.status,
            headers: &head.headers,
            body: None,
        };
        self.tell(&self.truth.check_head(routed, &judged));
        if head.extensions.get::<IsStreamed>().is_some() {
            return Response::from_parts(head, body);
        }
        let copy = Copy::bounded(BODY_BOUND);
        let at_end = {
            let (head, copy) = (head.clone(), copy.clone());
            move || self.bodies(routed, &asked, &head, &copy)
        };
        Response::from_parts(head, Body::new(Copied::new(body, copy, at_end)))
    }

    fn unrouted(&self, asked: &Asked, response: &Response) {
        let status = response.status().as_u16();
        if !UNROUTED.contains(&status) {
            self.tell(&[Violation {
                operation: format!("{} {}", asked.method, asked.uri.path()),
                place: format!("response {status}"),
                problem: "answered by no operation of the document".into(),
            }]);
        }
    }

    fn bodies(&self, routed: Routed, asked: &Asked, head: &response::Parts, copy: &Copy) {
        let response_body = copy.take().filter(|_| asked.method != Method::HEAD);
        let response = ResponseParts {
            status: head.status,
            headers: &head.headers,
            body: response_body.as_deref(),
        };
        let request_body = asked.body.take();
        let request = RequestParts {
            path: &path_parameters(routed.path, asked.uri.path()),
            query: &query_parameters(asked.uri.query().unwrap_or_default()),
            headers: &asked.headers,
            body: request_body.as_deref(),
        };
        self.tell(&self.truth.check_bodies(routed, &request, &response));
    }

    fn tell(&self, violations: &[Violation]) {
        violations.iter().for_each(&*self.on_violation);
    }
}

/// The values of a path at the places that its template names.
fn path_parameters(template: &str, path: &str) -> Vec<(String, String)> {
    template
        .split('/')
        .zip(path.split('/'))
        .filter_map(|(name, value)| {
            let name = name.strip_prefix('{')?.strip_suffix('}')?;
            Some((name.to_owned(), decoded(value)))
        })
        .collect()
}

fn query_parameters(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decoded(&text.replace('+', " "));
            (plain(name), plain(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
