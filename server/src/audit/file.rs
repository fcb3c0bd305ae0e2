//! The file of the audit log: lines at its end, and what is put aside when it is large.

use super::Settings;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file that lines go to. Whatever becomes of a write, no line is left half written before another.
pub(super) struct LogFile {
    settings: Settings,
    file: File,
    /// Whether what is there ends in the middle of a line.
    is_torn: bool,
}

impl LogFile {
    /// Opens the file at its end, or makes it. A line that an earlier run left half written is ended.
    pub fn open(settings: Settings) -> io::Result<Self> {
        let file = open(&settings.file)?;
        let is_torn = is_torn(&file)?;
        Ok(Self {
            settings,
            file,
            is_torn,
        })
    }

    /// Writes lines, all or none.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.file.write_all(b"\n")?;
            self.is_torn = false;
        }
        let before = self.file.metadata()?;
        let written = self.file.write_all(lines).and_then(|()| self.sync());
        if written.is_err() && before.is_file() {
            self.is_torn = self.file.set_len(before.len()).is_err();
        }
        written
    }

    /// Whether so many bytes more would make it larger than it is to be. Never if it is a device or a pipe.
    pub fn is_full_with(&self, more: usize) -> bool {
        let most = self.settings.rotate_bytes;
        let is_full = |len: u64| len > 0 && len.saturating_add(more as u64) > most;
        let about = self.file.metadata();
        most > 0 && about.is_ok_and(|about| about.is_file() && is_full(about.len()))
    }

    /// Puts the file aside, the oldest away, and begins a new one. On an error the same file goes on.
    pub fn rotate(&mut self) -> io::Result<()> {
        let next = self.aside("new");
        // First, what can fail for want of room or of rights.
        let file = begin(&next)?;
        for number in (1..self.settings.keep).rev() {
            move_on(&self.numbered(number), &self.numbered(number + 1))?;
        }
        std::fs::rename(&self.settings.file, self.numbered(1))?;
        std::fs::rename(&next, &self.settings.file)?;
        self.file = file;
        if self.settings.fsync {
            sync_folder(&self.settings.file)?;
        }
        Ok(())
    }

    /// Opens the file anew by its name. On an error the same file goes on.
    pub fn reopen(&mut self) -> io::Result<()> {
        *self = Self::open(self.settings.clone())?;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        match self.settings.fsync {
            true => self.file.sync_data(),
            false => Ok(()),
        }
    }

    fn numbered(&self, number: usize) -> PathBuf {
        self.aside(&number.to_string())
    }

    fn aside(&self, suffix: &str) -> PathBuf {
        let mut path = OsString::from(&self.settings.file);
        path.push(".");
        path.push(suffix);
        path.into()
    }
}

/// Whether lines can be written into this file, or it could be made; nothing is changed.
pub(super) fn check(path: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            std::fs::metadata(folder).map(drop)
        }
        opened => opened.map(drop),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    options.open(path)
}

fn begin(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    file.set_len(0)?;
    Ok(file)
}

fn is_torn(file: &File) -> io::Result<bool> {
    let about = file.metadata()?;
    if !about.is_file() || about.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.read_exact_at(&mut last, about.len() - 1)?;
    Ok(last != *b"\n")
}

fn move_on(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        renamed => renamed,
    }
}

fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    File::open(folder)?.sync_all()
}
