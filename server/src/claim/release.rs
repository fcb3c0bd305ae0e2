//! Giving a claim back.

use super::{ClaimKey, Release};
use crate::acl::asker;
use crate::claim::moves::Moves;
use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result};
use crate::id::{AllocationId, VolumeKey};
use crate::operation::verbs::Deadline;
use crate::operation::{Subject, verbs};
use crate::state::{Interest, State};
use crate::store::{Guard, Index, Transaction};
use std::collections::BTreeSet;

/// How many rows one commit of [`retry`] makes due.
const KICKED_AT_ONCE: usize = 50;

/// Asks for the release of a claim, and waits until it has ended or until the deadline: when that ends
/// the work goes on, which is no error. Answers the newest commit to the claim. One that has ended is
/// released already.
pub async fn release(
    cp: &ControlPlane,
    volume: &VolumeKey,
    allocation: &AllocationId,
    deadline: Deadline,
) -> Result<Index> {
    let key = (volume.clone(), allocation.clone());
    loop {
        let state = cp.state();
        if let Some(ended) = state.ended_claim(&key) {
            return Ok(ended.modified);
        }
        let Some(seen) = state.claim(&key) else {
            let error = Error::from(Fault::ClaimNotFound);
            return Err(error.volume(&volume.id).claim(allocation));
        };
        if seen.row.is_leaving() {
            break;
        }
        let mut claim = seen.row.clone();
        claim.release = Some(Release {
            by: asker(),
            at: cp.clock.now(),
        });
        claim.tries = Default::default();
        let mut moves = Moves::at(cp, &state);
        moves.put(seen, claim)?;
        if cp.commit(moves.into_transaction()).await?.is_some() {
            break;
        }
    }
    await_end(cp, &key, deadline).await;
    let state = cp.state();
    let ended = state.ended_claim(&key).map(|ended| ended.modified);
    let live = || state.claim(&key).map(|live| live.modified);
    Ok(ended.or_else(live).unwrap_or(state.claims_index))
}

/// Waits until a claim has ended, or the deadline; says whether it has.
pub(crate) async fn await_end(cp: &ControlPlane, key: &ClaimKey, deadline: Deadline) -> bool {
    let mut watch = cp.live.watch(Interest::Claim(key.clone()));
    let ended = async {
        while cp.state().claim(key).is_some() {
            tokio::select! {
                () = watch.changed() => {}
                () = cp.stopping.cancelled() => return false,
            }
        }
        true
    };
    deadline.bound(ended).await.unwrap_or(false)
}

/// Makes everything that is unfinished of a volume due now: its operation, its claims, their
/// attachments. Answers the commit, or the newest to the volume if nothing waits.
pub async fn retry(cp: &ControlPlane, volume: &VolumeKey) -> Result<Index> {
    let state = cp.state();
    if state.volume(volume).is_none() && state.claims_of(volume).next().is_none() {
        let error = Error::from(Fault::VolumeNotFound(volume.id.to_string()));
        return Err(error.volume(&volume.id));
    }
    let mut newest = state
        .volume(volume)
        .map_or(state.volumes_index, |entry| entry.modified);
    if let Some(doing) = state.doing(&Subject::Volume(volume.clone())) {
        match verbs::retry(cp, doing.row.id).await {
            Ok(index) => newest = newest.max(index),
            Err(error) if matches!(error.fault, Fault::OperationEnded(_)) => {}
            Err(error) => return Err(error),
        }
    }
    loop {
        let state = cp.state();
        let transaction = kicks(cp, &state, volume)?;
        if transaction.writes.is_empty() {
            return Ok(newest);
        }
        if let Some(index) = cp.commit(transaction).await? {
            newest = newest.max(index);
        }
    }
}

/// The rows of a volume that wait for a later try, due now.
fn kicks(cp: &ControlPlane, state: &State, volume: &VolumeKey) -> Result<Transaction> {
    let now = cp.clock.now();
    let mut transaction = Transaction::default();
    for stored in state.claims_of(volume) {
        let mut claim = stored.row.clone();
        if claim.tries.kick(now) && transaction.writes.len() < KICKED_AT_ONCE {
            let at = Guard::At(claim.row_key(), stored.modified);
            transaction.guards.push(at);
            transaction.put(claim.row_key(), &claim)?;
        }
    }
    let mut backings: BTreeSet<_> = state
        .claims(volume)
        .map(|claim| (claim.plugin.clone(), claim.external_id.clone()))
        .collect();
    backings.extend(state.volume(volume).map(|entry| {
        let volume = &entry.stored().row;
        (volume.plugin.clone(), volume.remote_id())
    }));
    let attachments = backings
        .iter()
        .flat_map(|(plugin, external)| state.attachments_of(plugin, external));
    for stored in attachments {
        let mut attachment = stored.row.clone();
        let mut kicked = attachment.tries.kick(now);
        if let Some(expansion) = &mut attachment.expansion {
            kicked |= expansion.refused.take().is_some() || expansion.tries.kick(now);
        }
        if kicked && transaction.writes.len() < KICKED_AT_ONCE {
            let at = Guard::At(attachment.key.row_key(), stored.modified);
            transaction.guards.push(at);
            transaction.put(attachment.key.row_key(), &attachment)?;
        }
    }
    Ok(transaction)
}
