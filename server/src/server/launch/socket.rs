//! Where the sockets of our drivers are.

use crate::csi::{Endpoint, MOST_SOCKET_PATH_BYTES};
use crate::id::JobId;
use crate::server::{StartError, make_private_folder};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What every name below ends in.
pub(super) const SUFFIX: &str = ".sock";

/// The folder: in the data folder, or a temporary one if that path is longer than a socket's may be.
pub(super) fn folder(data_dir: &Path) -> Result<(PathBuf, Option<tempfile::TempDir>), StartError> {
    const LONGEST_NAME: usize = 24;
    let folder = data_dir.join("run");
    if folder.as_os_str().len() + LONGEST_NAME <= MOST_SOCKET_PATH_BYTES {
        make_private_folder(&folder)?;
        return Ok((folder, None));
    }
    let folder = tempfile::Builder::new()
        .prefix("saddlebag-")
        .tempdir()
        .map_err(|error| StartError::Path {
            path: std::env::temp_dir(),
            error,
        })?;
    Ok((folder.path().to_owned(), Some(folder)))
}

/// The socket of a job's driver: the same one at every start.
pub(super) fn of_job(folder: &Path, id: &JobId) -> Result<Endpoint, StartError> {
    let hash = Sha256::digest(id.as_str());
    let name: String = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Endpoint::at(folder.join(name + SUFFIX)).map_err(|error| StartError::Setup(error.to_string()))
}
