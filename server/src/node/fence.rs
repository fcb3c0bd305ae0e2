//! The word of an operator about a node.

use super::{Fenced, Node};
use crate::acl::asker;
use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result};
use crate::id::NodeId;
use crate::state::Stored;
use crate::store::{Guard, Index, Transaction, keys};

/// Notes that a node uses no volume any more and will not until it is booted anew, whatever it did
/// last. What is claimed there is released: its drivers' controllers are asked, and no Node service is
/// waited for; what may be there still is taken down if the node answers all the same. An empty reason is refused; fencing a fenced node changes nothing.
pub async fn fence(cp: &ControlPlane, node: &NodeId, reason: &str) -> Result<Index> {
    if reason.is_empty() {
        return Err(Error::from(Fault::NoFenceReason).node(node));
    }
    change(cp, node, |seen| {
        let fenced = Fenced {
            reason: reason.to_owned(),
            by: asker(),
            at: cp.clock.now(),
        };
        seen.fenced.is_none().then(|| Node {
            fenced: Some(fenced),
            ..seen.clone()
        })
    })
    .await
}

/// Takes that back: the node takes claims again, and is asked first to take down what the fence passed
/// over, unless it was booted anew. One that is not fenced stays as it is.
pub async fn unfence(cp: &ControlPlane, node: &NodeId) -> Result<Index> {
    change(cp, node, |seen| {
        seen.fenced.is_some().then(|| Node {
            fenced: None,
            ..seen.clone()
        })
    })
    .await
}

/// Commits what `changed` makes of a node; answers its newest commit.
async fn change(
    cp: &ControlPlane,
    node: &NodeId,
    changed: impl Fn(&Node) -> Option<Node>,
) -> Result<Index> {
    loop {
        let state = cp.state();
        let Some(Stored { row, modified, .. }) = state.node(node) else {
            return Err(Error::from(Fault::NodeNotFound(node.to_string())).node(node));
        };
        let Some(row) = changed(row) else {
            return Ok(*modified);
        };
        let mut transaction = Transaction::default();
        let at = keys::node(node);
        transaction.guards.push(Guard::At(at.clone(), *modified));
        transaction.put(at, &row)?;
        if let Some(index) = cp.commit(transaction).await? {
            return Ok(index);
        }
    }
}
