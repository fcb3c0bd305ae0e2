//! Nodes: the hosts beside which drivers run.

use crate::id::NodeId;
use serde::{Deserialize, Serialize};

/// A node as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// Its host name.
    pub name: String,
}
