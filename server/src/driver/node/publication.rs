//! Publishing: a volume appears at a target path.
//!
//! The record is written before anything appears and removed after everything is gone, so what a
//! crash leaves behind is always known: the same call again completes it, the opposite undoes it.

use crate::{
    csi::v1::{
        NodePublishVolumeRequest, NodePublishVolumeResponse, NodeUnpublishVolumeRequest,
        NodeUnpublishVolumeResponse,
    },
    driver::{
        Driver, Refusal,
        capability::Capability,
        controller::required,
        mounting::{self, Publishing, checked_path},
        pending::Subject,
        record::{Publication, Volume},
    },
};
use std::{path::Path, sync::Arc};

impl Driver {
    pub(super) fn node_publish_volume(
        self: &Arc<Self>,
        request: NodePublishVolumeRequest,
    ) -> Result<NodePublishVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let target = request.target_path;
        checked_path("target_path", &target, self.root.path())?;
        let publication = Publication {
            capability: Capability::required(request.volume_capability.as_ref())?,
            readonly: request.readonly,
        };
        let _turn = self.pending.hold(Subject::Volume(id.clone()))?;
        let _target_turn = self.pending.hold(Subject::TargetPath(target.clone()))?;
        let volume = self.known_volume(&id)?;
        self.check_staged(&volume, &request.staging_target_path, &publication)?;
        match volume.publications.get(&target) {
            Some(existing) if *existing != publication => Err(Refusal::Exists {
                what: format!("a publication of volume {id} at {target:?}"),
                difference: "another capability or readonly flag".into(),
            }),
            Some(_) => self.appear(&volume, &target, &publication),
            None => {
                self.check_target(&volume, &target, &publication)?;
                self.publish_anew(&volume, &target, publication)
            }
        }?;
        Ok(NodePublishVolumeResponse {})
    }

    fn check_staged(
        &self,
        volume: &Volume,
        path: &str,
        publication: &Publication,
    ) -> Result<(), Refusal> {
        let refuse = |why: &str| Err(Refusal::Precondition(format!("volume {} {why}", volume.id)));
        if path.is_empty() {
            return refuse("must be staged first: staging_target_path is missing");
        }
        self.attachment_here(volume)?;
        match &volume.staging {
            None => refuse("is not staged"),
            Some(staging) if staging.path != path => refuse("is staged at another path"),
            Some(staging) if !publication.capability.agrees_with(&staging.capability) => {
                refuse("is staged with another access type or mode")
            }
            Some(_) => Ok(()),
        }
    }

    /// Refuses a second target path where the mode allows one, a path of another volume, and a
    /// path without a parent.
    fn check_target(
        &self,
        volume: &Volume,
        target: &str,
        publication: &Publication,
    ) -> Result<(), Refusal> {
        if let Some(other) = volume.publications.keys().next()
            && !publication.capability.mode.allows_many_targets()
        {
            return Err(Refusal::Precondition(format!(
                "volume {} is published at {other:?} and its mode allows one path only",
                volume.id
            )));
        }
        if let Some(other) = self.inventory.tables().volume_at(target) {
            return Err(Refusal::Precondition(format!(
                "volume {other} is published at {target:?}"
            )));
        }
        if !Path::new(target).parent().is_some_and(Path::is_dir) {
            return Err(Refusal::invalid(
                "target_path",
                "has no parent directory on this node",
            ));
        }
        Ok(())
    }

    fn publish_anew(
        &self,
        volume: &Volume,
        target: &str,
        publication: Publication,
    ) -> Result<(), Refusal> {
        let mut published = volume.clone();
        published
            .publications
            .insert(target.into(), publication.clone());
        self.update(published)?;
        self.appear(volume, target, &publication)
            .or_else(|refusal| {
                let data = self.content_path(volume, publication.capability.content);
                if mounting::withdraw(&data, Path::new(target)).is_ok() {
                    self.update(volume.clone())?;
                }
                Err(refusal)
            })
    }

    fn appear(
        &self,
        volume: &Volume,
        target: &str,
        publication: &Publication,
    ) -> Result<(), Refusal> {
        let capability = &publication.capability;
        let attached_readonly = self.attachment_here(volume)?.readonly;
        self.mounting.publish(&Publishing {
            content: capability.content,
            from: &self.content_path(volume, capability.content),
            target: Path::new(target),
            readonly: publication.readonly || attached_readonly || capability.mode.is_reader_only(),
            mount_flags: &capability.mount_flags,
        })
    }

    pub(super) fn node_unpublish_volume(
        self: &Arc<Self>,
        request: NodeUnpublishVolumeRequest,
    ) -> Result<NodeUnpublishVolumeResponse, Refusal> {
        let id = required("volume_id", request.volume_id)?;
        let target = required("target_path", request.target_path)?;
        let _turn = self.pending.hold(Subject::Volume(id.clone()))?;
        let _target_turn = self.pending.hold(Subject::TargetPath(target.clone()))?;
        let volume = self.known_volume(&id)?;
        if let Some(publication) = volume.publications.get(&target) {
            let data = self.content_path(&volume, publication.capability.content);
            mounting::withdraw(&data, Path::new(&target))?;
            let mut withdrawn = Volume::clone(&volume);
            withdrawn.publications.remove(&target);
            self.update(withdrawn)?;
        }
        Ok(NodeUnpublishVolumeResponse {})
    }
}
