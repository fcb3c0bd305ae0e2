//! What becomes of the rows after a try of a step on a node.

use super::attach::named;
use super::mount::{Done, Tried};
use super::node::Step;
use super::record::Failure;
use crate::attachment::{self, Attachment, Target};
use crate::claim::moves::Moves;
use crate::claim::{Claim, Event};
use crate::control::ControlPlane;
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::state::{State, Stored};
use crate::store::{Guard, Transaction, keys};
use crate::volume::Volume;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What becomes of the rows. Nothing, if they have moved on meanwhile: then what was tried is undone,
/// or done, by the steps that follow.
pub(super) fn outcome(
    cp: &ControlPlane,
    state: &State,
    step: &Step,
    done: &Done,
) -> Result<Option<Transaction>> {
    let boot = &done.boot;
    let mut moves = Moves::at(cp, state);
    let moved = match step {
        Step::Stage(on) | Step::Expand(on) | Step::Clear(on) | Step::Unstage(on) => {
            let Some(seen) = state
                .attachment(&on.row.key)
                .filter(|seen| seen.row.id == on.row.id && is_still(state, seen, step))
                .filter(|seen| targets(&seen.row) == targets(&on.row))
            else {
                return Ok(None);
            };
            let although_fenced = seen.row.awaits_node(state);
            match step {
                Step::Expand(_) => expanded(cp, state, &mut moves, seen, &done.tried)?,
                Step::Clear(_) => cleared(cp, &mut moves, seen, &done.tried)?,
                _ => staged(cp, &mut moves, seen, step, done)?,
            }
            guard_boot(&mut moves, state, &on.row.key.node, boot, although_fenced)
        }
        Step::Publish(on) | Step::Unpublish(on) => {
            let still = |seen: &&Arc<Stored<Claim>>| {
                let now = Step::of_claim(state, seen);
                now.is_some_and(|now| same_kind(&now, step))
                    && seen.row.attachment == on.row.attachment
            };
            let Some(seen) = state.claim(&on.row.key()).filter(still) else {
                return Ok(None);
            };
            claimed(cp, &mut moves, seen, step, done)?;
            guard_boot(&mut moves, state, &on.row.node, boot, false)
        }
    };
    Ok(moved.then(|| moves.into_transaction()))
}

/// What was done in one boot of a node counts in that boot only, and only what is asked of a fenced node
/// counts while it is fenced. Whether this is so.
fn guard_boot(
    moves: &mut Moves<'_>,
    state: &State,
    node: &NodeId,
    boot: &str,
    although_fenced: bool,
) -> bool {
    let Some(stored) = state.node(node) else {
        return false;
    };
    moves.guard(Guard::At(keys::node(node), stored.modified));
    stored.row.boot_id == boot && (although_fenced || stored.row.fenced.is_none())
}

/// What a fence passed over: it is taken down as it was known when that was tried.
fn targets(row: &Attachment) -> Option<&BTreeSet<Target>> {
    row.left.as_ref().map(|left| &left.targets)
}

fn is_still(state: &State, seen: &Arc<Stored<Attachment>>, step: &Step) -> bool {
    Step::of_attachment(state, seen).is_some_and(|now| same_kind(&now, step))
}

fn same_kind(one: &Step, other: &Step) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn staged(
    cp: &ControlPlane,
    moves: &mut Moves<'_>,
    seen: &Stored<Attachment>,
    step: &Step,
    done: &Done,
) -> Result<()> {
    let mut changed = seen.row.clone();
    match &done.tried {
        Tried::Done(()) => {
            let event = match step {
                Step::Stage(_) => {
                    changed.boot.clone_from(&done.boot);
                    attachment::Event::Staged
                }
                _ => {
                    changed.left = None;
                    attachment::Event::Unstaged
                }
            };
            moves.happen(seen, changed, event)?;
        }
        Tried::Refused(Failure { error, code }) => {
            moves.refuse(seen, &named(error, &seen.row), code.as_deref())?;
        }
        Tried::Unclear(failure) => {
            failure.count(cp, &mut changed.tries);
            if let Some(left) = &mut changed.left {
                // Where the node is fenced, it is the turn of the controller.
                left.refused = false;
            }
            moves.put_attachment(seen, changed)?;
        }
    }
    Ok(())
}

fn expanded(
    cp: &ControlPlane,
    state: &State,
    moves: &mut Moves<'_>,
    seen: &Stored<Attachment>,
    tried: &Tried,
) -> Result<()> {
    let mut changed = seen.row.clone();
    let Some(expansion) = &mut changed.expansion else {
        return Ok(());
    };
    match tried {
        Tried::Done(_) => {
            changed.expansion = None;
            moves.grown(seen, state)?;
        }
        Tried::Refused(failure) => {
            failure.count(cp, &mut expansion.tries);
            expansion.refused = Some(named(&failure.error, &seen.row));
        }
        Tried::Unclear(failure) => failure.count(cp, &mut expansion.tries),
    }
    moves.put_attachment(seen, changed)
}

fn cleared(
    cp: &ControlPlane,
    moves: &mut Moves<'_>,
    seen: &Stored<Attachment>,
    tried: &Tried,
) -> Result<()> {
    let mut changed = seen.row.clone();
    match tried {
        Tried::Done(()) => {
            changed.left = changed.left.filter(|left| left.incomplete);
            changed
                .left
                .iter_mut()
                .for_each(|left| left.targets.clear());
            changed.tries = Default::default();
        }
        Tried::Refused(failure) | Tried::Unclear(failure) => {
            failure.count(cp, &mut changed.tries);
        }
    }
    moves.put_attachment(seen, changed)
}

fn claimed(
    cp: &ControlPlane,
    moves: &mut Moves<'_>,
    seen: &Stored<Claim>,
    step: &Step,
    done: &Done,
) -> Result<()> {
    let mut changed = seen.row.clone();
    if done.made.is_some() {
        changed.made_folder.clone_from(&done.made);
    }
    match &done.tried {
        Tried::Done(()) => match step {
            Step::Publish(_) => {
                let next = changed.stage.next(changed.is_leaving(), Event::Published);
                changed.stage = next.unwrap_or(changed.stage);
                changed.since = cp.clock.now();
                changed.tries = Default::default();
                changed.boot.clone_from(&done.boot);
                moves.put(seen, changed)
            }
            _ => moves.unpublish(seen, changed),
        },
        Tried::Refused(failure) => {
            changed.failure = Some(about_claim(&failure.error, &seen.row));
            changed.failure_code.clone_from(&failure.code);
            changed.tries = Default::default();
            moves.put(seen, changed)
        }
        Tried::Unclear(failure) => {
            failure.count(cp, &mut changed.tries);
            moves.put(seen, changed)
        }
    }
}

fn about_claim(error: &Error, claim: &Claim) -> Error {
    let error = error.clone().volume(&claim.volume.id).plugin(&claim.plugin);
    error.node(&claim.node).claim(&claim.allocation)
}

impl Moves<'_> {
    /// The node did its part of a growth: no later stage has to, unless another node still does.
    fn grown(&mut self, seen: &Stored<Attachment>, state: &State) -> Result<()> {
        let key = &seen.row.key;
        let mut others = state
            .attachments_of(&key.plugin, &key.external_id)
            .filter(|other| other.row.key != *key);
        if others.any(|other| other.row.expansion.is_some()) {
            return Ok(());
        }
        let backing = state.backing(&key.plugin, &key.external_id);
        let volumes = backing.into_iter().flat_map(|backing| &backing.row.volumes);
        for volume in volumes.filter_map(|key| state.volume(key)) {
            let seen = volume.stored();
            if seen.row.node_expansion_pending {
                let grown = Volume {
                    node_expansion_pending: false,
                    ..seen.row
                };
                self.put_volume(seen.modified, &grown)?;
            }
        }
        Ok(())
    }
}
