//! The word of an operator about a node.

use crate::control::ControlPlane;
use crate::error::{Fault, Result};
use crate::id::NodeId;
use crate::store::Index;

/// Notes that a node uses no volume any more and will not until it is booted anew, whatever it did
/// last. What is claimed there is released: its drivers' Node services are not asked, the
/// controllers are. An empty reason is refused.
pub async fn fence(_cp: &ControlPlane, _node: &NodeId, _reason: &str) -> Result<Index> {
    Err(Fault::Internal.into())
}

/// Takes that back: the node takes claims again. One that is not fenced stays as it is.
pub async fn unfence(_cp: &ControlPlane, _node: &NodeId) -> Result<Index> {
    Err(Fault::Internal.into())
}
