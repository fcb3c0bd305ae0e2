//! Finishing an answer as Nomad does: content type, `Vary`, indentation, compression.

use super::{Query, accept::wants_json, encoding::Encoding, pretty};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Bodies from this size on are indented and compressed beside the runtime's threads, not on them.
const LARGE: usize = 64 << 10;

/// What kind of body an answer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, and no content type.
    Empty,
    /// `application/json`, without a charset; indented if the client asks for it.
    Json,
    /// `text/plain; charset=utf-8`.
    Text,
    /// Anything else, by its content type.
    Typed(HeaderValue),
    /// `application/json` that is sent while it is made: neither indented nor compressed.
    Stream(Streamed),
}

/// A body that is made while it is sent. Its clones are the same body: the first that is sent has it.
#[derive(Clone)]
pub struct Streamed(Arc<Mutex<Body>>);

impl Streamed {
    /// The body that this stream makes.
    pub fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(body)))
    }

    fn take(self) -> Body {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *body)
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streamed")
    }
}

impl PartialEq for Streamed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Streamed {}

/// In the extensions of a response whose body is streamed.
#[derive(Clone, Copy, Debug)]
pub struct IsStreamed;

/// In the extensions of a response that a test asked for in place of the one that it would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interference {
    /// It is no answer of the operation.
    Replaced,
    /// It is not sent: the connection is closed.
    Dropped,
}

/// What a handler answers, before it is finished.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Headers beyond those that [`finish`] sets.
    pub headers: HeaderMap,
    /// The body, as it is without compression.
    pub body: Bytes,
    /// What the body is.
    pub kind: Kind,
    /// What a test did to it.
    pub interference: Option<Interference>,
}

impl Answer {
    fn new(status: StatusCode, kind: Kind, body: Bytes) -> Self {
        let headers = HeaderMap::new();
        Self {
            status,
            headers,
            body,
            kind,
            interference: None,
        }
    }

    /// No body.
    pub fn empty(status: StatusCode) -> Self {
        Self::new(status, Kind::Empty, Bytes::new())
    }

    /// Compact JSON.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, Kind::Json, body.into())
    }

    /// Plain text.
    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, Kind::Text, body.into())
    }

    /// A body of this content type.
    pub fn typed(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self::new(status, Kind::Typed(content_type), body.into())
    }

    /// JSON that is sent while it is made.
    pub fn stream(body: Body) -> Self {
        let kind = Kind::Stream(Streamed::new(body));
        Self::new(StatusCode::OK, kind, Bytes::new())
    }

    fn content_type(&self) -> Option<HeaderValue> {
        match &self.kind {
            Kind::Empty => None,
            Kind::Json | Kind::Stream(_) => Some(HeaderValue::from_static("application/json")),
            Kind::Text => Some(HeaderValue::from_static("text/plain; charset=utf-8")),
            Kind::Typed(content_type) => Some(content_type.clone()),
        }
    }
}

/// How a client asked for its answer to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    encoding: Encoding,
    pretty: bool,
    /// Whether it is one of the clients that take `Content-Length: 0` for an empty body, and nothing else. Nomad's own
    /// are not: they are sent the compressed nothing that Nomad sends.
    json: bool,
}

impl Asked {
    /// Reads `Accept-Encoding`, `pretty` and `Accept`.
    pub fn of(headers: &HeaderMap, query: &Query<'_>) -> Self {
        Self {
            encoding: Encoding::of(headers),
            pretty: query.is_pretty(),
            json: wants_json(headers.get(header::ACCEPT)),
        }
    }
}

/// The response of an answer, as it is. Every answer goes through here, errors and redirects too.
pub fn plain(answer: Answer) -> Response {
    let content_type = answer.content_type();
    let mut response = match answer.kind {
        Kind::Stream(streamed) => {
            let mut response = Response::new(streamed.take());
            response.extensions_mut().insert(IsStreamed);
            response
        }
        _ => Response::new(Body::from(answer.body)),
    };
    if let Some(interference) = answer.interference {
        response.extensions_mut().insert(interference);
    }
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    response
}

/// A response as its client asked for it: indented, compressed.
///
/// A response to `HEAD` keeps its body here; hyper sends its length and not its bytes.
pub async fn finish(response: Response, asked: Asked) -> Response {
    let is_json = |value: &HeaderValue| value == "application/json";
    let pretty = asked.pretty
        && response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(is_json);
    let is_streamed = response.extensions().get::<IsStreamed>().is_some();
    if is_streamed || (!pretty && asked.encoding == Encoding::Identity) {
        return response;
    }
    Box::pin(reshaped(response, asked, pretty)).await
}

async fn reshaped(response: Response, asked: Asked, pretty: bool) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        // Bodies are in memory already: reading them has no error to return.
        Err(_) => Bytes::new(),
    };
    if body.is_empty() && asked.json {
        return Response::from_parts(parts, Body::empty());
    }
    if let Some(name) = asked.encoding.name() {
        let name = HeaderValue::from_static(name);
        parts.headers.insert(header::CONTENT_ENCODING, name);
    }
    let body = shape(body, pretty, asked.encoding).await;
    Response::from_parts(parts, Body::from(body))
}

async fn shape(body: Bytes, pretty: bool, encoding: Encoding) -> Bytes {
    let is_large = body.len() >= LARGE;
    let work = move || {
        let body = match pretty {
            true => pretty::indent(&body).into(),
            false => body,
        };
        encoding.encode(body)
    };
    match is_large {
        false => work(),
        true => match tokio::task::spawn_blocking(work).await {
            Ok(body) => body,
            Err(stopped) => match stopped.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going down, and the connection with it.
                Err(_) => Bytes::new(),
            },
        },
    }
}
