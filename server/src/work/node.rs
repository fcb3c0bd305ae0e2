//! Stages and publishes volumes on a node, and undoes both, by the Node services beside it.
//!
//! - What is done to one backing store goes one after the other, what was wanted first first; all else
//!   side by side, so that a volume that hangs holds up no other. What waits for its next try holds up
//!   nothing.
//! - A fenced node is left alone, but for what the fence passed over: it is asked to take that down when
//!   its turn comes ([`Attachment::left`]).
//! - Nothing is published on what was staged in an earlier boot, nor does it grow, and nothing is
//!   unstaged while a claim needs it.

use super::later::Later;
use super::{Steps, mount};
use crate::attachment::{self, Attachment, AttachmentKey};
use crate::claim::{self, Claim, settle};
use crate::control::ControlPlane;
use crate::id::{NodeId, PluginId};
use crate::state::{State, Stored, Touched};
use crate::tries::Tries;
use imbl::HashSet;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Works until the task is dropped, for one node. Steps that were begun go on in `steps`.
pub async fn work(cp: ControlPlane, node: NodeId, steps: Steps) {
    let attention = cp.live.attend();
    let (ended, mut has_ended) = mpsc::unbounded_channel();
    let mut look = Look::Everywhere;
    let mut later = Later::default();
    loop {
        // In this order: what was not running then has its outcome in the state.
        let running = cp.mounting.all();
        let state = cp.state();
        let now = cp.clock.now();
        let waiting = waiting(&state, &node, &look);
        for step in &waiting {
            if let Some(time) = step.tries().next_try().filter(|time| *time > now) {
                later.add(time, step.key());
            }
        }
        for step in due(&cp, &state, &node, waiting, &running, now) {
            let run = cp.mounting.begin(step.key());
            let (cp, ended) = (cp.clone(), ended.clone());
            steps.begin(async move {
                mount::take(&cp, &step).await;
                drop(run);
                let _ = ended.send(step.key());
            });
        }
        look = tokio::select! {
            touched = attention.touched() => Look::at(&cp.state(), &node, &touched),
            Some(key) = has_ended.recv() => Look::Only([key].into()),
            () = later.wait(&cp.clock) => Look::Only(later.take(cp.clock.now())),
        };
        while let Ok(key) = has_ended.try_recv() {
            if let Look::Only(keys) = &mut look {
                keys.insert(key);
            }
        }
    }
}

/// Where there may be something to do.
enum Look {
    Everywhere,
    Only(BTreeSet<AttachmentKey>),
}

impl Look {
    /// Where a commit may have made something due.
    fn at(state: &State, node: &NodeId, touched: &Touched) -> Self {
        if !touched.plugins.is_empty() || touched.nodes.contains(node) {
            return Look::Everywhere;
        }
        let claims = touched.claims.iter().filter_map(|claim| state.claim(claim));
        let of_claims = claims.map(|claim| claim.row.attachment_key());
        let keys = touched.attachments.iter().cloned().chain(of_claims);
        Look::Only(keys.filter(|key| &key.node == node).collect())
    }
}

/// Something that a Node service is asked to do.
#[derive(Clone)]
pub(super) enum Step {
    Stage(Arc<Stored<Attachment>>),
    Expand(Arc<Stored<Attachment>>),
    /// To take down what a fence passed over, where claims go on using the volume.
    Clear(Arc<Stored<Attachment>>),
    Unstage(Arc<Stored<Attachment>>),
    Publish(Arc<Stored<Claim>>),
    Unpublish(Arc<Stored<Claim>>),
}

impl Step {
    /// The step that is due for an attachment by its rows.
    pub fn of_attachment(state: &State, seen: &Arc<Stored<Attachment>>) -> Option<Self> {
        let row = &seen.row;
        match (row.stage, row.leaving) {
            (attachment::Stage::Attached, false) => Some(Self::Stage(Arc::clone(seen))),
            (attachment::Stage::Staged, false)
                if is_of_this_boot(state, row) && row.has_left_targets() =>
            {
                Some(Self::Clear(Arc::clone(seen)))
            }
            (attachment::Stage::Staged, false)
                if is_of_this_boot(state, row) && is_to_grow(state, row) =>
            {
                Some(Self::Expand(Arc::clone(seen)))
            }
            (attachment::Stage::Attached | attachment::Stage::Staged, true)
                if is_known_whole(row) && !settle::is_needed(state, row) =>
            {
                Some(Self::Unstage(Arc::clone(seen)))
            }
            (attachment::Stage::Unstaged | attachment::Stage::Detached, true)
                if is_known_whole(row) && row.awaits_node(state) =>
            {
                Some(Self::Unstage(Arc::clone(seen)))
            }
            _ => None,
        }
    }

    /// Whether a fenced node is asked for it.
    fn is_asked_of_a_fenced_node(&self) -> bool {
        match self {
            Self::Unstage(seen) => matches!(
                seen.row.stage,
                attachment::Stage::Unstaged | attachment::Stage::Detached
            ),
            Self::Stage(_)
            | Self::Expand(_)
            | Self::Clear(_)
            | Self::Publish(_)
            | Self::Unpublish(_) => false,
        }
    }

    /// The step that is due for a claim by its rows.
    pub fn of_claim(state: &State, seen: &Arc<Stored<Claim>>) -> Option<Self> {
        let row = &seen.row;
        let is_staged = || {
            let attachment = state.attachment(&row.attachment_key());
            attachment.is_some_and(|attachment| {
                let attachment = &attachment.row;
                row.attachment == Some(attachment.id)
                    && attachment.stage == attachment::Stage::Staged
                    && is_of_this_boot(state, attachment)
            })
        };
        match (row.stage, row.is_leaving()) {
            (claim::Stage::Taken, false) if is_staged() => Some(Self::Publish(Arc::clone(seen))),
            (claim::Stage::Taken, true) if is_staged() => Some(Self::Unpublish(Arc::clone(seen))),
            (claim::Stage::Published, true) => Some(Self::Unpublish(Arc::clone(seen))),
            _ => None,
        }
    }

    /// The attachment concerned.
    pub fn key(&self) -> AttachmentKey {
        match self {
            Self::Stage(seen) | Self::Expand(seen) | Self::Clear(seen) | Self::Unstage(seen) => {
                seen.row.key.clone()
            }
            Self::Publish(seen) | Self::Unpublish(seen) => seen.row.attachment_key(),
        }
    }

    /// The plugin concerned.
    pub fn plugin(&self) -> &PluginId {
        match self {
            Self::Stage(seen) | Self::Expand(seen) | Self::Clear(seen) | Self::Unstage(seen) => {
                &seen.row.key.plugin
            }
            Self::Publish(seen) | Self::Unpublish(seen) => &seen.row.plugin,
        }
    }

    /// Its tries so far.
    pub fn tries(&self) -> &Tries {
        match self {
            Self::Stage(seen) | Self::Clear(seen) | Self::Unstage(seen) => &seen.row.tries,
            Self::Expand(seen) => match &seen.row.expansion {
                Some(expansion) => &expansion.tries,
                None => &seen.row.tries,
            },
            Self::Publish(seen) | Self::Unpublish(seen) => &seen.row.tries,
        }
    }

    /// Since when it is wanted.
    fn since(&self) -> Timestamp {
        match self {
            Self::Stage(seen) | Self::Expand(seen) | Self::Clear(seen) | Self::Unstage(seen) => {
                seen.row.since
            }
            Self::Publish(seen) | Self::Unpublish(seen) => {
                let release = seen.row.release.as_ref();
                release.map_or(seen.row.since, |release| release.at)
            }
        }
    }
}

/// Whether what was staged is, for all that is known of its node's boots.
fn is_of_this_boot(state: &State, row: &Attachment) -> bool {
    let node = state.node(&row.key.node);
    !node.is_some_and(|node| settle::is_another_boot(&row.boot, &node.row))
}

/// Whether everything is known that has to be unpublished before it is unstaged.
fn is_known_whole(row: &Attachment) -> bool {
    row.left.as_ref().is_none_or(|left| !left.incomplete)
}

/// Whether the node has to do its part of a growth, and can: CSI wants a driver that stages to be
/// asked once it staged, any other once it published.
fn is_to_grow(state: &State, row: &Attachment) -> bool {
    let waits = |expansion: &attachment::Expansion| expansion.refused.is_none();
    row.expansion.as_ref().is_some_and(waits)
        && (row.staging_path.is_some() || published(state, row).is_some())
}

/// A claim that has the volume of this attachment published.
pub(super) fn published<'s>(state: &'s State, row: &Attachment) -> Option<&'s Claim> {
    let mut users = state.users(&row.key).map(|user| &user.row);
    users.find(|claim| claim.attachment == Some(row.id) && claim.stage == claim::Stage::Published)
}

/// What waits for a Node service there.
fn waiting(state: &State, node: &NodeId, look: &Look) -> Vec<Step> {
    let Some(seen) = state.node(node) else {
        return Vec::new();
    };
    let of_attachment =
        |attachment: &Arc<Stored<Attachment>>| Step::of_attachment(state, attachment);
    let of_claim = |claim: &Arc<Stored<Claim>>| Step::of_claim(state, claim);
    let mut waiting: Vec<Step> = match look {
        Look::Everywhere => {
            let attachments = state
                .restless_attachments()
                .filter(|attachment| &attachment.row.key.node == node);
            let claims = state
                .restless_claims()
                .filter(|claim| &claim.row.node == node);
            let attachments = attachments.filter_map(of_attachment);
            attachments.chain(claims.filter_map(of_claim)).collect()
        }
        Look::Only(keys) => {
            let attachments = keys.iter().filter_map(|key| state.attachment(key));
            let claims = keys.iter().flat_map(|key| state.users(key));
            let attachments = attachments.filter_map(of_attachment);
            attachments.chain(claims.filter_map(of_claim)).collect()
        }
    };
    if seen.row.fenced.is_some() {
        waiting.retain(Step::is_asked_of_a_fenced_node);
    }
    waiting
}

/// What to go on with now: for each backing store that nothing is done to, what is due first.
fn due(
    cp: &ControlPlane,
    state: &State,
    node: &NodeId,
    waiting: Vec<Step>,
    running: &HashSet<AttachmentKey>,
    now: Timestamp,
) -> Vec<Step> {
    let mut near: HashMap<PluginId, bool> = HashMap::new();
    let mut first: BTreeMap<AttachmentKey, Step> = BTreeMap::new();
    for step in waiting {
        let plugin = step.plugin();
        let is_near = *near
            .entry(plugin.clone())
            .or_insert_with(|| cp.drivers.node(state, plugin, node).is_some());
        let key = step.key();
        if !is_near || running.contains(&key) || !step.tries().are_due(now) {
            continue;
        }
        let earlier = first
            .get(&key)
            .is_some_and(|other| other.since() <= step.since());
        if !earlier {
            first.insert(key, step);
        }
    }
    first.into_values().collect()
}
