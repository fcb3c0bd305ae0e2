//! The Identity service: who the driver is and whether it is ready.

use super::{Call, CallError, Connection, Secrets, v1};
use v1::plugin_capability::{Type, service::Type as Service, volume_expansion::Type as Expansion};

/// Who a driver says it is (CSI `GetPluginInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginInfo {
    /// The driver's name; Nomad's Provider. May be empty, which CSI forbids.
    pub name: String,
    /// The driver's own version.
    pub vendor_version: String,
}

/// What a driver as a whole can do (CSI `GetPluginCapabilities`). What is unknown here is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginCapabilities {
    /// It has a Controller service.
    pub controller_service: bool,
    /// Its volumes cannot be reached from everywhere.
    pub volume_accessibility_constraints: bool,
    /// It has a GroupController service.
    pub group_controller_service: bool,
    /// It has a SnapshotMetadata service.
    pub snapshot_metadata_service: bool,
    /// Its snapshots cannot be used everywhere.
    pub snapshot_accessibility_constraints: bool,
    /// Volumes can grow while they are published.
    pub online_expansion: bool,
    /// Volumes can grow while they are not published.
    pub offline_expansion: bool,
}

impl Connection {
    /// CSI `Probe`: whether the driver is ready. A driver that does not say is.
    pub async fn probe(&self) -> Result<bool, CallError> {
        let answer = self
            .call(Call::Probe, &Secrets::none(), v1::ProbeRequest {})
            .await?;
        Ok(answer.ready.unwrap_or(true))
    }

    /// CSI `GetPluginInfo`.
    pub async fn plugin_info(&self) -> Result<PluginInfo, CallError> {
        let answer = self
            .call(
                Call::GetPluginInfo,
                &Secrets::none(),
                v1::GetPluginInfoRequest {},
            )
            .await?;
        Ok(PluginInfo {
            name: answer.name,
            vendor_version: answer.vendor_version,
        })
    }

    /// CSI `GetPluginCapabilities`.
    pub async fn plugin_capabilities(&self) -> Result<PluginCapabilities, CallError> {
        let answer = self
            .call(
                Call::GetPluginCapabilities,
                &Secrets::none(),
                v1::GetPluginCapabilitiesRequest {},
            )
            .await?;
        let mut known = PluginCapabilities::default();
        for capability in answer.capabilities.into_iter().filter_map(|c| c.r#type) {
            match capability {
                Type::Service(service) => match service.r#type() {
                    Service::Unknown => {}
                    Service::ControllerService => known.controller_service = true,
                    Service::VolumeAccessibilityConstraints => {
                        known.volume_accessibility_constraints = true;
                    }
                    Service::GroupControllerService => known.group_controller_service = true,
                    Service::SnapshotMetadataService => known.snapshot_metadata_service = true,
                    Service::SnapshotAccessibilityConstraints => {
                        known.snapshot_accessibility_constraints = true;
                    }
                },
                Type::VolumeExpansion(expansion) => match expansion.r#type() {
                    Expansion::Unknown => {}
                    Expansion::Online => known.online_expansion = true,
                    Expansion::Offline => known.offline_expansion = true,
                },
            }
        }
        Ok(known)
    }
}
