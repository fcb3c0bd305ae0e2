//! What it means when a call does not answer.
//!
//! - An error whose [`Origin`] is not the driver says nothing about what the driver did.
//! - [`CallError::class`] is the table of `work.md`: may the outcome be taken as known, or must the
//!   call be made again?
//! - Messages hold no secret of their call.

use super::{Call, Secrets};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most bytes of a driver's message that are kept; what follows is cut off, and `…` says so.
pub const MOST_MESSAGE_BYTES: usize = 8 * 1024;

/// A gRPC status code other than OK. Shown by the name that Nomad, being written in Go, shows.
#[allow(missing_docs, reason = "they are gRPC's")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Code {
    Canceled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl Code {
    /// Every code but OK.
    pub const ALL: [Self; 16] = [
        Self::Canceled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    pub(super) const fn from_grpc(code: tonic::Code) -> Self {
        match code {
            tonic::Code::Cancelled => Self::Canceled,
            tonic::Code::Ok | tonic::Code::Unknown => Self::Unknown,
            tonic::Code::InvalidArgument => Self::InvalidArgument,
            tonic::Code::DeadlineExceeded => Self::DeadlineExceeded,
            tonic::Code::NotFound => Self::NotFound,
            tonic::Code::AlreadyExists => Self::AlreadyExists,
            tonic::Code::PermissionDenied => Self::PermissionDenied,
            tonic::Code::ResourceExhausted => Self::ResourceExhausted,
            tonic::Code::FailedPrecondition => Self::FailedPrecondition,
            tonic::Code::Aborted => Self::Aborted,
            tonic::Code::OutOfRange => Self::OutOfRange,
            tonic::Code::Unimplemented => Self::Unimplemented,
            tonic::Code::Internal => Self::Internal,
            tonic::Code::Unavailable => Self::Unavailable,
            tonic::Code::DataLoss => Self::DataLoss,
            tonic::Code::Unauthenticated => Self::Unauthenticated,
        }
    }

    pub(super) fn to_grpc(self) -> tonic::Code {
        // gRPC numbers them in this order, from 1 up: 0 is OK.
        tonic::Code::from_i32(self as i32 + 1)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Who says that a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// The driver: its code came over the wire.
    Driver,
    /// Nobody answered: no connection, a lost one, or an answer that is not gRPC.
    Connection,
    /// Our own deadline passed.
    Deadline,
    /// We did, before the driver was asked.
    Here,
}

/// What is known about the outcome of a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Class {
    /// The driver refused: it did not do it, and asking again would not change that.
    Final,
    /// It may have happened or not: ask again until the answer is clear.
    Unclear,
}

/// A call that did not answer OK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{call}: {}", self.rpc_text())]
pub struct CallError {
    /// What was asked.
    pub call: Call,
    /// Why not. Of [`Origin::Connection`] it is always Unavailable, of [`Origin::Deadline`]
    /// DeadlineExceeded, of [`Origin::Here`] InvalidArgument.
    pub code: Code,
    /// The driver's message (or ours), without secrets, control characters but line ends and tabs escaped,
    /// and at most [`MOST_MESSAGE_BYTES`] long.
    pub message: String,
    /// Who says so.
    pub origin: Origin,
}

impl CallError {
    /// An answer of the driver, its message cleaned of the call's secrets.
    pub(super) fn by_driver(call: Call, code: Code, message: &str, secrets: &Secrets) -> Self {
        Self {
            call,
            code,
            message: told(message, secrets),
            origin: Origin::Driver,
        }
    }

    /// No answer.
    pub(super) fn by_connection(call: Call, message: &str, secrets: &Secrets) -> Self {
        Self {
            call,
            code: Code::Unavailable,
            message: told(message, secrets),
            origin: Origin::Connection,
        }
    }

    /// No answer in time.
    pub(super) fn by_deadline(call: Call) -> Self {
        Self {
            call,
            code: Code::DeadlineExceeded,
            message: "context deadline exceeded".to_owned(),
            origin: Origin::Deadline,
        }
    }

    /// Whether the code came from the driver.
    pub fn wire(&self) -> bool {
        self.origin == Origin::Driver
    }

    /// What is known about the outcome. Unpublish and unstage have no final error; Aborted of a list
    /// means a bad page token, which no second try makes good.
    pub fn class(&self) -> Class {
        if self.call.is_release() {
            return Class::Unclear;
        }
        match self.origin {
            Origin::Connection | Origin::Deadline => Class::Unclear,
            Origin::Here => Class::Final,
            Origin::Driver => match self.code {
                Code::Aborted if self.call.is_list() => Class::Final,
                Code::Unavailable | Code::Aborted | Code::DeadlineExceeded => Class::Unclear,
                Code::InvalidArgument
                | Code::OutOfRange
                | Code::NotFound
                | Code::AlreadyExists
                | Code::FailedPrecondition
                | Code::ResourceExhausted
                | Code::Unimplemented
                | Code::Internal
                | Code::Unknown
                | Code::PermissionDenied
                | Code::Unauthenticated
                | Code::Canceled
                | Code::DataLoss => Class::Final,
            },
        }
    }

    /// The error as Go's gRPC shows it (`rpc error: code = NotFound desc = …`), or our own text if
    /// the driver was not asked.
    pub fn rpc_text(&self) -> String {
        match self.origin {
            Origin::Here => self.message.clone(),
            Origin::Driver | Origin::Connection | Origin::Deadline => {
                format!("rpc error: code = {} desc = {}", self.code, self.message)
            }
        }
    }
}

/// What a driver says, as it may be shown anywhere: without secrets, without what could drive a terminal,
/// and not too long. Line ends and tabs stay.
fn told(message: &str, secrets: &Secrets) -> String {
    let redacted = secrets.redact(message);
    let mut message = String::with_capacity(redacted.len().min(MOST_MESSAGE_BYTES));
    for c in redacted.chars() {
        if message.len() > MOST_MESSAGE_BYTES {
            break;
        }
        match c {
            '\n' | '\t' => message.push(c),
            c if c.is_control() => message.extend(c.escape_unicode()),
            c => message.push(c),
        }
    }
    if message.len() > MOST_MESSAGE_BYTES {
        message.truncate(message.floor_char_boundary(MOST_MESSAGE_BYTES - '…'.len_utf8()));
        message.push('…');
    }
    message
}
