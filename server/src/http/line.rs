//! One line in the log for each request, at debug.
//!
//! It has the request's method, the operation that answered and its path as the document writes it,
//! the status, how long it took, the index that was waited for and the one that was answered. It holds
//! no other part of what the client sent: no path, no query, no header, no body.

use super::contract::truth::Routed;
use super::edge::Query;
use axum::http::{Method, Request, Response};
use tokio::time::Instant;

/// The line of one request. A request whose client left before it was answered gets its line, too.
pub(super) struct Line {
    method: Method,
    asked_index: Option<u64>,
    began: Instant,
    is_told: bool,
}

impl Line {
    /// Begins with the request, if anybody reads such lines.
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return None;
        }
        let index = Query::parse(request.uri().query())
            .get("index")
            .and_then(|index| index.parse().ok());
        Some(Self {
            method: request.method().clone(),
            asked_index: index,
            began: Instant::now(),
            is_told: false,
        })
    }

    /// Ends with the answer.
    pub fn end<B>(mut self, response: &Response<B>) {
        let index = response.headers().get("x-nomad-index");
        let index = index.and_then(|index| index.to_str().ok()?.parse().ok());
        let path = response
            .extensions()
            .get::<Routed>()
            .map(|routed| routed.path);
        self.tell(Some(response.status().as_u16()), path, index);
    }

    fn tell(&mut self, status: Option<u16>, path: Option<&'static str>, index: Option<u64>) {
        self.is_told = true;
        tracing::debug!(
            method = self.method.as_str(),
            path = path.unwrap_or("(none of the document)"),
            status,
            duration_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            asked_index = self.asked_index,
            index,
            "{}",
            if status.is_some() {
                "answered a request"
            } else {
                "the client left before its answer"
            }
        );
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.is_told {
            self.tell(None, None, None);
        }
    }
}
