//! Detaching a volume from a node.

use crate::claim::{self, Claim};
use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result};
use crate::id::{NodeId, VolumeKey};
use crate::operation::verbs::Deadline;
use crate::state::State;
use crate::store::Index;

/// Sees that nothing on the node uses the volume, and answers the commit that this is seen at: the
/// release of claims that are finished is tried again now, and awaited. While claims there are live it
/// says which, and changes nothing.
pub async fn detach(
    cp: &ControlPlane,
    key: &VolumeKey,
    node: &NodeId,
    deadline: Deadline,
) -> Result<Index> {
    let state = cp.state();
    let about = |fault: Fault| Error::from(fault).volume(&key.id).node(node);
    if state.volume(key).is_none() {
        return Err(about(Fault::NoVolumeToDetach));
    }
    let (finished, live): (Vec<&Claim>, Vec<&Claim>) = state
        .claims(key)
        .filter(|claim| &claim.node == node)
        .partition(|claim| claim.is_leaving());
    if !live.is_empty() {
        let live: Vec<_> = live.iter().map(|claim| claim.allocation.as_str()).collect();
        return Err(about(Fault::ClaimsLive(format!(
            "volume {:?} is in use on node {node} by {}",
            key.id.as_str(),
            live.join(", ")
        ))));
    }
    if finished.is_empty() {
        return Ok(state.volumes_index);
    }
    claim::retry(cp, key).await?;
    for claim in finished {
        if !claim::await_end(cp, &claim.key(), deadline).await {
            return Err(still_there(&cp.state(), claim).volume(&key.id).node(node));
        }
    }
    Ok(cp.state().volumes_index)
}

/// Why a claim has not ended yet.
fn still_there(state: &State, claim: &Claim) -> Error {
    let attachment = state.attachment(&claim.attachment_key());
    let tries = [
        state.claim(&claim.key()).map(|seen| &seen.row.tries),
        attachment.map(|seen| &seen.row.tries),
    ];
    let trouble = tries
        .into_iter()
        .flatten()
        .find_map(|tries| tries.trouble.as_ref());
    let error = match trouble {
        Some(trouble) => trouble.error.clone(),
        None => Fault::StillReleasing {
            what: format!("the release of volume {:?}", claim.volume.id.as_str()),
            why: "the driver has not answered yet".to_owned(),
        }
        .into(),
    };
    error.claim(&claim.allocation)
}
