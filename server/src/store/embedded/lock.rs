//! One process per file: who holds it is written beside it.
//!
//! The lock is the kernel's, on `<file>.lock`, so it ends with its process however that ends. What
//! is written there is only for the message to whoever comes second. The file stays: removing a
//! lock file lets two processes hold one each.

use crate::store::StoreError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

pub(super) struct Lock(File);

impl Lock {
    /// Locks the file for this process, or says who has.
    pub(super) fn take(file: &Path) -> Result<Self, StoreError> {
        let note = beside(file, ".lock");
        let failed = |error: io::Error| StoreError::Failed {
            file: note.clone(),
            detail: error.to_string(),
            unclear: false,
        };
        let mut held = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&note)
            .map_err(failed)?;
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    file: file.to_owned(),
                    holder: holder(&note),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        held.set_len(0).map_err(failed)?;
        write!(held, "{}", std::process::id()).map_err(failed)?;
        Ok(Self(held))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // a child process being forked just now shares the lock: closing would leave it to the child
        let _ = self.0.set_len(0).and_then(|()| self.0.unlock());
    }
}

fn holder(note: &Path) -> String {
    match std::fs::read_to_string(note) {
        Ok(pid) if pid == std::process::id().to_string() => "this process".into(),
        Ok(pid) if !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("process {pid}")
        }
        _ => "another process".into(),
    }
}

/// The file's path with this after its name.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
