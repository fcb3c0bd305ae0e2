//! The thread that writes the audit log.

use super::entry::{Gap, Line};
use super::file::LogFile;
use crate::clock::Clock;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};

/// The most lines that are written at once.
const AT_ONCE: usize = 512;

/// Whoever waits, and is told whether it was done or why not.
pub(super) type Told = oneshot::Sender<Result<(), String>>;

/// What the thread is asked.
#[derive(Debug)]
pub(super) enum Asked {
    /// To write a line.
    Line(Line, Option<Told>),
    /// To have written what came before.
    Settle(Told),
    /// To open the file anew.
    Reopen(Told),
}

/// Writes lines in the order in which they come.
pub(super) struct Writer {
    file: LogFile,
    /// Lines that found no room among those that wait.
    lost: Arc<AtomicU64>,
    clock: Clock,
    /// Lines that are missing where the next is written.
    missing: u64,
    /// Whether the last write failed.
    fails: bool,
    /// Whether the last rotation failed.
    is_stuck: bool,
}

/// Lines that are written at once, and who waits for them.
#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    count: u64,
    waiting: Vec<Told>,
}

impl Writer {
    pub fn new(file: LogFile, lost: Arc<AtomicU64>, clock: Clock) -> Self {
        Self {
            file,
            lost,
            clock,
            missing: 0,
            fails: false,
            is_stuck: false,
        }
    }

    /// Works until nobody can ask any more.
    pub fn work(mut self, mut asked: mpsc::Receiver<Asked>) {
        let mut some = Vec::new();
        while asked.blocking_recv_many(&mut some, AT_ONCE) > 0 {
            let mut batch = Batch::default();
            for asked in some.drain(..) {
                match asked {
                    Asked::Line(line, told) => {
                        let together = batch.lines.len() + line.0.len();
                        if self.file.is_full_with(together) {
                            self.write(std::mem::take(&mut batch));
                        }
                        batch.add(line, told);
                    }
                    Asked::Settle(told) => {
                        self.write(std::mem::take(&mut batch));
                        tell(told, Ok(()));
                    }
                    Asked::Reopen(told) => {
                        self.write(std::mem::take(&mut batch));
                        let opened = self.file.reopen();
                        tell(told, opened.map_err(|error| error.to_string()));
                    }
                }
            }
            self.write(batch);
        }
    }

    fn write(&mut self, batch: Batch) {
        self.missing += self.lost.swap(0, Ordering::Relaxed);
        if batch.count == 0 {
            return;
        }
        let written = self.append(&batch.lines);
        match &written {
            Ok(()) => {
                if std::mem::take(&mut self.missing) > 0 || self.fails {
                    tracing::warn!("the audit log takes lines again; it says how many it lost");
                }
                self.fails = false;
            }
            Err(error) => {
                self.missing += batch.count;
                if !self.fails {
                    tracing::error!("the audit log cannot be written: {error}");
                }
                self.fails = true;
            }
        }
        let written = written.map_err(|error| error.to_string());
        for told in batch.waiting {
            tell(told, written.clone());
        }
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.file.is_full_with(lines.len()) {
            let rotated = self.file.rotate();
            if let (Err(error), false) = (&rotated, self.is_stuck) {
                tracing::error!("the audit log grows on, it cannot be put aside: {error}");
            }
            self.is_stuck = rotated.is_err();
        }
        if self.missing == 0 {
            return self.file.append(lines);
        }
        let gap = Gap {
            time: self.clock.now(),
            stage: "gap",
            lost: self.missing,
        };
        self.file.append(&[&gap.line().0, lines].concat())
    }
}

impl Batch {
    fn add(&mut self, line: Line, told: Option<Told>) {
        self.lines.extend(line.0);
        self.count += 1;
        self.waiting.extend(told);
    }
}

/// Whoever does not wait any more is not told.
fn tell(told: Told, result: Result<(), String>) {
    let _ = told.send(result);
}
