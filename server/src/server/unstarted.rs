//! Why a server does not start.

use super::STORE;
use crate::config::Config;
use crate::seal::SealError;
use crate::state::LoadError;
use crate::store::StoreError;
use crate::tls::Unusable;
use crate::{audit, driver};
use std::path::PathBuf;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be used.
    #[error("the store cannot be used: {0}. {advice}", advice = .0.advice())]
    Store(#[from] StoreError),
    /// A row of the store is not what its key says.
    #[error("{file}: {row}")]
    Row {
        /// The store's file.
        file: PathBuf,
        /// The row.
        row: crate::state::Unreadable,
    },
    /// The key of the secrets cannot be used.
    #[error("the key of the secrets cannot be used: {0}")]
    Key(#[from] SealError),
    /// A folder or socket cannot be made.
    #[error("{path}: {error}")]
    Path {
        /// The folder or socket.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The built-in driver does not start.
    #[error("the built-in driver: {0}")]
    Driver(#[from] driver::Error),
    /// The certificates cannot be used.
    #[error("TLS: {0}")]
    Certificates(#[from] Unusable),
    /// The audit log cannot be used.
    #[error("the audit log cannot be used: {0}")]
    Audit(#[from] audit::Unusable),
    /// What a server finds or writes at its start is refused.
    #[error("{0}")]
    Setup(String),
}

/// What kept the state from being loaded.
pub(super) fn no_state(error: LoadError, config: &Config) -> StartError {
    match error {
        LoadError::Store(error) => StartError::Store(error),
        LoadError::Row(row) => StartError::Row {
            file: config.data_dir.join(STORE),
            row,
        },
    }
}
