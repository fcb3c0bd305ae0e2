//! Claims: who uses a volume.

use crate::id::{AllocationId, NodeId, VolumeKey};
use crate::volume::Capability;
use serde::{Deserialize, Serialize};

/// A claim as it is stored: while its row is there, the volume is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Claim {
    /// The volume used.
    pub volume: VolumeKey,
    /// The allocation that uses it.
    pub allocation: AllocationId,
    /// Where.
    pub node: NodeId,
    /// Whether it only reads.
    pub read_only: bool,
    /// How it uses the volume.
    pub capability: Capability,
}
