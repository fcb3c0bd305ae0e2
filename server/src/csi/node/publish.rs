//! Giving volumes on a node to their users.

use crate::csi::{
    Call, CallError, Capability, Connection, PublishContext, Refused, Secrets,
    answer::done_if_not_found, refused::required, v1, volume::hashed,
};
use std::collections::BTreeMap;

/// A volume to give to one user on a node.
#[derive(Clone, Debug)]
pub struct NodePublishVolume {
    /// The driver's id.
    pub external_id: String,
    /// What the controller said at publish.
    pub publish_context: PublishContext,
    /// Where it is staged; empty for drivers that do not stage.
    pub staging_target_path: String,
    /// Where the user finds it.
    pub target_path: String,
    /// How it is to be used.
    pub capability: Capability,
    /// For reading only.
    pub readonly: bool,
    /// For the driver only.
    pub secrets: Secrets,
    /// What the driver said of the volume at its creation.
    pub volume_context: BTreeMap<String, String>,
}

impl NodePublishVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)?;
        required(&self.target_path, Refused::MissingTargetPath)
    }
}

/// A volume to take from one user on a node.
#[derive(Clone, Debug, Default)]
pub struct NodeUnpublishVolume {
    /// The driver's id.
    pub external_id: String,
    /// Where the user had it.
    pub target_path: String,
}

impl NodeUnpublishVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)?;
        required(&self.target_path, Refused::MissingTargetPath)
    }
}

impl Connection {
    /// CSI `NodePublishVolume`.
    pub async fn node_publish_volume(&self, publish: &NodePublishVolume) -> Result<(), CallError> {
        let call = Call::NodePublishVolume;
        publish.check().map_err(|refused| refused.of(call))?;
        let question = v1::NodePublishVolumeRequest {
            volume_id: publish.external_id.clone(),
            publish_context: publish.publish_context.to_message(),
            staging_target_path: publish.staging_target_path.clone(),
            target_path: publish.target_path.clone(),
            volume_capability: Some(publish.capability.to_message()),
            readonly: publish.readonly,
            secrets: publish.secrets.to_message(),
            volume_context: hashed(&publish.volume_context),
        };
        let confidential = publish
            .secrets
            .and(&publish.publish_context, [&publish.capability]);
        self.call(call, &confidential, question).await.map(drop)
    }

    /// CSI `NodeUnpublishVolume`. What the driver does not know is not published.
    pub async fn node_unpublish_volume(
        &self,
        unpublish: &NodeUnpublishVolume,
    ) -> Result<(), CallError> {
        let call = Call::NodeUnpublishVolume;
        unpublish.check().map_err(|refused| refused.of(call))?;
        let question = v1::NodeUnpublishVolumeRequest {
            volume_id: unpublish.external_id.clone(),
            target_path: unpublish.target_path.clone(),
        };
        done_if_not_found(self.call(call, &Secrets::none(), question).await)
    }
}
