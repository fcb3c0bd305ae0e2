//! Preparing volumes on a node, once for all their users there.

use crate::csi::{
    Call, CallError, Capability, Connection, PublishContext, Refused, Secrets,
    answer::done_if_not_found, refused::required, v1, volume::hashed,
};
use std::collections::BTreeMap;

/// A volume to prepare on a node, once for all its users there.
#[derive(Clone, Debug)]
pub struct NodeStageVolume {
    /// The driver's id.
    pub external_id: String,
    /// What the controller said at publish.
    pub publish_context: PublishContext,
    /// Where.
    pub staging_target_path: String,
    /// How it is to be used.
    pub capability: Capability,
    /// For the driver only.
    pub secrets: Secrets,
    /// What the driver said of the volume at its creation.
    pub volume_context: BTreeMap<String, String>,
}

impl NodeStageVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)?;
        required(&self.staging_target_path, Refused::MissingStagingTargetPath)
    }
}

/// A volume that no user on the node needs any more.
#[derive(Clone, Debug, Default)]
pub struct NodeUnstageVolume {
    /// The driver's id.
    pub external_id: String,
    /// Where it was staged.
    pub staging_target_path: String,
}

impl NodeUnstageVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)?;
        required(&self.staging_target_path, Refused::MissingStagingTargetPath)
    }
}

impl Connection {
    /// CSI `NodeStageVolume`.
    pub async fn node_stage_volume(&self, stage: &NodeStageVolume) -> Result<(), CallError> {
        let call = Call::NodeStageVolume;
        stage.check().map_err(|refused| refused.of(call))?;
        let question = v1::NodeStageVolumeRequest {
            volume_id: stage.external_id.clone(),
            publish_context: stage.publish_context.to_message(),
            staging_target_path: stage.staging_target_path.clone(),
            volume_capability: Some(stage.capability.to_message()),
            secrets: stage.secrets.to_message(),
            volume_context: hashed(&stage.volume_context),
        };
        let confidential = stage
            .secrets
            .and(&stage.publish_context, [&stage.capability]);
        self.call(call, &confidential, question).await.map(drop)
    }

    /// CSI `NodeUnstageVolume`. What the driver does not know is not staged.
    pub async fn node_unstage_volume(&self, unstage: &NodeUnstageVolume) -> Result<(), CallError> {
        let call = Call::NodeUnstageVolume;
        unstage.check().map_err(|refused| refused.of(call))?;
        let question = v1::NodeUnstageVolumeRequest {
            volume_id: unstage.external_id.clone(),
            staging_target_path: unstage.staging_target_path.clone(),
        };
        done_if_not_found(self.call(call, &Secrets::none(), question).await)
    }
}
