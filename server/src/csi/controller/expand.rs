//! Growing volumes.

use crate::csi::{
    Call, CallError, Capability, CapacityRange, Connection, Refused, Secrets, refused::required, v1,
};

/// A volume to grow.
#[derive(Clone, Debug, Default)]
pub struct ControllerExpandVolume {
    /// The driver's id.
    pub external_id: String,
    /// How big it has to be afterwards.
    pub capacity_range: CapacityRange,
    /// How it is used now, if it is.
    pub capability: Option<Capability>,
    /// For the driver only.
    pub secrets: Secrets,
}

impl ControllerExpandVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)?;
        self.capacity_range.check()
    }
}

/// A volume that has grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expanded {
    /// Its size now.
    pub capacity_bytes: i64,
    /// Each node that holds it has to be told, too.
    pub node_expansion_required: bool,
}

impl Connection {
    /// CSI `ControllerExpandVolume`.
    pub async fn controller_expand_volume(
        &self,
        expand: &ControllerExpandVolume,
    ) -> Result<Expanded, CallError> {
        let call = Call::ControllerExpandVolume;
        expand.check().map_err(|refused| refused.of(call))?;
        let question = v1::ControllerExpandVolumeRequest {
            volume_id: expand.external_id.clone(),
            capacity_range: expand.capacity_range.to_message(),
            secrets: expand.secrets.to_message(),
            volume_capability: expand.capability.as_ref().map(Capability::to_message),
        };
        let confidential = expand.secrets.and(&Secrets::none(), &expand.capability);
        let answer = self.call(call, &confidential, question).await?;
        Ok(Expanded {
            capacity_bytes: answer.capacity_bytes,
            node_expansion_required: answer.node_expansion_required,
        })
    }
}
