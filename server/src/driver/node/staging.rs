//! Staging: the step between attaching a volume to the node and publishing it there.
//!
//! Only the order is kept: nothing is mounted at a staging path, since a local directory needs no
//! preparation.

use crate::{
    csi::v1::{
        NodeStageVolumeRequest, NodeStageVolumeResponse, NodeUnstageVolumeRequest,
        NodeUnstageVolumeResponse,
    },
    driver::{
        Driver, Refusal,
        capability::Capability,
        controller::required,
        mounting::checked_path,
        pending::Subject,
        record::{Attachment, Staging, Volume},
    },
};
use std::sync::Arc;

impl Driver {
    pub(super) fn node_stage_volume(
        self: &Arc<Self>,
        request: NodeStageVolumeRequest,
    ) -> Result<NodeStageVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let path = request.staging_target_path;
        let directory = checked_path("staging_target_path", &path, self.root.path())?;
        let capability = Capability::required(request.volume_capability.as_ref())?;
        let _turn = self.pending.hold(Subject::Volume(id.clone()))?;
        let volume = self.known_volume(&id)?;
        let attachment = self.attachment_here(&volume)?;
        if !capability.agrees_with(&attachment.capability) {
            return Err(Refusal::Precondition(format!(
                "volume {id} was published to this node with another access type or mode"
            )));
        }
        match &volume.staging {
            Some(staging) if staging.path != path => Err(Refusal::Precondition(format!(
                "volume {id} is staged at {:?} already",
                staging.path
            ))),
            Some(staging) if staging.capability != capability => Err(Refusal::Exists {
                what: format!("a staging of volume {id} at {path:?}"),
                difference: "another capability".into(),
            }),
            Some(_) => Ok(NodeStageVolumeResponse {}),
            None if !directory.is_dir() => Err(Refusal::invalid(
                "staging_target_path",
                "is no directory on this node",
            )),
            None => {
                let mut staged = Volume::clone(&volume);
                staged.staging = Some(Staging { path, capability });
                self.update(staged)?;
                Ok(NodeStageVolumeResponse {})
            }
        }
    }

    /// How a volume is attached to this node.
    pub(super) fn attachment_here<'a>(
        &self,
        volume: &'a Volume,
    ) -> Result<&'a Attachment, Refusal> {
        let attachment = volume.attachments.get(&self.options.node_id);
        attachment.ok_or_else(|| {
            Refusal::Precondition(format!(
                "volume {} is not published to this node by the controller",
                volume.id
            ))
        })
    }

    pub(super) fn node_unstage_volume(
        self: &Arc<Self>,
        request: NodeUnstageVolumeRequest,
    ) -> Result<NodeUnstageVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let path = required("staging_target_path", request.staging_target_path)?;
        let _turn = self.pending.hold(Subject::Volume(id.clone()))?;
        let volume = self.known_volume(&id)?;
        if volume
            .staging
            .as_ref()
            .is_none_or(|staging| staging.path != path)
        {
            return Ok(NodeUnstageVolumeResponse {});
        }
        if let Some(target) = volume.publications.keys().next() {
            return Err(Refusal::Precondition(format!(
                "volume {id} is still published at {target:?}"
            )));
        }
        let mut unstaged = Volume::clone(&volume);
        unstaged.staging = None;
        self.update(unstaged)?;
        Ok(NodeUnstageVolumeResponse {})
    }
}
