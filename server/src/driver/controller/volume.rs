//! Volumes: showing, growing, changing and removing them.

use crate::{
    csi::v1::{
        self, ControllerExpandVolumeRequest, ControllerExpandVolumeResponse,
        ControllerModifyVolumeRequest, ControllerModifyVolumeResponse, DeleteVolumeRequest,
        DeleteVolumeResponse,
    },
    driver::{
        Driver, Refusal,
        capability::{Capability, Content},
        capacity::Range,
        parameters,
        pending::Subject,
        record::{Record, Source, Volume},
        refusal::Doing,
        root,
    },
};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

impl Driver {
    /// A volume as CSI shows it.
    pub(super) fn describe(&self, volume: &Volume) -> v1::Volume {
        v1::Volume {
            capacity_bytes: signed(volume.bytes),
            volume_id: volume.id.clone(),
            volume_context: Default::default(),
            content_source: volume.source.as_ref().map(Source::describe),
            accessible_topology: vec![self.topology()],
        }
    }

    pub(super) fn delete_volume(
        self: &Arc<Self>,
        request: DeleteVolumeRequest,
    ) -> Result<DeleteVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let _turn = self.pending.hold_alone(Subject::Volume(id.clone()))?;
        let Some(volume) = self.inventory.volume(&id) else {
            return Ok(DeleteVolumeResponse {});
        };
        if let Some(used) = volume.in_use() {
            return Err(Refusal::Precondition(format!("volume {id} is {used}")));
        }
        let leftover = self.root.discard::<Volume>(&id)?;
        self.inventory.tables().remove_volume(&id);
        root::erase(&leftover);
        Ok(DeleteVolumeResponse {})
    }

    pub(super) fn controller_expand_volume(
        self: &Arc<Self>,
        request: ControllerExpandVolumeRequest,
    ) -> Result<ControllerExpandVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let range = Range::required(request.capacity_range.as_ref())?;
        let _turn = self.pending.hold(Subject::Volume(id.clone()))?;
        let volume = self.known_volume(&id)?;
        if let Some(sent) = &request.volume_capability {
            check_content(&volume, Capability::parse(sent)?.content)?;
        }
        let bytes = range.grow(volume.bytes)?;
        if bytes > volume.bytes {
            self.check_size(bytes)?;
            let _reserved = self.reserve(bytes - volume.bytes)?;
            if volume.contents.contains(&Content::File) {
                resize(&self.content_path(&volume, Content::File), bytes)?;
            }
            let mut grown = Volume::clone(&volume);
            grown.bytes = bytes;
            self.update(grown)?;
        }
        Ok(ControllerExpandVolumeResponse {
            capacity_bytes: signed(bytes),
            node_expansion_required: false,
        })
    }

    pub(super) fn controller_modify_volume(
        self: &Arc<Self>,
        request: ControllerModifyVolumeRequest,
    ) -> Result<ControllerModifyVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let _turn = self.pending.hold(Subject::Volume(id.clone()))?;
        let volume = self.known_volume(&id)?;
        let wanted = parameters::parse_mutable(request.mutable_parameters)?;
        if let Some(mode) = parameters::mode(&wanted)? {
            for content in &volume.contents {
                let path = self.content_path(&volume, *content);
                parameters::set_mode(*content, &path, mode)?;
                root::sync(&path).doing("write", &path)?;
            }
        }
        Ok(ControllerModifyVolumeResponse {})
    }

    /// The volume of an id, or CSI's `NOT_FOUND`.
    pub(in crate::driver) fn known_volume(&self, id: &str) -> Result<Arc<Volume>, Refusal> {
        let volume = self.inventory.volume(id);
        volume.ok_or_else(|| Refusal::NoVolume(id.into()))
    }

    /// Makes a changed record the truth: on disk, then in memory.
    pub(in crate::driver) fn update(&self, volume: Volume) -> Result<(), Refusal> {
        self.root.save(&volume)?;
        self.inventory.tables().put_volume(volume);
        Ok(())
    }

    /// Where a part of a volume's data lies.
    pub(in crate::driver) fn content_path(&self, volume: &Volume, content: Content) -> PathBuf {
        self.root.place::<Volume>(volume.id()).join(content.entry())
    }
}

/// A string that must not be empty.
pub(in crate::driver) fn required(field: &'static str, sent: String) -> Result<String, Refusal> {
    if sent.is_empty() {
        return Err(Refusal::Missing(field));
    }
    Ok(sent)
}

/// Refuses a use that the volume was not made for.
pub(in crate::driver) fn check_content(volume: &Volume, content: Content) -> Result<(), Refusal> {
    if volume.contents.contains(&content) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "volume_capability",
        format!(
            "asks for {}, which volume {} lacks",
            content.access_type(),
            volume.id
        ),
    ))
}

/// Bytes as CSI counts them.
pub(in crate::driver) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Gives a raw file its size. It stays sparse.
pub(super) fn resize(path: &Path, bytes: u64) -> Result<(), Refusal> {
    let file = File::options().write(true).open(path).doing("open", path)?;
    file.set_len(bytes).doing("resize", path)?;
    file.sync_all().doing("resize", path)
}
