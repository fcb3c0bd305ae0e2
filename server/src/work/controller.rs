//! Finishes operations, and attaches and detaches, at the controllers of their plugins.
//!
//! - What is done to one backing store goes one after the other, operations and attachments together,
//!   in the order of the commits that intended it; all else side by side. How many calls a plugin gets
//!   at once is bounded by its connection.
//! - A try whose end is not clear is followed by another, for ever; an operation until an operator
//!   gives it up.
//! - What an operator gives up is not waited for any more: its call is cancelled.

use super::later::Later;
use super::{Steps, attach, step};
use crate::attachment::{Attachment, AttachmentKey};
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

/// Works until the task is dropped. Steps that were begun go on in `steps`.
pub async fn work(cp: ControlPlane, steps: Steps) {
    let attention = cp.live.attend();
    let (ended, mut has_ended) = mpsc::unbounded_channel();
    let mut look = Look::Everywhere;
    let mut later = Later::default();
    loop {
        // In this order: what was not running then has its outcome in the state.
        let running = cp.running.all();
        let state = cp.state();
        let now = cp.clock.now();
        let waiting = waiting(&state, &look);
        for work in &waiting {
            if let Some(time) = work.next_try().filter(|time| *time > now) {
                later.add(time, work.spot());
            }
        }
        for work in due(&cp, &state, waiting, &running, now) {
            let run = cp.running.begin(work.id());
            let (cp, ended) = (cp.clone(), ended.clone());
            steps.begin(async move {
                match &work {
                    Work::Operation(operation) => step::take(&cp, operation).await,
                    Work::Attachment(attachment) => attach::take(&cp, attachment).await,
                }
                drop(run);
                let _ = ended.send(work.spot());
            });
        }
        look = tokio::select! {
            touched = attention.touched() => Look::at(&cp.state(), &touched),
            Some(spot) = has_ended.recv() => Look::Only([spot].into()),
            () = later.wait(&cp.clock) => Look::Only(later.take(cp.clock.now())),
        };
        while let Ok(spot) = has_ended.try_recv() {
            if let Look::Only(spots) = &mut look {
                spots.insert(spot);
            }
        }
    }
}

/// What work waits for its turn at: what is done at one spot goes one after the other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Spot {
    Backing(PluginId, ExternalId),
    /// A creation, which has no backing store yet.
    Creation(Uuid),
}

impl Spot {
    fn of_operation(row: &Operation) -> Self {
        match &row.external_id {
            Some(external) => Self::Backing(row.plugin.clone(), external.clone()),
            None => Self::Creation(row.id),
        }
    }

    fn of_attachment(key: &AttachmentKey) -> Self {
        Self::Backing(key.plugin.clone(), key.external_id.clone())
    }
}

/// Where there may be something to do.
enum Look {
    Everywhere,
    Only(BTreeSet<Spot>),
}

impl Look {
    /// Where a commit may have made something due: what an operation that ended was in the way of, too.
    fn at(state: &State, touched: &Touched) -> Self {
        if !touched.plugins.is_empty() || !touched.nodes.is_empty() {
            return Look::Everywhere;
        }
        let operations = touched.operations.iter();
        let operations = operations
            .filter_map(|id| state.operation(*id))
            .map(|operation| Spot::of_operation(&operation.row));
        let attachments = touched.attachments.iter().map(Spot::of_attachment);
        Look::Only(operations.chain(attachments).collect())
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

    /// Where it is done.
    fn spot(&self) -> Spot {
        match self {
            Work::Operation(operation) => Spot::of_operation(&operation.row),
            Work::Attachment(attachment) => Spot::of_attachment(&attachment.row.key),
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
    match look {
        Look::Everywhere => {
            let operations = state.under_way().cloned().map(Work::Operation);
            let attachments = state.restless_attachments().filter(is_ours).cloned();
            operations
                .chain(attachments.map(Work::Attachment))
                .collect()
        }
        Look::Only(spots) => {
            let operations = spots.iter().flat_map(|spot| operations_at(state, spot));
            let attachments = spots.iter().filter_map(|spot| match spot {
                Spot::Backing(plugin, external) => Some(state.attachments_of(plugin, external)),
                Spot::Creation(_) => None,
            });
            let attachments = attachments.flatten().filter(is_ours).cloned();
            operations
                .chain(attachments.map(Work::Attachment))
                .collect()
        }
    }
}

/// The operations that are under way there.
fn operations_at(state: &State, spot: &Spot) -> Vec<Work> {
    let operations: Vec<_> = match spot {
        Spot::Backing(plugin, external) => state.under_way_at(plugin, external).collect(),
        Spot::Creation(id) => state.operation(*id).into_iter().collect(),
    };
    let under_way = operations
        .into_iter()
        .filter(|operation| !operation.row.progress.has_ended());
    under_way.cloned().map(Work::Operation).collect()
}

/// What to go on with now: due, not running, and the first at its spot.
fn due(
    cp: &ControlPlane,
    state: &State,
    mut waiting: Vec<Work>,
    running: &imbl::HashSet<Uuid>,
    now: Timestamp,
) -> Vec<Work> {
    waiting.sort_by_key(Work::place);
    let is_running = |work: &&Work| running.contains(&work.id());
    let mut taken: HashSet<Spot> = waiting.iter().filter(is_running).map(Work::spot).collect();
    waiting
        .iter()
        .filter(|work| !is_running(work))
        .filter(|work| taken.insert(work.spot()) && work.is_due(cp, state, now))
        .cloned()
        .collect()
}
