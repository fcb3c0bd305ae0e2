//! Why a request is turned away before any handler sees it.

use axum::http::StatusCode;
use std::{borrow::Cow, fmt};

/// What kind of thing is wrong with a request. Each has one status and one stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The path, a header, a query parameter or the body cannot be read: 400.
    Malformed,
    /// A snapshot of the body is `null`: 400 (Nomad: 500).
    NullSnapshot,
    /// `region` names a region that this server is not in: 400 (Nomad: 500).
    UnknownRegion,
    /// A web page of another origin, or a name that is not ours, asks: 403.
    ForeignOrigin,
    /// Nothing is at this path: 404.
    NotFound,
    /// The path is known, the method is not: 405.
    MethodNotAllowed,
    /// The body did not arrive in time: 408.
    BodyTooSlow,
    /// The body is larger than this server reads: 413.
    BodyTooLarge,
    /// The URL is longer than this server takes: 414.
    UrlTooLong,
    /// The URL and the headers are larger than this server takes: 431.
    HeadTooLarge,
}

impl Reason {
    /// The true status, whatever Nomad answers.
    pub const fn status(self) -> StatusCode {
        match self {
            Reason::Malformed => StatusCode::BAD_REQUEST,
            Reason::NullSnapshot | Reason::UnknownRegion => StatusCode::BAD_REQUEST,
            Reason::ForeignOrigin => StatusCode::FORBIDDEN,
            Reason::NotFound => StatusCode::NOT_FOUND,
            Reason::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Reason::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Reason::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Reason::UrlTooLong => StatusCode::URI_TOO_LONG,
            Reason::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    /// The `code` of the error body; it never changes.
    pub const fn code(self) -> &'static str {
        match self {
            Reason::Malformed => "malformed_request",
            Reason::NullSnapshot => "missing_field",
            Reason::UnknownRegion => "invalid_request",
            Reason::ForeignOrigin => "foreign_origin",
            Reason::NotFound => "not_found",
            Reason::MethodNotAllowed => "method_not_allowed",
            Reason::BodyTooSlow => "request_timeout",
            Reason::BodyTooLarge => "body_too_large",
            Reason::UrlTooLong => "url_too_long",
            Reason::HeadTooLarge => "head_too_large",
        }
    }
}

/// A request turned away at the edge: why, and in words for the one who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of thing is wrong.
    pub reason: Reason,
    /// What is wrong and where: Nomad's exact text where it has a readable one. Holds no secret.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal for this reason, in these words.
    pub fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self { reason, message }
    }

    /// Something in the request cannot be read.
    pub fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Reason::Malformed, message)
    }

    /// The true status of [`Refusal::reason`].
    pub const fn status(&self) -> StatusCode {
        self.reason.status()
    }

    /// The stable code of [`Refusal::reason`].
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// The most characters of a client's text that a refusal repeats.
const MOST_REPEATED: usize = 60;

/// A client's text in quotes, control characters escaped, cut if it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MOST_REPEATED) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}
