//! Attaching volumes to nodes, and detaching them.

use crate::csi::{
    Call, CallError, Capability, Connection, PublishContext, Refused, Secrets,
    answer::done_if_not_found, refused::required, v1, volume::hashed,
};
use std::collections::BTreeMap;

/// A volume to attach to a node.
#[derive(Clone, Debug)]
pub struct ControllerPublishVolume {
    /// The driver's id of the volume.
    pub external_id: String,
    /// The driver's id of the node.
    pub external_node_id: String,
    /// How it is to be used there.
    pub capability: Capability,
    /// Attached read-only. Must be false for a driver without PUBLISH_READONLY.
    pub readonly: bool,
    /// For the driver only.
    pub secrets: Secrets,
    /// What the driver said of the volume at its creation.
    pub volume_context: BTreeMap<String, String>,
}

impl ControllerPublishVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)?;
        required(&self.external_node_id, Refused::MissingNodeId)
    }
}

/// A volume to detach from a node.
#[derive(Clone, Debug, Default)]
pub struct ControllerUnpublishVolume {
    /// The driver's id of the volume.
    pub external_id: String,
    /// The driver's id of the node. Never empty: CSI reads that as "every node".
    pub external_node_id: String,
    /// For the driver only.
    pub secrets: Secrets,
}

impl ControllerUnpublishVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)?;
        required(&self.external_node_id, Refused::MissingNodeId)
    }
}

impl Connection {
    /// CSI `ControllerPublishVolume`: what the node side has to be told.
    pub async fn controller_publish_volume(
        &self,
        publish: &ControllerPublishVolume,
    ) -> Result<PublishContext, CallError> {
        let call = Call::ControllerPublishVolume;
        publish.check().map_err(|refused| refused.of(call))?;
        let question = v1::ControllerPublishVolumeRequest {
            volume_id: publish.external_id.clone(),
            node_id: publish.external_node_id.clone(),
            volume_capability: Some(publish.capability.to_message()),
            readonly: publish.readonly,
            secrets: publish.secrets.to_message(),
            volume_context: hashed(&publish.volume_context),
        };
        let confidential = publish
            .secrets
            .and(&PublishContext::none(), [&publish.capability]);
        let answer = self.call(call, &confidential, question).await?;
        Ok(PublishContext::from_plain(answer.publish_context))
    }

    /// CSI `ControllerUnpublishVolume`. What the driver does not know is not attached.
    pub async fn controller_unpublish_volume(
        &self,
        unpublish: &ControllerUnpublishVolume,
    ) -> Result<(), CallError> {
        let call = Call::ControllerUnpublishVolume;
        unpublish.check().map_err(|refused| refused.of(call))?;
        let question = v1::ControllerUnpublishVolumeRequest {
            volume_id: unpublish.external_id.clone(),
            node_id: unpublish.external_node_id.clone(),
            secrets: unpublish.secrets.to_message(),
        };
        done_if_not_found(self.call(call, &unpublish.secrets, question).await)
    }
}
