//! Finishes operations, at the controllers of their plugins.
//!
//! - Operations on one backing store go one after the other, in the order of their commits; all
//!   others side by side. How many calls a plugin gets at once is bounded by its connection.
//! - A try whose end is not clear is followed by another, for ever, until an operator gives it up.

use super::step;
use crate::control::ControlPlane;
use crate::id::{ExternalId, PluginId};
use crate::operation::{Operation, Progress};
use crate::state::{State, Stored};
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
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

/// Works until the task is dropped. Steps that were begun go on in `steps`.
pub async fn work(cp: ControlPlane, steps: TaskTracker) {
    let mut indexes = cp.live.indexes();
    let ended = Arc::new(tokio::sync::Notify::new());
    loop {
        indexes.mark_unchanged();
        let state = cp.state();
        let now = cp.clock.now();
        for operation in due(&state, &cp.running, now) {
            let run = cp.running.begin(operation.row.id);
            let (cp, ended) = (cp.clone(), Arc::clone(&ended));
            steps.spawn(async move {
                step::take(&cp, &operation).await;
                drop(run);
                ended.notify_one();
            });
        }
        tokio::select! {
            _ = indexes.changed() => {}
            () = ended.notified() => {}
            () = tokio::time::sleep(until_next(&state, now)) => {}
        }
    }
}

/// The operations to go on with now: due, not running, and the first on their backing store.
fn due(state: &State, running: &Running, now: Timestamp) -> Vec<Arc<Stored<Operation>>> {
    let mut under_way: Vec<_> = state.under_way().cloned().collect();
    under_way.sort_by_key(|operation| (operation.created, operation.row.created_at));
    let mut taken: HashSet<(&PluginId, &ExternalId)> = HashSet::new();
    under_way
        .iter()
        .filter(|operation| {
            let row = &operation.row;
            let backing = row.external_id.as_ref().map(|id| (&row.plugin, id));
            let first = backing.is_none_or(|backing| taken.insert(backing));
            first && !running.contains(row.id) && is_due(state, row, now)
        })
        .cloned()
        .collect()
}

/// Whether a try is due. One that only lacked a healthy controller is, as soon as there is one.
fn is_due(state: &State, operation: &Operation, now: Timestamp) -> bool {
    let lacked_controller = matches!(
        &operation.progress,
        Progress::Waiting(trouble) if !trouble.asked
    );
    let has_controller = || {
        state
            .plugin(&operation.plugin)
            .is_some_and(|plugin| plugin.health().controllers_healthy > 0)
    };
    operation.progress.is_due(now) || (lacked_controller && has_controller())
}

/// How long until a try is due that is not now.
fn until_next(state: &State, now: Timestamp) -> Duration {
    const LONGEST: Duration = Duration::from_secs(3_600);
    state
        .under_way()
        .filter_map(|operation| match &operation.row.progress {
            Progress::Waiting(trouble) if trouble.next_try > now => {
                Duration::try_from(trouble.next_try.duration_since(now)).ok()
            }
            _ => None,
        })
        .min()
        .unwrap_or(LONGEST)
}
