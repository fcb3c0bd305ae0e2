//! What a volume on this node holds, how it fares, and how large it has become.

use crate::{
    csi::v1::{
        NodeExpandVolumeRequest, NodeExpandVolumeResponse, NodeGetStorageHealthRequest,
        NodeGetStorageHealthResponse, NodeGetVolumeHealthRequest, NodeGetVolumeHealthResponse,
        NodeGetVolumeStatsRequest, NodeGetVolumeStatsResponse, VolumeUsage, volume_usage::Unit,
    },
    driver::{
        Driver, Refusal,
        capability::{Capability, Content},
        capacity::Range,
        controller::{check_content, required, signed},
        health::Ailments,
        record::Volume,
        refusal::Doing,
    },
};
use std::sync::Arc;

impl Driver {
    pub(super) fn node_get_volume_stats(
        self: &Arc<Self>,
        request: NodeGetVolumeStatsRequest,
    ) -> Result<NodeGetVolumeStatsResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let path = required("volume_path", request.volume_path)?;
        let volume = self.known_volume(&id)?;
        let content = content_at(&volume, &path)?;
        let mut ailments = self.node_ailments(&volume);
        let usage = match content {
            Content::Directory => self.directory_usage(&volume, &mut ailments)?,
            Content::File => vec![VolumeUsage {
                total: signed(volume.bytes),
                unit: Unit::Bytes.into(),
                ..VolumeUsage::default()
            }],
        };
        Ok(NodeGetVolumeStatsResponse {
            usage,
            volume_condition: Some(ailments.condition()),
        })
    }

    /// Bytes against the volume's capacity, inodes against the file system's; of neither more is
    /// available than the file system has.
    fn directory_usage(
        &self,
        volume: &Volume,
        ailments: &mut Ailments,
    ) -> Result<Vec<VolumeUsage>, Refusal> {
        let root = self.root.path();
        let numbers = rustix::fs::statvfs(root).doing("measure", root)?;
        let used = self.measure(volume, ailments)?;
        let free = numbers.f_bavail.saturating_mul(numbers.f_frsize);
        let bytes = VolumeUsage {
            available: signed(volume.bytes.saturating_sub(used.bytes).min(free)),
            total: signed(volume.bytes),
            used: signed(used.bytes),
            unit: Unit::Bytes.into(),
        };
        let inodes = VolumeUsage {
            available: signed(numbers.f_favail),
            total: signed(used.inodes.saturating_add(numbers.f_favail)),
            used: signed(used.inodes),
            unit: Unit::Inodes.into(),
        };
        Ok(vec![bytes, inodes])
    }

    pub(super) fn node_get_volume_health(
        self: &Arc<Self>,
        request: NodeGetVolumeHealthRequest,
    ) -> Result<NodeGetVolumeHealthResponse, Refusal> {
        let volume = self.known_volume(&required("volume_id", request.volume_id)?)?;
        let mut ailments = self.node_ailments(&volume);
        if ailments.is_empty() && volume.contents.contains(&Content::Directory) {
            self.measure(&volume, &mut ailments)?;
        }
        Ok(NodeGetVolumeHealthResponse {
            volume_health: Some(ailments.into_health(&volume.id)),
        })
    }

    pub(super) fn node_get_storage_health(
        self: &Arc<Self>,
        _: NodeGetStorageHealthRequest,
    ) -> Result<NodeGetStorageHealthResponse, Refusal> {
        Ok(NodeGetStorageHealthResponse {
            backend_health: self.storage_ailments(),
        })
    }

    /// The controller's expansion is all there is to do; this confirms it.
    pub(super) fn node_expand_volume(
        self: &Arc<Self>,
        request: NodeExpandVolumeRequest,
    ) -> Result<NodeExpandVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let path = required("volume_path", request.volume_path)?;
        let range = Range::parse(request.capacity_range.as_ref())?;
        let volume = self.known_volume(&id)?;
        content_at(&volume, &path)?;
        if let Some(sent) = &request.volume_capability {
            check_content(&volume, Capability::parse(sent)?.content)?;
        }
        if range.grow(volume.bytes)? > volume.bytes {
            return Err(Refusal::OutOfRange(format!(
                "volume {id} has {} bytes; ControllerExpandVolume makes it larger",
                volume.bytes
            )));
        }
        Ok(NodeExpandVolumeResponse {
            capacity_bytes: signed(volume.bytes),
        })
    }
}

/// What of a volume is at a path where it was staged or published.
fn content_at(volume: &Volume, path: &str) -> Result<Content, Refusal> {
    if let Some(publication) = volume.publications.get(path) {
        return Ok(publication.capability.content);
    }
    match &volume.staging {
        Some(staging) if staging.path == path => Ok(staging.capability.content),
        _ => Err(Refusal::NotAtPath {
            volume: volume.id.clone(),
            path: path.into(),
        }),
    }
}
