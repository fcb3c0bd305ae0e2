//! What CSI allows on a node:
//!
//! - NodeStageVolume comes when the controller published the volume there, with what it answered;
//! - a volume has one staging path on a node, and is published from there;
//! - NodeUnstageVolume comes when nothing is published there;
//! - writers and users are as many as the access mode allows.

use super::context_of;
use super::storage::{Answer, Storage, Text, breach, mode_of, refuse};
use saddlebag::csi::v1;
use std::collections::BTreeMap;
use tonic::Code;
use v1::volume_capability::access_mode::Mode;

/// A volume on a node.
#[derive(Clone, Debug, Default)]
pub struct OnNode {
    pub staged: Option<Staged>,
    /// Whether each target path is for reading only.
    pub targets: BTreeMap<String, bool>,
}

/// How a volume is staged.
#[derive(Clone, Debug, PartialEq)]
pub struct Staged {
    pub path: String,
    pub capability: v1::VolumeCapability,
    pub publish_context: Text,
}

impl OnNode {
    /// Whether nothing of it is there.
    pub fn is_clear(&self) -> bool {
        self.staged.is_none() && self.targets.is_empty()
    }
}

impl Storage {
    pub fn stage(
        &mut self,
        node: &str,
        asked: &v1::NodeStageVolumeRequest,
    ) -> Answer<v1::NodeStageVolumeResponse> {
        let id = &asked.volume_id;
        let is_vouched = self.is_vouched(node, id);
        let disk = self.disk(id, &asked.secrets)?;
        let Some(publication) = disk.published.get(node) else {
            if is_vouched {
                return refuse(Code::FailedPrecondition, "it is not attached any more");
            }
            return breach(format!(
                "{id} was to be staged on {node} before it was published to it"
            ));
        };
        let wanted = Staged {
            path: asked.staging_target_path.clone(),
            capability: publication.capability.clone(),
            publish_context: publication.context.clone(),
        };
        if asked.volume_capability.as_ref() != Some(&wanted.capability)
            || asked.publish_context != wanted.publish_context
            || asked.volume_context != context_of(id)
        {
            return breach(format!(
                "{id} was to be staged in another way than it was published"
            ));
        }
        let here = disk.nodes.entry(node.to_owned()).or_default();
        match &here.staged {
            Some(there) if *there != wanted => {
                breach(format!("{id} is staged on {node} in another way or place"))
            }
            _ => {
                here.staged = Some(wanted);
                Ok(v1::NodeStageVolumeResponse {})
            }
        }
    }

    pub fn unstage(
        &mut self,
        node: &str,
        asked: &v1::NodeUnstageVolumeRequest,
    ) -> Answer<v1::NodeUnstageVolumeResponse> {
        let (id, path) = (&asked.volume_id, &asked.staging_target_path);
        let here = self
            .disks
            .get_mut(id)
            .and_then(|disk| disk.nodes.get_mut(node));
        let Some(here) = here else {
            return Ok(v1::NodeUnstageVolumeResponse {});
        };
        if !here.targets.is_empty() {
            return breach(format!(
                "{id} was to be unstaged on {node} while it is published there"
            ));
        }
        if here
            .staged
            .as_ref()
            .is_some_and(|staged| staged.path != *path)
        {
            return breach(format!(
                "{id} was to be unstaged on {node} elsewhere than it is staged"
            ));
        }
        here.staged = None;
        Ok(v1::NodeUnstageVolumeResponse {})
    }

    pub fn publish(
        &mut self,
        node: &str,
        asked: &v1::NodePublishVolumeRequest,
    ) -> Answer<v1::NodePublishVolumeResponse> {
        let (id, target) = (&asked.volume_id, &asked.target_path);
        for (other, disk) in self.disks.iter().filter(|(other, _)| *other != id) {
            let there = disk.nodes.get(node);
            if there.is_some_and(|there| there.targets.contains_key(target)) {
                return breach(format!(
                    "{target} on {node} is the place of {other}, not of {id}"
                ));
            }
        }
        let disk = self.disk(id, &asked.secrets)?;
        let writes_elsewhere = disk.nodes.iter().any(|(other, there)| {
            other != node && there.targets.values().any(|readonly| !readonly)
        });
        let Some(here) = disk.nodes.get_mut(node) else {
            return breach(format!(
                "{id} was to be published on {node} before it was staged"
            ));
        };
        let Some(staged) = &here.staged else {
            return breach(format!(
                "{id} was to be published on {node} before it was staged"
            ));
        };
        let wanted = Staged {
            path: asked.staging_target_path.clone(),
            capability: asked.volume_capability.clone().unwrap_or_default(),
            publish_context: asked.publish_context.clone(),
        };
        if *staged != wanted || asked.volume_context != context_of(id) {
            return breach(format!(
                "{id} was to be published in another way than it was staged"
            ));
        }
        if let Some(readonly) = here.targets.get(target) {
            return match *readonly == asked.readonly {
                true => Ok(v1::NodePublishVolumeResponse {}),
                false => breach(format!("{id} is published at {target} in another way")),
            };
        }
        let mode = mode_of(&wanted.capability);
        let fits = match mode {
            Mode::SingleNodeReaderOnly | Mode::MultiNodeReaderOnly => asked.readonly,
            Mode::SingleNodeSingleWriter => here.targets.is_empty(),
            Mode::MultiNodeSingleWriter => asked.readonly || !writes_elsewhere,
            _ => true,
        };
        if !fits {
            return breach(format!(
                "{mode:?} does not allow {id} at {target} on {node}"
            ));
        }
        here.targets.insert(target.clone(), asked.readonly);
        Ok(v1::NodePublishVolumeResponse {})
    }

    pub fn unpublish(
        &mut self,
        node: &str,
        asked: &v1::NodeUnpublishVolumeRequest,
    ) -> Answer<v1::NodeUnpublishVolumeResponse> {
        let disk = self.disks.get_mut(&asked.volume_id);
        if let Some(here) = disk.and_then(|disk| disk.nodes.get_mut(node)) {
            here.targets.remove(&asked.target_path);
        }
        Ok(v1::NodeUnpublishVolumeResponse {})
    }

    pub fn expand(
        &mut self,
        node: &str,
        asked: &v1::NodeExpandVolumeRequest,
    ) -> Answer<v1::NodeExpandVolumeResponse> {
        let id = &asked.volume_id;
        let disk = self.disk(id, &asked.secrets)?;
        let bytes = disk.bytes;
        let Some(here) = disk.nodes.get(node).filter(|here| here.staged.is_some()) else {
            return breach(format!(
                "{id} was to grow on {node}, where it is not staged"
            ));
        };
        let path = &asked.volume_path;
        let is_staging = here
            .staged
            .as_ref()
            .is_some_and(|staged| staged.path == *path);
        if !is_staging && !here.targets.contains_key(path) {
            return refuse(Code::NotFound, "nothing is published there");
        }
        if asked.capacity_range.map_or(0, |range| range.required_bytes) > bytes {
            return breach(format!(
                "{id} was to grow on {node} before it grew at the controller"
            ));
        }
        Ok(v1::NodeExpandVolumeResponse {
            capacity_bytes: bytes,
        })
    }
}
