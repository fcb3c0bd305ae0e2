//! Why a call is refused, and the gRPC code that the CSI specification gives each reason.

use super::pending::Subject;
use std::{io, path::PathBuf};
use tonic::{Code, Status};

/// Why a call was not carried out. Every variant's text may be shown to users.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{field} {problem}")]
    Invalid {
        field: &'static str,
        problem: String,
    },
    #[error("no volume {0:?}")]
    NoVolume(String),
    #[error("no snapshot {0:?}")]
    NoSnapshot(String),
    #[error("no node {0:?}; this driver serves one node, see NodeGetInfo")]
    NoNode(String),
    #[error("volume {volume} is not at {path:?}")]
    NotAtPath { volume: String, path: String },
    #[error("{what} exists already, with {difference}")]
    Exists { what: String, difference: String },
    #[error("{0}")]
    OutOfRange(String),
    #[error("{0}")]
    Exhausted(String),
    #[error("another operation on {0} is under way")]
    Pending(Subject),
    #[error("starting_token {0:?} is not a token of this driver")]
    Token(String),
    #[error("{0}")]
    Precondition(String),
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl Refusal {
    pub(super) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            problem: problem.into(),
        }
    }

    /// The code that CSI's error tables give this reason.
    fn code(&self) -> Code {
        match self {
            Self::Missing(_) | Self::Invalid { .. } => Code::InvalidArgument,
            Self::NoVolume(_) | Self::NoSnapshot(_) | Self::NoNode(_) | Self::NotAtPath { .. } => {
                Code::NotFound
            }
            Self::Exists { .. } => Code::AlreadyExists,
            Self::OutOfRange(_) => Code::OutOfRange,
            Self::Exhausted(_) => Code::ResourceExhausted,
            Self::Pending(_) | Self::Token(_) => Code::Aborted,
            Self::Precondition(_) => Code::FailedPrecondition,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Code::ResourceExhausted
                }
                io::ErrorKind::FileTooLarge => Code::OutOfRange,
                _ => Code::Internal,
            },
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = refusal.code();
        if code == Code::Internal {
            tracing::error!(%refusal, "a call to the built-in driver failed");
        } else {
            tracing::debug!(%refusal, ?code, "a call to the built-in driver was refused");
        }
        Status::new(code, refusal.to_string())
    }
}

/// Says what was being done to which file when the operating system refused.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str, path: impl Into<PathBuf>) -> Result<T, Refusal>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, doing: &'static str, path: impl Into<PathBuf>) -> Result<T, Refusal> {
        self.map_err(|error| Refusal::Io {
            doing,
            path: path.into(),
            source: error.into(),
        })
    }
}
