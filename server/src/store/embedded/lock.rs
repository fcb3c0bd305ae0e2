//! One process per file: who holds it is written beside it.
//!
//! The lock is the kernel's, on `<file>.lock`, so it ends with its process however that ends. What
//! is written there is only for the message to whoever comes second: the process, its host, and its
//! command, a line each; since when is when that was written. The file stays: removing a lock file
//! lets two processes hold one each.

use crate::store::StoreError;
use jiff::Timestamp;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// How much of a command is written, in characters.
const SHOWN: usize = 200;

/// Held while a process has the file.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Locks the file for this process, or says who has.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`]; [`StoreError::Failed`] if `<file>.lock` cannot be made or locked.
    pub fn take(file: &Path) -> Result<Self, StoreError> {
        let note = beside(file, ".lock");
        let failed = |error: io::Error| StoreError::Failed {
            file: note.clone(),
            detail: error.to_string(),
            unclear: false,
        };
        let to_write = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&note);
        let (mut held, may_write) = match to_write {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                (File::open(&note).map_err(failed)?, false)
            }
            Err(error) => return Err(failed(error)),
        };
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    file: file.to_owned(),
                    holder: holder(&note).unwrap_or_else(|| "another process".into()),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if may_write {
            held.set_len(0).map_err(failed)?;
            held.write_all(this_process().as_bytes()).map_err(failed)?;
        }
        Ok(Self(held))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // a child process being forked just now shares the lock: closing would leave it to the child
        let _ = self.0.set_len(0);
        let _ = self.0.unlock();
    }
}

fn this_process() -> String {
    let host = rustix::system::uname();
    let command: Vec<String> = std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let command: String = command.join(" ").chars().take(SHOWN).collect();
    format!(
        "{}\n{}\n{}\n",
        std::process::id(),
        host.nodename().to_string_lossy(),
        command.escape_default()
    )
}

/// Who wrote the note; nothing if it is being written, or is no note.
fn holder(note: &Path) -> Option<String> {
    let text = std::fs::read_to_string(note).ok()?;
    let mut lines = text.lines();
    let (pid, host, command) = (lines.next()?, lines.next()?, lines.next()?);
    let written = std::fs::metadata(note).and_then(|about| about.modified());
    let since = match written.map(Timestamp::try_from) {
        Ok(Ok(since)) => format!(", since {since:.0}"),
        _ => String::new(),
    };
    Some(format!("process {pid} on {host} (`{command}`){since}"))
}

/// The file's path with this after its name.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
