//! Publishing to a node: which node may stage and use a volume, and how.

use super::volume::{check_content, required};
use crate::{
    csi::v1::{
        ControllerPublishVolumeRequest, ControllerPublishVolumeResponse,
        ControllerUnpublishVolumeRequest, ControllerUnpublishVolumeResponse,
    },
    driver::{
        Driver, Refusal,
        capability::Capability,
        pending::Subject,
        record::{Attachment, Volume},
    },
};
use std::sync::Arc;

impl Driver {
    pub(super) fn controller_publish_volume(
        self: &Arc<Self>,
        request: ControllerPublishVolumeRequest,
    ) -> Result<ControllerPublishVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let node = required("node_id", request.node_id)?;
        let attachment = Attachment {
            capability: Capability::required(request.volume_capability.as_ref())?,
            readonly: request.readonly,
        };
        let _turn = self.pending.hold(Subject::Volume(id.clone()))?;
        let volume = self.known_volume(&id)?;
        if node != self.options.node_id {
            return Err(Refusal::NoNode(node));
        }
        check_content(&volume, attachment.capability.content)?;
        match volume.attachments.get(&node) {
            Some(existing) if *existing == attachment => {}
            Some(_) => {
                return Err(Refusal::Exists {
                    what: format!("a publication of volume {id} to node {node:?}"),
                    difference: "another capability or readonly flag".into(),
                });
            }
            None => {
                check_other_nodes(&volume, &attachment)?;
                let _place = self.place_on_node()?;
                let mut attached = Volume::clone(&volume);
                attached.attachments.insert(node, attachment);
                self.update(attached)?;
            }
        }
        Ok(ControllerPublishVolumeResponse {
            publish_context: Default::default(),
        })
    }

    pub(super) fn controller_unpublish_volume(
        self: &Arc<Self>,
        request: ControllerUnpublishVolumeRequest,
    ) -> Result<ControllerUnpublishVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let _turn = self.pending.hold(Subject::Volume(id.clone()))?;
        let Some(volume) = self.inventory.volume(&id) else {
            return Ok(ControllerUnpublishVolumeResponse {});
        };
        let mut detached = Volume::clone(&volume);
        detached
            .attachments
            .retain(|node, _| !request.node_id.is_empty() && *node != request.node_id);
        if detached.attachments.len() == volume.attachments.len() {
            return Ok(ControllerUnpublishVolumeResponse {});
        }
        let leaves_this_node = !detached.attachments.contains_key(&self.options.node_id);
        let used_here = !volume.publications.is_empty() || volume.staging.is_some();
        if leaves_this_node && used_here {
            return Err(Refusal::Precondition(format!(
                "volume {id} is still {}",
                volume.in_use().unwrap_or_default()
            )));
        }
        self.update(detached)?;
        Ok(ControllerUnpublishVolumeResponse {})
    }

    /// Sets a place on the node aside for one more volume, until the answer is dropped.
    fn place_on_node(self: &Arc<Self>) -> Result<Place, Refusal> {
        let mut tables = self.inventory.tables();
        if let Some(most) = self.options.max_volumes_per_node {
            let node = &self.options.node_id;
            let attached = tables.volumes.from("");
            let attached = attached.filter(|volume| volume.attachments.contains_key(node));
            if attached.count() + tables.reserved_attachments >= most as usize {
                return Err(Refusal::Exhausted(format!(
                    "node {node:?} has {most} volumes attached, as many as it may have"
                )));
            }
        }
        tables.reserved_attachments += 1;
        Ok(Place(self.clone()))
    }
}

/// A place set aside on the node.
struct Place(Arc<Driver>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.inventory.tables().reserved_attachments -= 1;
    }
}

/// Refuses to share a volume between nodes unless every use of it allows that. Another node is
/// possible only when the driver was started with another node id on the same root.
fn check_other_nodes(volume: &Volume, wanted: &Attachment) -> Result<(), Refusal> {
    let alone = |attachment: &Attachment| !attachment.capability.mode.is_multi_node();
    let mut others = volume.attachments.iter();
    match others.find(|(_, other)| alone(other) || alone(wanted)) {
        None => Ok(()),
        Some((node, _)) => Err(Refusal::Precondition(format!(
            "volume {} is published to node {node:?} already",
            volume.id
        ))),
    }
}
