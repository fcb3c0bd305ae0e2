//! Taking a claim.

use super::admission::admit;
use super::settle::is_another_boot;
use super::{Claim, ClaimKey, ClaimRequest, Ended};
use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result};
use crate::id::{AllocationId, NodeId, VolumeKey};
use crate::operation::verbs::Deadline;
use crate::state::{Interest, State};
use crate::store::Index;
use std::sync::Arc;

/// Claims a volume on a node, and waits until it is published there, until a driver refused the claim for
/// good, or until the deadline: when that ends the work goes on, which is no error. Answers the newest
/// commit to the claim. The error of a claim that was refused is the driver's; what was done for it is
/// still being undone then.
///
/// The same request again joins the claim. Another one by the same allocation, or one by an allocation
/// whose claim has ended, is refused.
pub async fn take(
    cp: &ControlPlane,
    volume: &VolumeKey,
    mut request: ClaimRequest,
    deadline: Deadline,
) -> Result<(Index, AllocationId)> {
    let allocation = request
        .allocation
        .get_or_insert_with(|| AllocationId::known(cp.chance.uuid().to_string()))
        .clone();
    let key = (volume.clone(), allocation.clone());
    loop {
        let state = cp.state();
        if is_known(cp, &state, &key, &request)? {
            break;
        }
        let node = node_of(&state, &request)?;
        let request = ClaimRequest {
            node: Some(node.clone()),
            ..request.clone()
        };
        let transaction = admit(cp, &state, volume, &allocation, &node, request)?;
        if cp.commit(transaction).await?.is_some() {
            break;
        }
    }
    let index = await_published(cp, &key, deadline).await?;
    Ok((index, allocation))
}

/// Whether the allocation has this very claim already. The error says that it has, or had, another.
fn is_known(
    cp: &ControlPlane,
    state: &State,
    key: &ClaimKey,
    request: &ClaimRequest,
) -> Result<bool> {
    let (volume, allocation) = key;
    let conflict = |text: String| {
        let error = Error::from(Fault::ClaimConflict(text));
        Err(error.volume(&volume.id).claim(allocation))
    };
    if let Some(ended) = state.ended_claim(key) {
        let how = match ended.row.end() {
            Some(Ended::Failed) => "failed",
            Some(Ended::Released) | None => "was released",
        };
        return conflict(format!(
            "the claim of volume {:?} by allocation {allocation} {how}: use another AllocationID for a new one",
            volume.id.as_str()
        ));
    }
    let Some(known) = state.claim(key).map(|stored| &stored.row) else {
        return Ok(false);
    };
    let asked = ClaimRequest {
        node: request.node.clone().or_else(|| known.request.node.clone()),
        ..request.clone()
    };
    let options = known.asked_options.as_ref();
    let options = options.map(|options| options.open(cp, volume));
    let known_request = ClaimRequest {
        mount_options: options.transpose()?,
        ..known.request.clone()
    };
    if known.dropped || known_request != asked {
        return conflict(format!(
            "allocation {allocation} has another claim of volume {:?} already",
            volume.id.as_str()
        ));
    }
    if known.release.is_some() {
        return conflict(format!(
            "the claim of volume {:?} by allocation {allocation} is being released",
            volume.id.as_str()
        ));
    }
    Ok(true)
}

/// The node that is asked for, or the only one.
fn node_of(state: &State, request: &ClaimRequest) -> Result<NodeId> {
    if let Some(node) = &request.node {
        return Ok(node.clone());
    }
    let mut nodes = state.nodes();
    match (nodes.next(), nodes.next()) {
        (Some(only), None) => Ok(only.row.id.clone()),
        _ => {
            let text = "NodeID has to be said: there is more than one node".to_owned();
            Err(Fault::RefusedLocally(text).into())
        }
    }
}

/// Waits until a claim is at rest, was refused, has ended, or the deadline.
async fn await_published(cp: &ControlPlane, key: &ClaimKey, deadline: Deadline) -> Result<Index> {
    let mut watch = cp.live.watch(Interest::Claim(key.clone()));
    let settled = async {
        loop {
            let state = cp.state();
            if let Some(answer) = answer(&state, key) {
                return answer;
            }
            tokio::select! {
                () = watch.changed() => {}
                () = cp.stopping.cancelled() => return so_far(&cp.state(), key),
            }
        }
    };
    match deadline.bound(settled).await {
        Some(answer) => answer,
        None => so_far(&cp.state(), key),
    }
}

/// What there is to be said of a claim that is at rest, was refused, or has ended.
fn answer(state: &State, key: &ClaimKey) -> Option<Result<Index>> {
    let goes_on = state.claim(key).is_some_and(|live| {
        let live = &live.row;
        live.failure.is_none() && !(live.is_at_rest() && is_of_this_boot(state, live))
    });
    (!goes_on).then(|| so_far(state, key))
}

/// Whether what a claim's row says of its mount holds in this boot of its node.
fn is_of_this_boot(state: &State, claim: &Claim) -> bool {
    let node = state.node(&claim.node);
    !node.is_some_and(|node| is_another_boot(&claim.boot, &node.row))
}

/// What there is to be said of a claim now.
fn so_far(state: &State, key: &ClaimKey) -> Result<Index> {
    let (volume, allocation) = key;
    let about = |error: Error| error.volume(&volume.id).claim(allocation);
    let live = state.claim(key).map(Arc::as_ref);
    let ended = state.ended_claim(key).map(Arc::as_ref);
    let Some(seen) = live.or(ended) else {
        return Err(about(Fault::ClaimNotFound.into()));
    };
    let Claim {
        failure, release, ..
    } = &seen.row;
    match (failure, release) {
        (Some(failure), _) => Err(about(failure.clone())),
        (None, Some(release)) => Err(about(
            Fault::ClaimConflict(format!(
                "the claim of volume {:?} by allocation {allocation} was released meanwhile: {}",
                volume.id.as_str(),
                release.by
            ))
            .into(),
        )),
        (None, None) => Ok(seen.modified),
    }
}
