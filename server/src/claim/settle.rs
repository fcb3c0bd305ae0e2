//! What becomes of claims and attachments without asking a driver: by what is known already.

use super::moves::Moves;
use super::{Claim, Event, OnReboot, Release, Stage};
use crate::attachment::{self, Attachment};
use crate::control::ControlPlane;
use crate::error::Result;
use crate::node::Node;
use crate::state::{State, Stored};
use crate::store::{Guard, Transaction};

/// What releases a claim when no client does.
const BY_FENCE: &str = "fence of its node";
const BY_REBOOT: &str = "reboot of its node";

/// What is to be done for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settling {
    /// Its node is fenced: it uses nothing there any more.
    Fence,
    /// Its node was booted anew since it was published.
    Reboot,
    /// It waits for an attachment, and there is one, or there may be.
    Tie,
    /// It waits for an attachment that failed.
    Fail,
    /// It is leaving, and nothing was ever published for it.
    Unpublish,
    /// Nothing holds it any more.
    End,
}

/// The changes that are due for a claim by what this state shows; `None`: nothing is.
pub(crate) fn settle_claim(
    cp: &ControlPlane,
    state: &State,
    seen: &Stored<Claim>,
) -> Result<Option<Transaction>> {
    let Some(settling) = settling(state, &seen.row) else {
        return Ok(None);
    };
    let mut moves = Moves::at(cp, state);
    let mut claim = seen.row.clone();
    let mut release = |by: &str| {
        claim.release.get_or_insert(Release {
            by: by.to_owned(),
            at: cp.clock.now(),
        });
    };
    match settling {
        Settling::Fence => {
            release(BY_FENCE);
            guard_node(&mut moves, state, &seen.row);
            moves.pass_over(seen, claim)?;
        }
        Settling::Reboot => {
            if claim.on_reboot == OnReboot::Release {
                release(BY_REBOOT);
            }
            let next = claim.stage.next(claim.is_leaving(), Event::Rebooted);
            claim.stage = next.unwrap_or(claim.stage);
            claim.since = cp.clock.now();
            claim.tries = Default::default();
            state.boot_of(&claim.node).clone_into(&mut claim.boot);
            guard_node(&mut moves, state, &seen.row);
            moves.put(seen, claim)?;
        }
        Settling::Tie => moves.tie(seen)?,
        Settling::Fail => {
            if let Some(attachment) = state.attachment(&claim.attachment_key()) {
                let failed = moves.failed(&claim, &attachment.row);
                moves.put(seen, failed)?;
            }
        }
        Settling::Unpublish => moves.unpublish(seen, claim)?,
        Settling::End => moves.end(seen, claim)?,
    }
    Ok(Some(moves.into_transaction()))
}

/// The changes that are due for an attachment by what this state shows; `None`: nothing is.
pub(crate) fn settle_attachment(
    cp: &ControlPlane,
    state: &State,
    seen: &Stored<Attachment>,
) -> Result<Option<Transaction>> {
    let row = &seen.row;
    let Some(event) = evident(state, row) else {
        return Ok(None);
    };
    let mut moves = Moves::at(cp, state);
    if let Some(stored) = state.node(&row.key.node) {
        let at = crate::store::keys::node(&row.key.node);
        moves.guard(Guard::At(at, stored.modified));
    }
    let mut changed = row.clone();
    state.boot_of(&row.key.node).clone_into(&mut changed.boot);
    match event {
        attachment::Event::Fenced => {
            changed.left.get_or_insert_default();
        }
        _ => changed.left = None,
    }
    Ok(moves
        .happen(seen, changed, event)?
        .map(|()| moves.into_transaction()))
}

/// What is known to have happened to an attachment.
fn evident(state: &State, row: &Attachment) -> Option<attachment::Event> {
    let node = &state.node(&row.key.node)?.row;
    let may_be_staged = matches!(
        row.stage,
        attachment::Stage::Attached | attachment::Stage::Staged
    );
    if may_be_staged && row.leaving && node.fenced.is_some() && !is_needed(state, row) {
        return Some(attachment::Event::Fenced);
    }
    let may_be_there = row.stage == attachment::Stage::Staged || row.left.is_some();
    (may_be_there && is_another_boot(&row.boot, node)).then_some(attachment::Event::Rebooted)
}

/// Whether a volume is published, may be, or is to be, for a claim that holds this attachment.
pub(crate) fn is_needed(state: &State, attachment: &Attachment) -> bool {
    state
        .users(&attachment.key)
        .any(|user| user.row.attachment == Some(attachment.id) && user.row.needs_its_attachment())
}

fn settling(state: &State, claim: &Claim) -> Option<Settling> {
    let node = state.node(&claim.node).map(|stored| &stored.row);
    let may_be_there = claim.needs_its_attachment();
    if may_be_there && node.is_some_and(|node| node.fenced.is_some()) {
        return Some(Settling::Fence);
    }
    if may_be_there && node.is_some_and(|node| is_another_boot(&claim.boot, node)) {
        return Some(Settling::Reboot);
    }
    let there = state
        .attachment(&claim.attachment_key())
        .map(|there| &there.row);
    let Some(held) = claim.attachment else {
        return match (claim.is_leaving(), there) {
            (true, _) => Some(Settling::End),
            (false, Some(there)) if there.leaving => None,
            (false, _) => Some(Settling::Tie),
        };
    };
    let Some(attachment) = there.filter(|there| there.id == held) else {
        let released = claim.is_leaving() && claim.stage != Stage::Published;
        return released.then_some(Settling::End);
    };
    if claim.stage == Stage::Unpublished && attachment.stage == attachment::Stage::Detached {
        return Some(Settling::End);
    }
    if claim.stage != Stage::Taken {
        return None;
    }
    if attachment.failure.is_some() {
        return Some(Settling::Fail);
    }
    let was_never_staged = attachment.stage != attachment::Stage::Staged;
    (claim.is_leaving() && was_never_staged).then_some(Settling::Unpublish)
}

/// Whether the node is known to have been booted anew since that boot.
pub(crate) fn is_another_boot(boot: &str, node: &Node) -> bool {
    !boot.is_empty() && !node.boot_id.is_empty() && boot != node.boot_id
}

fn guard_node(moves: &mut Moves<'_>, state: &State, claim: &Claim) {
    if let Some(stored) = state.node(&claim.node) {
        let at = crate::store::keys::node(&claim.node);
        moves.guard(Guard::At(at, stored.modified));
    }
}
