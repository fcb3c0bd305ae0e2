//! Growing and measuring volumes on a node.

use crate::csi::{
    Call, CallError, Capability, CapacityRange, Code, Condition, Connection, Refused, Secrets,
    answer::promised, refused::required, v1,
};
use v1::volume_usage::Unit as UnitMessage;

/// A volume on a node that grew at the controller.
#[derive(Clone, Debug, Default)]
pub struct NodeExpandVolume {
    /// The driver's id.
    pub external_id: String,
    /// Where a user has it (or where it is staged).
    pub volume_path: String,
    /// How big it has to be afterwards.
    pub capacity_range: CapacityRange,
    /// Where it is staged; empty for drivers that do not stage.
    pub staging_target_path: String,
    /// How it is used.
    pub capability: Option<Capability>,
    /// For the driver only.
    pub secrets: Secrets,
}

impl NodeExpandVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)?;
        required(&self.volume_path, Refused::MissingTargetPath)?;
        self.capacity_range.check()
    }
}

/// A volume on a node to look at.
#[derive(Clone, Debug, Default)]
pub struct NodeGetVolumeStats {
    /// The driver's id.
    pub external_id: String,
    /// Where a user has it (or where it is staged).
    pub volume_path: String,
    /// Where it is staged; empty for drivers that do not stage.
    pub staging_target_path: String,
}

impl NodeGetVolumeStats {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)?;
        required(&self.volume_path, Refused::MissingTargetPath)
    }
}

/// How full a volume is and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeStats {
    /// In each unit that the driver counts.
    pub usage: Vec<Usage>,
    /// Whether it is well, if the driver says so here (CSI up to 1.12).
    pub condition: Option<Condition>,
}

/// How full a volume is, in one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What is counted.
    pub unit: Unit,
    /// In all.
    pub total: i64,
    /// Used; 0 when the driver does not say.
    pub used: i64,
    /// Free; 0 when the driver does not say.
    pub available: i64,
}

/// What a driver counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Inodes.
    Inodes,
}

impl Connection {
    /// CSI `NodeExpandVolume`: the size now, 0 when the driver does not say. A volume that the driver
    /// does not know here needs no growing (as Nomad).
    pub async fn node_expand_volume(&self, expand: &NodeExpandVolume) -> Result<i64, CallError> {
        let call = Call::NodeExpandVolume;
        expand.check().map_err(|refused| refused.of(call))?;
        let question = v1::NodeExpandVolumeRequest {
            volume_id: expand.external_id.clone(),
            volume_path: expand.volume_path.clone(),
            capacity_range: expand.capacity_range.to_message(),
            staging_target_path: expand.staging_target_path.clone(),
            volume_capability: expand.capability.as_ref().map(Capability::to_message),
            secrets: expand.secrets.to_message(),
        };
        let confidential = expand.secrets.and(&Secrets::none(), &expand.capability);
        let outcome = self.call(call, &confidential, question).await;
        match outcome {
            Err(error) if error.wire() && error.code == Code::NotFound => Ok(0),
            outcome => outcome.map(|answer| answer.capacity_bytes),
        }
    }

    /// CSI `NodeGetVolumeStats`. Units that are unknown here are left out.
    pub async fn node_get_volume_stats(
        &self,
        get: &NodeGetVolumeStats,
    ) -> Result<VolumeStats, CallError> {
        let call = Call::NodeGetVolumeStats;
        get.check().map_err(|refused| refused.of(call))?;
        let question = v1::NodeGetVolumeStatsRequest {
            volume_id: get.external_id.clone(),
            volume_path: get.volume_path.clone(),
            staging_target_path: get.staging_target_path.clone(),
        };
        let answer = self.call(call, &Secrets::none(), question).await?;
        let usage = answer.usage.into_iter().filter_map(|usage| {
            let unit = match usage.unit() {
                UnitMessage::Bytes => Unit::Bytes,
                UnitMessage::Inodes => Unit::Inodes,
                UnitMessage::Unknown => return None,
            };
            Some(Usage {
                unit,
                total: usage.total,
                used: usage.used,
                available: usage.available,
            })
        });
        Ok(VolumeStats {
            usage: usage.collect(),
            condition: answer.volume_condition.map(Condition::from_condition),
        })
    }

    /// CSI `NodeGetVolumeHealth` (1.13): asks about what [`NodeGetVolumeStats`] names.
    pub async fn node_get_volume_health(
        &self,
        get: &NodeGetVolumeStats,
    ) -> Result<Condition, CallError> {
        let call = Call::NodeGetVolumeHealth;
        get.check().map_err(|refused| refused.of(call))?;
        let question = v1::NodeGetVolumeHealthRequest {
            volume_id: get.external_id.clone(),
            volume_publish_path: get.volume_path.clone(),
            staging_target_path: get.staging_target_path.clone(),
        };
        let answer = self.call(call, &Secrets::none(), question).await?;
        let health = promised(call, answer.volume_health, "a volume health")?;
        Ok(Condition::from_health(health))
    }
}
