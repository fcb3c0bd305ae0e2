//! What can go wrong below the embedded store, before it is known what it means to the caller.

use crate::store::StoreError;
use std::{
    any::Any,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// Where damage shows that is about no key in particular.
const WHOLE_FILE: &str = "the file";

#[derive(Debug)]
pub(super) enum Fault {
    /// The file does not hold what was written to it.
    Damaged { key: String, detail: String },
    /// The file is of a newer format.
    Newer { format: u64, known: u64 },
    /// The file is of an older format.
    Older { format: u64 },
    /// Somebody else holds the file.
    InUse,
    /// The storage failed.
    Storage(String),
    /// redb panicked.
    Panicked(String),
}

impl Fault {
    pub(super) fn damaged(key: impl fmt::Display, detail: impl fmt::Display) -> Self {
        Fault::Damaged {
            key: key.to_string(),
            detail: detail.to_string(),
        }
    }

    /// What it means to who opens or loads the file: redb panics there only over what it reads.
    pub(super) fn refusal(self, file: &Path) -> StoreError {
        let file = file.to_owned();
        match self {
            Fault::Damaged { key, detail } => StoreError::Corrupt { file, key, detail },
            Fault::Newer { format, known } => StoreError::Newer {
                file,
                format,
                known,
            },
            Fault::InUse => StoreError::InUse {
                file,
                holder: "another process".into(),
            },
            fault @ (Fault::Older { .. } | Fault::Storage(_)) => StoreError::Failed {
                file,
                detail: fault.to_string(),
                unclear: false,
            },
            Fault::Panicked(detail) => StoreError::Corrupt {
                file,
                key: WHOLE_FILE.into(),
                detail,
            },
        }
    }

    /// What it means to whose transaction was under way.
    pub(super) fn failure(&self, file: &Path, unclear: bool) -> StoreError {
        StoreError::Failed {
            file: file.to_owned(),
            detail: self.to_string(),
            unclear,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Damaged { key, detail } => write!(f, "{key}: {detail}"),
            Fault::Newer { format, .. } => write!(f, "the file has the newer format {format}"),
            Fault::Older { format } => write!(f, "the file has the older format {format}"),
            Fault::InUse => f.write_str("the file is in use by another process"),
            Fault::Storage(detail) | Fault::Panicked(detail) => f.write_str(detail),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // what redb says of a file that is not its own, and of one that was cut off
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                Fault::damaged(WHOLE_FILE, error)
            }
            _ => Fault::Storage(error.to_string()),
        }
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => error.into(),
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Fault::InUse,
            error @ (redb::Error::Corrupted(_)
            | redb::Error::UpgradeRequired(_)
            | redb::Error::TableDoesNotExist(_)
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }) => Fault::damaged(WHOLE_FILE, error),
            error => Fault::Storage(error.to_string()),
        }
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Fault {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        })*
    };
}
from_redb!(
    CommitError,
    DatabaseError,
    StorageError,
    TableError,
    TransactionError
);

/// Does it, and makes a panic of redb a fault like any other.
pub(super) fn guarded<T>(act: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // whatever a panic left half done is dropped, and the file opened anew
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| Err(Fault::Panicked(said(&*panic))))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given");
    format!("redb panicked: {text}")
}
