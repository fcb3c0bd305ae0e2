//! A node as it is stored.

use crate::id::NodeId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A node as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// Its host name.
    pub name: String,
    /// Tells one boot of the host from another (Linux: `/proc/sys/kernel/random/boot_id`). Empty where
    /// that is not known: then no reboot is ever concluded, and an operator has to fence the node.
    #[serde(default)]
    pub boot_id: String,
    /// Where it keeps its data: default target paths and staging paths are below.
    #[serde(default)]
    pub data_dir: PathBuf,
    /// Below which folders clients may name target paths.
    #[serde(default)]
    pub target_roots: Vec<PathBuf>,
    /// Whether somebody vouches that it uses no volume any more.
    #[serde(default)]
    pub fenced: Option<Fenced>,
}

/// The word of an operator that a node uses no volume any more and will not until it is booted anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fenced {
    /// The operator's words.
    pub reason: String,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}
