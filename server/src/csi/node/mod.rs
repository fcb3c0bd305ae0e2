//! The Node service: volumes on the host beside the driver.

mod publish;
mod stage;
mod volume;

pub use publish::{NodePublishVolume, NodeUnpublishVolume};
pub use stage::{NodeStageVolume, NodeUnstageVolume};
pub use volume::{NodeExpandVolume, NodeGetVolumeStats, Unit, Usage, VolumeStats};

use super::{Call, CallError, Connection, NodeCapabilities, Secrets, Topology, v1};

/// The node that a driver serves (CSI `NodeGetInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeIdentity {
    /// The driver's id of the node. May be empty, which CSI forbids.
    pub id: String,
    /// The most volumes of this driver that it can hold; 0 or less for no limit.
    pub max_volumes: i64,
    /// Where it is.
    pub accessible_topology: Option<Topology>,
}

impl Connection {
    /// CSI `NodeGetCapabilities`.
    pub async fn node_capabilities(&self) -> Result<NodeCapabilities, CallError> {
        let answer = self
            .call(
                Call::NodeGetCapabilities,
                &Secrets::none(),
                v1::NodeGetCapabilitiesRequest {},
            )
            .await?;
        Ok(NodeCapabilities::from_message(answer))
    }

    /// CSI `NodeGetInfo`.
    pub async fn node_info(&self) -> Result<NodeIdentity, CallError> {
        let answer = self
            .call(
                Call::NodeGetInfo,
                &Secrets::none(),
                v1::NodeGetInfoRequest {},
            )
            .await?;
        Ok(NodeIdentity {
            id: answer.node_id,
            max_volumes: answer.max_volumes_per_node,
            accessible_topology: answer.accessible_topology.map(Topology::from_message),
        })
    }
}
