//! What handlers answer, and how refusals read.

use super::contract::swagger;
use super::edge::{Answer, Refusal};
use super::wire;
use crate::error::{Error, Fault, StatusStyle};
use crate::picture::encode;
use crate::store::Index;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use serde::Serialize;
use std::borrow::Cow;

static INDEX: HeaderName = HeaderName::from_static("x-nomad-index");
static KNOWN_LEADER: HeaderName = HeaderName::from_static("x-nomad-knownleader");
static LAST_CONTACT: HeaderName = HeaderName::from_static("x-nomad-lastcontact");
static NEXT_TOKEN: HeaderName = HeaderName::from_static("x-nomad-nexttoken");

/// How many headers an answer about the state has: those above, and those of every answer.
const STATE_HEADERS: usize = 6;

/// What a handler gives back.
pub(super) type Reply = Result<Answer, Refused>;

/// An error on its way out, with the index of the state that it was found in, if it tells one.
pub(super) struct Refused {
    pub error: Error,
    pub index: Option<Index>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, index: None }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Error::from(fault).into()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Fault::from(refusal).into()
    }
}

/// Nothing was there at this index.
pub(super) fn missing(error: impl Into<Error>, index: Index) -> Refused {
    Refused {
        error: error.into(),
        index: Some(index),
    }
}

/// A JSON answer.
pub(super) fn json(body: &impl Serialize) -> Answer {
    encoded(encode(body))
}

/// An answer that is JSON already.
pub(super) fn encoded(body: impl Into<Bytes>) -> Answer {
    Answer::json(StatusCode::OK, body)
}

/// Done, and nothing to say.
pub(super) fn empty() -> Answer {
    Answer::empty(StatusCode::OK)
}

impl Answer {
    /// With Nomad's three headers about the state that it was found in.
    #[must_use]
    pub(super) fn at(self, index: Index) -> Self {
        self.about_state(index, true)
    }

    /// With the index of the change that was made, and nothing about the state: so Nomad answers changes of access control
    /// and of namespaces.
    #[must_use]
    pub(super) fn changed_at(mut self, index: Index) -> Self {
        self.headers
            .insert(INDEX.clone(), HeaderValue::from(index.0));
        self
    }

    /// As what a driver was asked directly: Nomad says index 0 and no known leader there.
    #[must_use]
    pub(super) fn asked_directly(self) -> Self {
        self.about_state(Index(0), false)
    }

    /// With the token of the next page, if there is one.
    #[must_use]
    pub(super) fn next_page(mut self, token: Option<&str>) -> Self {
        if let Some(Ok(token)) = token.map(HeaderValue::from_str) {
            self.headers.insert(NEXT_TOKEN.clone(), token);
        }
        self
    }

    fn about_state(mut self, index: Index, known_leader: bool) -> Self {
        let known_leader = if known_leader { "true" } else { "false" };
        let headers = &mut self.headers;
        headers.reserve(STATE_HEADERS);
        headers.insert(INDEX.clone(), HeaderValue::from(index.0));
        headers.insert(LAST_CONTACT.clone(), HeaderValue::from_static("0"));
        headers.insert(KNOWN_LEADER.clone(), HeaderValue::from_static(known_leader));
        self
    }
}

/// A page of Swagger UI, or the way to it.
pub(super) fn page(page: swagger::Answer) -> Answer {
    match page {
        swagger::Answer::Page {
            content_type,
            bytes,
        } => match HeaderValue::from_str(&content_type) {
            Ok(content_type) => {
                let mut answer = Answer::typed(StatusCode::OK, content_type, bytes);
                let policy = HeaderValue::from_static(swagger::CONTENT_SECURITY_POLICY);
                let name = axum::http::header::CONTENT_SECURITY_POLICY;
                answer.headers.insert(name, policy);
                answer
            }
            Err(_) => Answer::empty(StatusCode::INTERNAL_SERVER_ERROR),
        },
        swagger::Answer::Redirect(to) => {
            let mut answer = Answer::empty(StatusCode::PERMANENT_REDIRECT);
            let to = HeaderValue::from_static(to);
            answer.headers.insert(axum::http::header::LOCATION, to);
            answer
        }
    }
}

/// An error as its client asked for it: JSON, or Nomad's text.
pub(super) fn refusal(refused: Refused, style: StatusStyle, as_json: bool) -> Answer {
    let Refused { error, index } = refused;
    let status =
        StatusCode::from_u16(error.status(style)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let answer = if as_json {
        Answer::json(status, encode(&body(&error)))
    } else {
        Answer::text(status, error.to_string())
    };
    match index {
        Some(index) => answer.at(index),
        None => answer,
    }
}

/// An id; none if the request left it empty.
fn named(id: Option<&str>) -> Option<Cow<'_, str>> {
    id.filter(|id| !id.is_empty()).map(Into::into)
}

fn body(error: &Error) -> wire::Error<'_> {
    let facts = error.fault.answer();
    let several = match &error.fault {
        Fault::Several { errors, done } => Some((errors, done)),
        _ => None,
    };
    wire::Error {
        code: facts.code.into(),
        message: error.to_string().into(),
        volume: named(error.volume.as_deref()),
        plugin: named(error.plugin.as_deref()),
        node: error.node.as_deref().map(Into::into),
        claim: error.claim.as_deref().map(Into::into),
        operation: error.operation.as_deref().map(Into::into),
        retryable: facts.retryable,
        errors: several.map(|(errors, _)| errors.iter().map(body).collect()),
        done: several.map(|(_, done)| done.iter().map(|id| id.as_str().into()).collect()),
    }
}
