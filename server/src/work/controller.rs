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
use crate::state::{State, Stored, Touched};
use crate::store::Index;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use tokio::sync::mpsc;
use uuid::Uuid;

/// A backing store of a plugin.
type Backing = (PluginId, ExternalId);

/// Works until the task is dropped. Steps that were begun go on in `steps`.
pub async fn work(cp: ControlPlane, steps: Steps) {
    let attention = cp.live.attend();
    let (ended, mut has_ended) = mpsc::unbounded_channel();
    let mut look = Look::Everywhere;
    let mut next: Option<Timestamp> = None;
    loop {
        // In this order: what was not running then has its outcome in the state.
        let running = cp.running.all();
        let state = cp.state();
        let now = cp.clock.now();
        let waiting = waiting(&state, &look);
        let later = waiting.iter().filter_map(Work::next_try);
        next = later.filter(|time| *time > now).chain(next).min();
        for work in due(&cp, &state, waiting, &running, now) {
            let run = cp.running.begin(work.id());
            let (cp, ended) = (cp.clone(), ended.clone());
            steps.begin(async move {
                match &work {
                    Work::Operation(operation) => step::take(&cp, operation).await,
                    Work::Attachment(attachment) => attach::take(&cp, attachment).await,
                }
                drop(run);
                let _ = ended.send(work.backing());
            });
        }
        let next_try = async {
            match next {
                Some(time) => cp.clock.until(time).await,
                None => std::future::pending().await,
            }
        };
        look = tokio::select! {
            touched = attention.touched() => Look::at(&touched),
            Some(backing) = has_ended.recv() => Look::Only([backing].into()),
            () = next_try => {
                next = None;
                Look::Everywhere
            }
        };
        while let Ok(backing) = has_ended.try_recv() {
            if let Look::Only(backings) = &mut look {
                backings.insert(backing);
            }
        }
    }
}

/// Where there may be something to do.
enum Look {
    Everywhere,
    /// At these backing stores; `None`: at creations, which have none yet.
    Only(BTreeSet<Option<Backing>>),
}

impl Look {
    /// Where a commit may have made something due.
    fn at(touched: &Touched) -> Self {
        let is_elsewhere = touched.operations.is_empty() && touched.plugins.is_empty();
        if !is_elsewhere || !touched.nodes.is_empty() {
            return Look::Everywhere;
        }
        let attachments = touched.attachments.iter();
        Look::Only(
            attachments
                .map(|key| Some((key.plugin.clone(), key.external_id.clone())))
                .collect(),
        )
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
    fn backing(&self) -> Option<Backing> {
        match self {
            Work::Operation(operation) => {
                let row = &operation.row;
                Some((row.plugin.clone(), row.external_id.clone()?))
            }
            Work::Attachment(attachment) => {
                let key = &attachment.row.key;
                Some((key.plugin.clone(), key.external_id.clone()))
            }
        }
    }

    /// When it is tried again, if that has a time.
    fn next_try(&self) -> Option<Timestamp> {
        match self {
            Work::Operation(operation) => match &operation.row.progress {
                Progress::Waiting(trouble) if !trouble.lacks_controller => Some(trouble.next_try),
                _ => None,
            },
            Work::Attachment(attachment) => attachment.row.tries.next_try(),
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

/// What waits for a controller there.
fn waiting(state: &State, look: &Look) -> Vec<Work> {
    let is_ours =
        |attachment: &&Arc<Stored<Attachment>>| attach::Step::of(state, &attachment.row).is_some();
    let operations = state.under_way().cloned().map(Work::Operation);
    match look {
        Look::Everywhere => {
            let attachments = state.restless_attachments().filter(is_ours).cloned();
            operations
                .chain(attachments.map(Work::Attachment))
                .collect()
        }
        Look::Only(backings) => {
            let concerned = |work: &Work| backings.contains(&work.backing());
            let attachments = backings
                .iter()
                .flatten()
                .flat_map(|(plugin, external)| state.attachments_of(plugin, external))
                .filter(is_ours)
                .cloned();
            let attachments = attachments.map(Work::Attachment);
            operations.filter(concerned).chain(attachments).collect()
        }
    }
}

/// What to go on with now: due, not running, and the first on its backing store.
fn due(
    cp: &ControlPlane,
    state: &State,
    mut waiting: Vec<Work>,
    running: &imbl::HashSet<Uuid>,
    now: Timestamp,
) -> Vec<Work> {
    waiting.sort_by_key(Work::place);
    let is_running = |work: &&Work| running.contains(&work.id());
    let busy = waiting.iter().filter(is_running).filter_map(Work::backing);
    let mut taken: HashSet<Backing> = busy.collect();
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
