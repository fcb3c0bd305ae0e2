//! Finishes operations, at the controllers of their plugins.
//!
//! - Operations on one backing store go one after the other, in the order of their commits; all
//!   others side by side. How many calls a plugin gets at once is bounded by its connection.
//! - A try whose end is not clear is followed by another, for ever, until an operator gives it up.
//! - What an operator gives up is not waited for any more: its call is cancelled.

use super::step;
use crate::control::ControlPlane;
use crate::id::{ExternalId, PluginId};
use crate::operation::{Operation, Progress};
use crate::state::{State, Stored};
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// The operations that a driver is being asked about at this moment. Cheap to clone.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<HashSet<Uuid>>>);

impl Running {
    /// Whether a driver is being asked about this operation.
    pub fn contains(&self, id: Uuid) -> bool {
        self.lock().contains(&id)
    }

    fn all(&self) -> HashSet<Uuid> {
        self.lock().clone()
    }

    fn begin(&self, id: Uuid) -> Run {
        self.lock().insert(id);
        Run {
            id,
            running: self.clone(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One operation that is running; it stops running when this is dropped.
struct Run {
    id: Uuid,
    running: Running,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
    }
}

/// The steps under way. Cheap to clone.
#[derive(Clone, Default)]
pub struct Steps {
    tasks: TaskTracker,
    leave: CancellationToken,
}

impl Steps {
    fn begin(&self, step: impl Future<Output = ()> + Send + 'static) {
        let leave = self.leave.clone();
        self.tasks.spawn(async move {
            leave.run_until_cancelled(step).await;
        });
    }

    /// Waits this long for the steps under way to end, and leaves the others unfinished: whoever
    /// works next takes their operations up again. Afterwards none is under way.
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

/// Works until the task is dropped. Steps that were begun go on in `steps`.
pub async fn work(cp: ControlPlane, steps: Steps) {
    let mut indexes = cp.live.indexes();
    let ended = Arc::new(tokio::sync::Notify::new());
    loop {
        indexes.mark_unchanged();
        // In this order: what was not running then has its outcome in the state.
        let running = cp.running.all();
        let state = cp.state();
        let now = cp.clock.now();
        for operation in due(&cp, &state, &running, now) {
            let run = cp.running.begin(operation.row.id);
            let (cp, ended) = (cp.clone(), Arc::clone(&ended));
            steps.begin(async move {
                step::take(&cp, &operation).await;
                drop(run);
                ended.notify_one();
            });
        }
        let next_try = async {
            match next_try(&state, now) {
                Some(time) => cp.clock.until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = indexes.changed() => {}
            () = ended.notified() => {}
            () = next_try => {}
        }
    }
}

/// The operations to go on with now: due, not running, and the first on their backing store.
fn due(
    cp: &ControlPlane,
    state: &State,
    running: &HashSet<Uuid>,
    now: Timestamp,
) -> Vec<Arc<Stored<Operation>>> {
    let mut under_way: Vec<_> = state.under_way().cloned().collect();
    under_way.sort_by_key(|operation| (operation.created, operation.row.created_at));
    let mut taken: HashSet<(&PluginId, &ExternalId)> = HashSet::new();
    under_way
        .iter()
        .filter(|operation| {
            let row = &operation.row;
            let backing = row.external_id.as_ref().map(|id| (&row.plugin, id));
            let first = backing.is_none_or(|backing| taken.insert(backing));
            let has_controller = || cp.drivers.controller(state, &row.plugin).is_ok();
            first && !running.contains(&row.id) && row.progress.is_due(now, has_controller)
        })
        .cloned()
        .collect()
}

/// When the next try is due that is not now.
fn next_try(state: &State, now: Timestamp) -> Option<Timestamp> {
    state
        .under_way()
        .filter_map(|operation| match &operation.row.progress {
            Progress::Waiting(trouble) if !trouble.lacks_controller => Some(trouble.next_try),
            _ => None,
        })
        .filter(|time| *time > now)
        .min()
}
