//! Detaching a volume from a node.

use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result};
use crate::id::{NodeId, VolumeKey};
use crate::operation::verbs::Deadline;
use crate::store::Index;

/// Sees that nothing on the node uses the volume, and answers the commit that this is seen at. While
/// claims there are live it says which, and changes nothing.
pub async fn detach(
    cp: &ControlPlane,
    key: &VolumeKey,
    node: &NodeId,
    _deadline: Deadline,
) -> Result<Index> {
    let state = cp.state();
    if state.volume(key).is_none() {
        return Err(Error::from(Fault::NoVolumeToDetach)
            .volume(&key.id)
            .node(node));
    }
    let live: Vec<&str> = state
        .claims(key)
        .filter(|claim| &claim.node == node)
        .map(|claim| claim.allocation.as_str())
        .collect();
    if live.is_empty() {
        return Ok(state.volumes_index);
    }
    let text = format!(
        "volume {:?} is in use on node {node} by {}",
        key.id.as_str(),
        live.join(", ")
    );
    Err(Error::from(Fault::ClaimsLive(text))
        .volume(&key.id)
        .node(node))
}
