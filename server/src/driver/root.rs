//! The directory that holds everything, and the only place that changes what exists.
//!
//! ```text
//! ROOT/lock                       held (flock) while a driver runs
//!      volumes/vol-<hex>/         record.json, directory/ and/or block
//!      snapshots/snap-<hex>/      record.json, directory/ and/or block
//!      unfinished/<id>/           half made or half removed
//! ```
//!
//! A volume *is* its directory. It comes into being when its complete directory is renamed out of
//! `unfinished`, and ceases to be when it is renamed back; a record changes when a new file is
//! renamed over the old. Each is on disk (`fsync`) before the call is answered. So a kill or power
//! cut at any point leaves the old or the new state, and all that lies in `unfinished` at the next
//! start is garbage.

use super::{Error, Refusal, record::Record, refusal::Doing};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The format of records that this driver writes. A newer one is refused.
const FORMAT: u32 = 1;
const RECORD: &str = "record.json";
const UNFINISHED: &str = "unfinished";

#[derive(Serialize, Deserialize)]
struct Envelope<R> {
    format: u32,
    record: R,
}

/// An opened root. No other driver can open it until this is dropped.
pub(super) struct Root {
    path: PathBuf,
    _lock: File,
}

impl Root {
    /// Opens a root, making what is missing of it.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Root { path, source }
        };
        make_directory(path, 0o755).map_err(failed(path))?;
        let lock = path.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock)
            .map_err(failed(&lock))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|errno| match errno {
            rustix::io::Errno::WOULDBLOCK => Error::InUse(path.to_owned()),
            other => failed(&lock)(other.into()),
        })?;
        // Users of a published volume pass through here; only names that they know let them in.
        for (shelf, mode) in [
            ("volumes", 0o711),
            ("snapshots", 0o700),
            (UNFINISHED, 0o700),
        ] {
            let shelf = path.join(shelf);
            make_directory(&shelf, mode).map_err(failed(&shelf))?;
        }
        sync(path).map_err(failed(path))?;
        Ok(Self {
            path: path.to_owned(),
            _lock: file,
        })
    }

    /// Every record of one kind.
    pub(super) fn load<R: Record>(&self) -> Result<Vec<R>, Error> {
        let shelf = self.path.join(R::SHELF);
        let ids = entries(&shelf).map_err(|source| Error::Root {
            path: shelf,
            source,
        })?;
        ids.iter().map(|directory| read(directory)).collect()
    }

    /// What an earlier driver left half made or half removed.
    pub(super) fn leftovers(&self) -> Result<Vec<PathBuf>, Error> {
        let unfinished = self.path.join(UNFINISHED);
        entries(&unfinished).map_err(|source| Error::Root {
            path: unfinished,
            source,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a record and its content lie.
    pub(super) fn place<R: Record>(&self, id: &str) -> PathBuf {
        self.path.join(R::SHELF).join(id)
    }

    /// An empty directory to make something in.
    pub(super) fn draft(&self, id: &str) -> Result<Draft, Refusal> {
        let path = self.path.join(UNFINISHED).join(id);
        fs::DirBuilder::new()
            .mode(0o711)
            .create(&path)
            .doing("make", &path)?;
        Ok(Draft { path, kept: false })
    }

    /// Makes a draft real: from here on it exists, under its record.
    pub(super) fn keep<R: Record>(&self, mut draft: Draft, record: &R) -> Result<(), Refusal> {
        let place = self.place::<R>(record.id());
        write_record(&draft.path, record).doing("write the record in", &draft.path)?;
        fs::rename(&draft.path, &place).doing("put in place", &place)?;
        draft.kept = true;
        sync(&self.path.join(R::SHELF)).doing("write", &place)
    }

    /// Replaces a record.
    pub(super) fn save<R: Record>(&self, record: &R) -> Result<(), Refusal> {
        let place = self.place::<R>(record.id());
        write_record(&place, record).doing("write the record in", &place)
    }

    /// Ends the existence of a record and its content. What is left of them lies at the answered
    /// path, for [`erase`].
    pub(super) fn discard<R: Record>(&self, id: &str) -> Result<PathBuf, Refusal> {
        let place = self.place::<R>(id);
        let away = self.path.join(UNFINISHED).join(id);
        fs::rename(&place, &away).doing("remove", &place)?;
        sync(&self.path.join(R::SHELF)).doing("remove", &place)?;
        Ok(away)
    }
}

/// A directory being filled. Dropped before it was kept, it is erased.
pub(super) struct Draft {
    path: PathBuf,
    kept: bool,
}

impl Draft {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            erase(&self.path);
        }
    }
}

/// Removes what no longer exists for anybody. What cannot be removed now is left for the next
/// start, and logged.
pub(super) fn erase(leftover: &Path) {
    let mut result = fs::remove_dir_all(leftover);
    if is_denied(&result) {
        open_up(leftover);
        result = fs::remove_dir_all(leftover);
    }
    if let Err(error) = result {
        tracing::warn!(path = %leftover.display(), %error, "cannot remove a leftover yet");
    }
}

fn is_denied(result: &io::Result<()>) -> bool {
    result
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Gives this user back the directories that a workload made read-only (not needed by root).
fn open_up(directory: &Path) {
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// Waits until a directory's entries are on disk.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}

fn read<R: Record>(directory: &Path) -> Result<R, Error> {
    let path = directory.join(RECORD);
    let refuse = |problem: String| Error::Record {
        path: path.clone(),
        problem,
    };
    let bytes = fs::read(&path).map_err(|error| refuse(error.to_string()))?;
    let envelope: Envelope<serde_json::Value> =
        serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
    if envelope.format > FORMAT {
        return Err(refuse(format!(
            "it has format {}, this driver knows up to {FORMAT}",
            envelope.format
        )));
    }
    let record: R =
        serde_json::from_value(envelope.record).map_err(|error| refuse(error.to_string()))?;
    if directory.file_name() != Some(record.id().as_ref()) || !R::is_id(record.id()) {
        return Err(refuse(format!("it is that of {:?}", record.id())));
    }
    Ok(record)
}

fn write_record<R: Record>(directory: &Path, record: &R) -> io::Result<()> {
    let bytes = serde_json::to_vec(&Envelope {
        format: FORMAT,
        record,
    })?;
    let new = directory.join("record.json.new");
    let mut file = File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&new, directory.join(RECORD))?;
    sync(directory)
}
