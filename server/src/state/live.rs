//! The newest state, and who waits for a newer one.

use super::journal::{Journal, Step};
use super::{Interest, State, Touched};
use crate::store::{Change, Index};
use arc_swap::ArcSwap;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Notify, watch};

/// The newest state. One task applies commits; any number reads and waits.
pub struct Live {
    state: ArcSwap<State>,
    applied: watch::Sender<Index>,
    waiting: Mutex<Waiting>,
    attentive: Mutex<Vec<Weak<Attending>>>,
    journal: Mutex<Journal>,
}

/// What commits touched since somebody looked last.
#[derive(Default)]
struct Attending {
    touched: Mutex<Touched>,
    more: Notify,
}

/// Somebody who looks at all that commits touch, and at nothing twice.
pub struct Attention(Arc<Attending>);

impl Attention {
    /// Waits until something was touched, and tells all that was since this was asked last. Asked
    /// before the state is taken, nothing is missed.
    pub async fn touched(&self) -> Touched {
        self.0.more.notified().await;
        let mut touched = self
            .0
            .touched
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *touched)
    }
}

/// Who waits, by what for: rows are found by name, sets are looked through.
#[derive(Default)]
struct Waiting {
    rows: HashMap<Interest, watch::Sender<Index>>,
    sets: HashMap<Interest, watch::Sender<Index>>,
}

impl Live {
    /// Starts with this state.
    pub fn new(state: State) -> Self {
        let (applied, _) = watch::channel(state.index);
        Self {
            state: ArcSwap::from_pointee(state),
            applied,
            waiting: Mutex::default(),
            attentive: Mutex::default(),
            journal: Mutex::default(),
        }
    }

    /// The newest state.
    pub fn now(&self) -> Arc<State> {
        self.state.load_full()
    }

    /// Tells each new index; skips those that a slow reader misses.
    pub fn indexes(&self) -> watch::Receiver<Index> {
        self.applied.subscribe()
    }

    /// Waits until the state holds this commit.
    pub async fn at_least(&self, index: Index) {
        let mut applied = self.applied.subscribe();
        // The sender lives as long as `self`, so this ends by the index alone.
        let _ = applied.wait_for(|newest| *newest >= index).await;
    }

    /// Takes in the next commit. Called by one task, in the order of commits.
    pub fn apply(&self, change: &Change) {
        let before = self.now();
        if change.index <= before.index {
            return;
        }
        let (after, touched, unreadable) = before.after(change);
        for row in unreadable {
            tracing::error!(index = %change.index, "a committed row cannot be read: {row}");
        }
        self.replace(&before, after, &touched);
    }

    /// Takes in a state that was loaded, where commits between it and the newest are not known.
    pub fn reload(&self, after: State) {
        let before = self.now();
        let touched = before.differences(&after);
        self.replace(&before, after, &touched);
    }

    /// A wake-up for changes of what `interest` is about, from now on.
    pub fn watch(self: &Arc<Self>, interest: Interest) -> Watch {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = waiting
            .of(&interest)
            .entry(interest.clone())
            .or_insert_with(|| watch::channel(Index(0)).0)
            .subscribe();
        Watch {
            interest,
            woken,
            live: Arc::clone(self),
        }
    }

    /// All that commits touch from now on.
    pub fn attend(&self) -> Attention {
        let attending = Arc::new(Attending::default());
        let mut attentive = self
            .attentive
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        attentive.retain(|other| other.strong_count() > 0);
        attentive.push(Arc::downgrade(&attending));
        Attention(attending)
    }

    /// How many wait for changes of rows, one for each watch.
    pub fn watches(&self) -> usize {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let all = waiting.rows.values().chain(waiting.sets.values());
        all.map(watch::Sender::receiver_count).sum()
    }

    /// The last commits from an index on, and whether none is missing between it and them.
    pub fn steps_from(&self, index: Index) -> (Vec<Arc<Step>>, bool) {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.from(index)
    }

    fn replace(&self, before: &Arc<State>, after: State, touched: &Touched) {
        let after = Arc::new(after);
        self.state.store(Arc::clone(&after));
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.add(Step {
            index: after.index,
            before: Arc::clone(before),
            after: Arc::clone(&after),
            touched: touched.clone(),
        });
        drop(journal);
        self.wake(before, &after, touched);
        let attentive = self
            .attentive
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for attending in attentive.iter().filter_map(Weak::upgrade) {
            let mut all = attending
                .touched
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            all.extend(touched);
            attending.more.notify_one();
        }
        drop(attentive);
        self.applied.send_replace(after.index);
    }

    fn wake(&self, before: &State, after: &State, touched: &Touched) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let tell = |woken: &watch::Sender<Index>| {
            woken.send_replace(after.index);
        };
        let volumes = touched.volumes.iter().cloned().map(Interest::Volume);
        let plugins = touched.plugins.iter().cloned().map(Interest::Plugin);
        let operations = touched.operations.iter().copied().map(Interest::Operation);
        let claims = touched.claims.iter().cloned().map(Interest::Claim);
        let claimed: BTreeSet<_> = touched.claims.iter().map(|(volume, _)| volume).collect();
        let claimed = claimed.into_iter().cloned().map(Interest::Claims);
        let nodes = touched.nodes.iter().cloned().map(Interest::Node);
        volumes
            .chain(plugins)
            .chain(operations)
            .chain(claims)
            .chain(claimed)
            .chain(nodes)
            .filter_map(|interest| waiting.rows.get(&interest))
            .for_each(tell);
        let seen_through_plugin = waiting.rows.iter().filter(|_| !touched.plugins.is_empty());
        seen_through_plugin
            .chain(&waiting.sets)
            .filter(|(interest, _)| interest.is_touched(before, after, touched))
            .for_each(|(_, woken)| tell(woken));
    }
}

impl Waiting {
    fn of(&mut self, interest: &Interest) -> &mut HashMap<Interest, watch::Sender<Index>> {
        if interest.is_broad() {
            &mut self.sets
        } else {
            &mut self.rows
        }
    }
}

/// A wake-up. Dropping it ends the interest.
pub struct Watch {
    interest: Interest,
    woken: watch::Receiver<Index>,
    live: Arc<Live>,
}

impl Watch {
    /// Waits for the next change since this was made, or since the last one told.
    pub async fn changed(&mut self) {
        // The sender is kept in the table while this receiver is alive.
        let _ = self.woken.changed().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut waiting = self
            .live
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let table = waiting.of(&self.interest);
        let alone = |woken: &watch::Sender<Index>| woken.receiver_count() <= 1;
        if table.get(&self.interest).is_some_and(alone) {
            table.remove(&self.interest);
        }
    }
}
