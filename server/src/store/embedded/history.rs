//! The newest commits, kept for those who follow.
//!
//! Bounded in number and bytes; what no longer fits is forgotten, and who still wanted it is told
//! [`Followed::Compacted`]. A follower takes what it wants when it wants it, so none can hold up
//! the writer or another follower.

use crate::store::{Change, Followed, Index, Key, Row};
use futures::stream::{self, BoxStream, StreamExt};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The most commits that are kept.
const MOST_COMMITS: usize = 4_096;
/// The most bytes of keys and values that are kept, unless one commit alone has more.
const MOST_BYTES: usize = 8 * 1_024 * 1_024;

/// Where followers read.
#[derive(Clone)]
pub(super) struct History {
    kept: Arc<Mutex<Kept>>,
    told: watch::Receiver<()>,
}

/// Where the writer tells. When it is dropped, the followers' streams end.
pub(super) struct Teller {
    kept: Arc<Mutex<Kept>>,
    told: watch::Sender<()>,
}

struct Kept {
    /// The newest commit that is not known any more.
    forgotten: Index,
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
}

/// A history that begins after the commit `newest`.
pub(super) fn begin(newest: Index) -> (Teller, History) {
    let kept = Kept {
        forgotten: newest,
        changes: VecDeque::new(),
        bytes: 0,
    };
    let kept = Arc::new(Mutex::new(kept));
    let (sender, receiver) = watch::channel(());
    (
        Teller {
            kept: kept.clone(),
            told: sender,
        },
        History {
            kept,
            told: receiver,
        },
    )
}

impl Teller {
    /// Tells these commits, the next ones, to all who follow.
    pub(super) fn tell(&self, changes: impl IntoIterator<Item = Arc<Change>>) {
        let mut kept = lock(&self.kept);
        for change in changes {
            kept.add(change);
        }
        drop(kept);
        self.told.send_replace(());
    }
}

impl Kept {
    fn add(&mut self, change: Arc<Change>) {
        self.bytes += bytes(&change);
        self.changes.push_back(change);
        while self.changes.len() > MOST_COMMITS
            || (self.bytes > MOST_BYTES && self.changes.len() > 1)
        {
            let Some(oldest) = self.changes.pop_front() else {
                break;
            };
            self.bytes -= bytes(&oldest);
            self.forgotten = oldest.index;
        }
    }

    /// What to tell who knows everything up to `index`; nothing if that is all.
    fn after(&self, index: Index) -> Option<Followed> {
        if index < self.forgotten {
            return Some(Followed::Compacted);
        }
        let next = self.changes.partition_point(|change| change.index <= index);
        self.changes.get(next).cloned().map(Followed::Change)
    }
}

impl History {
    /// Every commit after `index`, until the writer is gone.
    pub(super) fn follow(self, index: Index) -> BoxStream<'static, Followed> {
        stream::unfold(Some((self, index)), |following| async move {
            let (mut history, index) = following?;
            let followed = history.next_after(index).await?;
            let following = match &followed {
                Followed::Change(change) => Some((history, change.index)),
                Followed::Compacted => None,
            };
            Some((followed, following))
        })
        .boxed()
    }

    async fn next_after(&mut self, index: Index) -> Option<Followed> {
        loop {
            // seen before looked at, so what is told after the look wakes
            self.told.mark_unchanged();
            let next = lock(&self.kept).after(index);
            if next.is_some() {
                return next;
            }
            self.told.changed().await.ok()?;
        }
    }
}

fn bytes(change: &Change) -> usize {
    let row = |(key, row): &(Key, Option<Row>)| {
        key.as_str().len() + row.as_ref().map_or(0, |row| row.value.len())
    };
    change.rows.iter().map(row).sum()
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
