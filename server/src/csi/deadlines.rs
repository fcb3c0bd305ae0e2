//! How long a driver may take.

use super::Call;
use std::time::Duration;

/// The longest that one call may take, from asking to the answer, the wait for its turn included. The
/// driver is told (gRPC `grpc-timeout`). A call that took longer has an unclear outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// `Probe`. Default 5 s.
    pub probe: Duration,
    /// The other calls of discovery: information and capabilities. Default 5 s.
    pub info: Duration,
    /// Lists, and questions that change nothing. Default 1 min.
    pub list: Duration,
    /// Changes at the controller. Default 2 min.
    pub controller: Duration,
    /// Changes on a node. Default 2 min.
    pub node: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            probe: Duration::from_secs(5),
            info: Duration::from_secs(5),
            list: Duration::from_secs(60),
            controller: Duration::from_secs(120),
            node: Duration::from_secs(120),
        }
    }
}

impl Deadlines {
    /// The deadline of this call.
    pub fn of(&self, call: Call) -> Duration {
        match call {
            Call::Probe => self.probe,
            Call::GetPluginInfo
            | Call::GetPluginCapabilities
            | Call::ControllerGetCapabilities
            | Call::NodeGetCapabilities
            | Call::NodeGetInfo => self.info,
            Call::ListVolumes
            | Call::ControllerGetVolume
            | Call::ControllerListVolumeHealth
            | Call::ControllerGetVolumeHealth
            | Call::GetCapacity
            | Call::ListSnapshots
            | Call::GetSnapshot
            | Call::NodeGetVolumeStats
            | Call::NodeGetVolumeHealth => self.list,
            Call::CreateVolume
            | Call::DeleteVolume
            | Call::ControllerPublishVolume
            | Call::ControllerUnpublishVolume
            | Call::ValidateVolumeCapabilities
            | Call::CreateSnapshot
            | Call::DeleteSnapshot
            | Call::ControllerExpandVolume => self.controller,
            Call::NodeStageVolume
            | Call::NodeUnstageVolume
            | Call::NodePublishVolume
            | Call::NodeUnpublishVolume
            | Call::NodeExpandVolume => self.node,
        }
    }
}
