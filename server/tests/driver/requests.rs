//! Short ways to write requests.

use super::rig::NODE;
use saddlebag::csi::v1::{
    volume_capability::{AccessMode, AccessType, BlockVolume, MountVolume, access_mode::Mode},
    *,
};

pub fn mount(mode: Mode) -> VolumeCapability {
    VolumeCapability {
        access_mode: Some(AccessMode { mode: mode.into() }),
        access_type: Some(AccessType::Mount(MountVolume::default())),
    }
}

pub fn block(mode: Mode) -> VolumeCapability {
    VolumeCapability {
        access_mode: Some(AccessMode { mode: mode.into() }),
        access_type: Some(AccessType::Block(BlockVolume {})),
    }
}

pub fn directory() -> VolumeCapability {
    mount(Mode::SingleNodeWriter)
}

pub fn raw() -> VolumeCapability {
    block(Mode::SingleNodeWriter)
}

pub fn exactly(bytes: i64) -> CapacityRange {
    CapacityRange {
        required_bytes: bytes,
        limit_bytes: bytes,
    }
}

pub fn at_least(bytes: i64) -> CapacityRange {
    CapacityRange {
        required_bytes: bytes,
        limit_bytes: 0,
    }
}

pub fn wanting(name: &str, bytes: i64, capability: VolumeCapability) -> CreateVolumeRequest {
    CreateVolumeRequest {
        name: name.into(),
        capacity_range: Some(at_least(bytes)),
        volume_capabilities: vec![capability],
        ..Default::default()
    }
}

pub fn from_volume(volume_id: &str) -> Option<VolumeContentSource> {
    use volume_content_source::{Type, VolumeSource};
    let volume_id = volume_id.into();
    Some(VolumeContentSource {
        r#type: Some(Type::Volume(VolumeSource { volume_id })),
    })
}

pub fn from_snapshot(snapshot_id: &str) -> Option<VolumeContentSource> {
    use volume_content_source::{SnapshotSource, Type};
    let snapshot_id = snapshot_id.into();
    Some(VolumeContentSource {
        r#type: Some(Type::Snapshot(SnapshotSource { snapshot_id })),
    })
}

pub fn attaching(volume_id: &str, capability: VolumeCapability) -> ControllerPublishVolumeRequest {
    ControllerPublishVolumeRequest {
        volume_id: volume_id.into(),
        node_id: NODE.into(),
        volume_capability: Some(capability),
        ..Default::default()
    }
}

pub fn staging_at(
    volume_id: &str,
    path: &str,
    capability: VolumeCapability,
) -> NodeStageVolumeRequest {
    NodeStageVolumeRequest {
        volume_id: volume_id.into(),
        staging_target_path: path.into(),
        volume_capability: Some(capability),
        ..Default::default()
    }
}

pub fn publishing_at(
    volume_id: &str,
    staging: &str,
    target: &str,
    capability: VolumeCapability,
) -> NodePublishVolumeRequest {
    NodePublishVolumeRequest {
        volume_id: volume_id.into(),
        staging_target_path: staging.into(),
        target_path: target.into(),
        volume_capability: Some(capability),
        ..Default::default()
    }
}

/// A directory with mount flags.
pub fn with_flags(flags: &[&str]) -> VolumeCapability {
    let mut capability = directory();
    if let Some(volume_capability::AccessType::Mount(mount)) = &mut capability.access_type {
        mount.mount_flags = flags.iter().map(|flag| flag.to_string()).collect();
    }
    capability
}
