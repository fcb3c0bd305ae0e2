//! The calls of CSI, by CSI's own names.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A call to a driver.
#[allow(
    missing_docs,
    reason = "each is the RPC of that name in the CSI specification"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Call {
    Probe,
    GetPluginInfo,
    GetPluginCapabilities,

    ControllerGetCapabilities,
    CreateVolume,
    DeleteVolume,
    ControllerPublishVolume,
    ControllerUnpublishVolume,
    ValidateVolumeCapabilities,
    ListVolumes,
    ControllerGetVolume,
    ControllerListVolumeHealth,
    ControllerGetVolumeHealth,
    GetCapacity,
    CreateSnapshot,
    DeleteSnapshot,
    ListSnapshots,
    GetSnapshot,
    ControllerExpandVolume,

    NodeGetCapabilities,
    NodeGetInfo,
    NodeStageVolume,
    NodeUnstageVolume,
    NodePublishVolume,
    NodeUnpublishVolume,
    NodeExpandVolume,
    NodeGetVolumeStats,
    NodeGetVolumeHealth,
}

impl Call {
    /// Every call that is made.
    pub const ALL: [Self; 28] = [
        Self::Probe,
        Self::GetPluginInfo,
        Self::GetPluginCapabilities,
        Self::ControllerGetCapabilities,
        Self::CreateVolume,
        Self::DeleteVolume,
        Self::ControllerPublishVolume,
        Self::ControllerUnpublishVolume,
        Self::ValidateVolumeCapabilities,
        Self::ListVolumes,
        Self::ControllerGetVolume,
        Self::ControllerListVolumeHealth,
        Self::ControllerGetVolumeHealth,
        Self::GetCapacity,
        Self::CreateSnapshot,
        Self::DeleteSnapshot,
        Self::ListSnapshots,
        Self::GetSnapshot,
        Self::ControllerExpandVolume,
        Self::NodeGetCapabilities,
        Self::NodeGetInfo,
        Self::NodeStageVolume,
        Self::NodeUnstageVolume,
        Self::NodePublishVolume,
        Self::NodeUnpublishVolume,
        Self::NodeExpandVolume,
        Self::NodeGetVolumeStats,
        Self::NodeGetVolumeHealth,
    ];

    /// Whether it is part of discovery. Such a call is short, changes nothing, and does not wait for
    /// one of the plugin's [`Limits`](super::Limits): a driver that is busy is not unhealthy.
    pub const fn is_discovery(self) -> bool {
        matches!(
            self,
            Self::Probe
                | Self::GetPluginInfo
                | Self::GetPluginCapabilities
                | Self::ControllerGetCapabilities
                | Self::NodeGetCapabilities
                | Self::NodeGetInfo
        )
    }

    /// Whether it changes nothing, and somebody waits for its answer.
    pub const fn is_question(self) -> bool {
        matches!(
            self,
            Self::ListVolumes
                | Self::ListSnapshots
                | Self::GetSnapshot
                | Self::GetCapacity
                | Self::ControllerGetVolume
                | Self::ControllerListVolumeHealth
                | Self::ControllerGetVolumeHealth
                | Self::NodeGetVolumeStats
                | Self::NodeGetVolumeHealth
        )
    }

    /// Whether it reads a list in pages.
    pub const fn is_list(self) -> bool {
        matches!(
            self,
            Self::ListVolumes | Self::ListSnapshots | Self::ControllerListVolumeHealth
        )
    }

    /// Whether it gives something up that a node holds. It is tried until the driver says OK: there
    /// is no error after which it may be left undone.
    pub const fn is_release(self) -> bool {
        matches!(
            self,
            Self::ControllerUnpublishVolume | Self::NodeUnpublishVolume | Self::NodeUnstageVolume
        )
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
