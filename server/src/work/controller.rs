//! Finishes operations, and attaches and detaches, at the controllers of their plugins.
//!
//! - What is done to one backing store goes one after the other, operations and attachments together,
//!   in the order of the commits that intended it; all else side by side. How many calls a plugin gets
//!   at once is bounded by its connection.
//! - A try whose end is not clear is followed by another, for ever; an operation until an operator
//!   gives it up.
//! - What an operator gives up is not waited for any more: its call is cancelled.

use super::{Steps, attach, step};
use crate::attachment::Attachment;
use crate::control::ControlPlane;
use crate::id::{ExternalId, PluginId};
use crate::operation::{Operation, Progress};
use crate::state::{State, Stored};
use crate::store::Index;
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

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
        for work in due(&cp, &state, &running, now) {
            let run = cp.running.begin(work.id());
            let (cp, ended) = (cp.clone(), Arc::clone(&ended));
            steps.begin(async move {
                match work {
                    Work::Operation(operation) => step::take(&cp, &operation).await,
                    Work::Attachment(attachment) => attach::take(&cp, &attachment).await,
                }
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

/// Something that is done at a controller.
#[derive(Clone)]
enum Work {
    Operation(Arc<Stored<Operation>>),
    Attachment(Arc<Stored<Attachment>>),
}

impl Work {
    fn id(&self) -> Uuid {
        match self {
            Work::Operation(operation) => operation.row.id,
            Work::Attachment(attachment) => attachment.row.id,
        }
    }

    /// The backing store that it is about; a creation has none yet.
    fn backing(&self) -> Option<(&PluginId, &ExternalId)> {
        match self {
            Work::Operation(operation) => {
                let row = &operation.row;
                row.external_id.as_ref().map(|id| (&row.plugin, id))
            }
            Work::Attachment(attachment) => {
                let key = &attachment.row.key;
                Some((&key.plugin, &key.external_id))
            }
        }
    }

    /// Where it stands in the order of intentions.
    fn place(&self) -> (Index, Timestamp) {
        match self {
            Work::Operation(operation) => (operation.created, operation.row.created_at),
            Work::Attachment(attachment) => {
                let row = &attachment.row;
                (row.intended.unwrap_or(attachment.modified), row.since)
            }
        }
    }

    fn is_due(&self, cp: &ControlPlane, state: &State, now: Timestamp) -> bool {
        match self {
            Work::Operation(operation) => {
                let row = &operation.row;
                let has_controller = || cp.drivers.controller(state, &row.plugin).is_ok();
                row.progress.is_due(now, has_controller)
            }
            Work::Attachment(attachment) => {
                let row = &attachment.row;
                row.tries.are_due(now) && cp.drivers.controller(state, &row.key.plugin).is_ok()
            }
        }
    }
}

/// Everything that waits for a controller.
fn waiting(state: &State) -> impl Iterator<Item = Work> {
    let operations = state.under_way().cloned().map(Work::Operation);
    let attachments = state
        .restless_attachments()
        .filter(|attachment| attach::Step::of(&attachment.row).is_some())
        .cloned()
        .map(Work::Attachment);
    operations.chain(attachments)
}

/// What to go on with now: due, not running, and the first on its backing store.
fn due(cp: &ControlPlane, state: &State, running: &HashSet<Uuid>, now: Timestamp) -> Vec<Work> {
    let mut waiting: Vec<_> = waiting(state).collect();
    waiting.sort_by_key(Work::place);
    let mut taken: HashSet<(&PluginId, &ExternalId)> = HashSet::new();
    let is_running = |work: &&Work| running.contains(&work.id());
    taken.extend(waiting.iter().filter(is_running).filter_map(Work::backing));
    waiting
        .iter()
        .filter(|work| !is_running(work))
        .filter(|work| {
            let first = work.backing().is_none_or(|backing| taken.insert(backing));
            first && work.is_due(cp, state, now)
        })
        .cloned()
        .collect()
}

/// When the next try is due that is not now.
fn next_try(state: &State, now: Timestamp) -> Option<Timestamp> {
    waiting(state)
        .filter_map(|work| match &work {
            Work::Operation(operation) => match &operation.row.progress {
                Progress::Waiting(trouble) if !trouble.lacks_controller => Some(trouble.next_try),
                _ => None,
            },
            Work::Attachment(attachment) => attachment.row.tries.next_try(),
        })
        .filter(|time| *time > now)
        .min()
}
