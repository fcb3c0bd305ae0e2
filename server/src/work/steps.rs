//! The steps that workers have under way.

use imbl::HashSet;
use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The things that a driver is being asked about at this moment, by their names. Cheap to clone.
#[derive(Clone)]
pub struct Running<Name: Clone + Eq + Hash>(Arc<Mutex<HashSet<Name>>>);

impl<Name: Clone + Eq + Hash> Default for Running<Name> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<Name: Clone + Eq + Hash> Running<Name> {
    /// Whether a driver is being asked about this.
    pub fn contains(&self, name: impl Borrow<Name>) -> bool {
        self.lock().contains(name.borrow())
    }

    /// All of them at this moment. Costs the same however many there are.
    pub(super) fn all(&self) -> HashSet<Name> {
        self.lock().clone()
    }

    pub(super) fn begin(&self, name: Name) -> Run<Name> {
        self.lock().insert(name.clone());
        Run {
            name,
            running: self.clone(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Name>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thing that a driver is being asked about, until this is dropped.
pub(super) struct Run<Name: Clone + Eq + Hash> {
    name: Name,
    running: Running<Name>,
}

impl<Name: Clone + Eq + Hash> Drop for Run<Name> {
    fn drop(&mut self) {
        self.running.lock().remove(&self.name);
    }
}

/// The steps under way. Cheap to clone.
#[derive(Clone, Default)]
pub struct Steps {
    tasks: TaskTracker,
    leave: CancellationToken,
}

impl Steps {
    pub(super) fn begin(&self, step: impl Future<Output = ()> + Send + 'static) {
        let leave = self.leave.clone();
        self.tasks.spawn(async move {
            leave.run_until_cancelled(step).await;
        });
    }

    /// Waits this long for the steps under way to end, and leaves the others unfinished: whoever
    /// works next takes their work up again. Afterwards none is under way.
    pub async fn end(&self, patience: Duration) {
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_err()
        {
            self.leave.cancel();
            self.tasks.wait().await;
        }
    }
}
