//! The audit log: who asked for what, and what came of it. JSON, one object a line, in a file of its own.
//!
//! - Each request has a line, written when it is answered, or when its client has left before that.
//! - With [`Settings::enforce`] a change has two: `received` before it is begun, and `complete` before it is
//!   answered. What cannot be written is not begun, or not answered as done: whatever a client was told of a
//!   change is in the log, and so is each change that was begun.
//! - Nothing else waits for the log. Lines that could not be written, or that came faster than the file takes
//!   them, are counted; a `gap` says how many, as soon as one can be written.
//! - A line is whole or not there, and holds no secret: ids and names, no body, no header, and of the query
//!   none but names of things.
//! - One thread writes. What waits together is written, and with [`Settings::fsync`] brought to disk, at once.

mod entry;
mod file;
mod writer;

pub use entry::{Entry, Line, Object, Stage};

use crate::clock::Clock;
use file::LogFile;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};
use writer::{Asked, Writer};

/// How many lines may wait to be written; of more, those that nobody waits for are lost, and counted.
const MOST_WAITING: usize = 8192;

/// How the audit log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The file. It is made, with mode 0600, if it is not there; its folder has to be.
    pub file: PathBuf,
    /// Whether a change is neither begun nor answered before its line is written. Default: no.
    pub enforce: bool,
    /// Whether lines are brought to disk (`fsync`) before they count as written. Default: no.
    pub fsync: bool,
    /// From which size on, in bytes, the file is put aside and a new one begun; 0: never. Default 100 MiB.
    pub rotate_bytes: u64,
    /// How many files that were put aside are kept, as `FILE.1`, the newest, and so on. Default 10.
    pub keep: usize,
}

impl Settings {
    /// Whether lines could be written, as far as that shows without changing anything.
    ///
    /// # Errors
    /// The file is not writable, or it is not there and its folder is not either.
    pub fn check(&self) -> Result<(), Unusable> {
        file::check(&self.file).map_err(|error| self.unusable(error))
    }

    fn unusable(&self, error: std::io::Error) -> Unusable {
        Unusable {
            file: self.file.clone(),
            problem: error.to_string(),
        }
    }

    /// The defaults, with this file.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            enforce: false,
            fsync: false,
            rotate_bytes: 100 << 20,
            keep: 10,
        }
    }
}

/// Why the audit log cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct Unusable {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub problem: String,
}

/// The audit log of a server. Clones are the same log.
#[derive(Clone, Debug)]
pub struct Audit {
    to: mpsc::Sender<Asked>,
    lost: Arc<AtomicU64>,
    settings: Arc<Settings>,
}

impl Audit {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// It cannot be opened for writing at its end.
    pub fn open(settings: Settings, clock: Clock) -> Result<Self, Unusable> {
        let unusable = |error| settings.unusable(error);
        let file = LogFile::open(settings.clone()).map_err(unusable)?;
        let (to, asked) = mpsc::channel(MOST_WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer::new(file, Arc::clone(&lost), clock);
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.work(asked))
            .map_err(unusable)?;
        Ok(Self {
            to,
            lost,
            settings: Arc::new(settings),
        })
    }

    /// Whether a change waits for its line.
    pub fn is_enforced(&self) -> bool {
        self.settings.enforce
    }

    /// Has this written some time soon, and waits for nothing.
    pub fn tell(&self, line: Line) {
        if self.to.try_send(Asked::Line(line, None)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has this written, and waits until it is.
    ///
    /// # Errors
    /// It could not be written; the log says why.
    pub async fn record(&self, line: Line) -> Result<(), Unusable> {
        self.asked(|told| Asked::Line(line, Some(told))).await
    }

    /// Waits until all that was told so far is written, or cannot be.
    pub async fn settle(&self) {
        // What could not be written was told in the log.
        let _ = self.asked(Asked::Settle).await;
    }

    /// Opens the file anew, by its name: somebody may have moved it away.
    ///
    /// # Errors
    /// It cannot be opened; the one that was open stays in use.
    pub async fn reopen(&self) -> Result<(), Unusable> {
        self.asked(Asked::Reopen).await
    }

    async fn asked(&self, ask: impl FnOnce(writer::Told) -> Asked) -> Result<(), Unusable> {
        let (told, answer) = oneshot::channel();
        let is_asked = self.to.send(ask(told)).await.is_ok();
        let answered = match is_asked {
            true => answer.await.ok(),
            false => None,
        };
        let answered = answered.unwrap_or_else(|| Err("nobody writes it any more".to_owned()));
        answered.map_err(|problem| Unusable {
            file: self.settings.file.clone(),
            problem,
        })
    }
}
