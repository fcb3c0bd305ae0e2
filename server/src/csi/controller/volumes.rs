//! Making, deleting and listing volumes, and how much room there is for them.

use super::checked_page;
use crate::csi::{
    Call, CallError, Capability, CapacityRange, Connection, ContentSource, ListedVolume, Page,
    Refused, Secrets, Topology, TopologyRequirement, Volume,
    answer::{done_if_not_found, promised},
    refused::required,
    v1,
    volume::hashed,
};
use std::collections::BTreeMap;

/// A volume to make.
#[derive(Clone, Debug, Default)]
pub struct CreateVolume {
    /// The name by which the driver knows a second try from another volume.
    pub name: String,
    /// How big.
    pub capacity_range: CapacityRange,
    /// Every way in which it is to be used.
    pub capabilities: Vec<Capability>,
    /// The driver's own parameters.
    pub parameters: BTreeMap<String, String>,
    /// For the driver only.
    pub secrets: Secrets,
    /// What to fill it from.
    pub content_source: Option<ContentSource>,
    /// Where it has to be reachable from: only for drivers with VOLUME_ACCESSIBILITY_CONSTRAINTS.
    pub accessibility_requirements: Option<TopologyRequirement>,
}

impl CreateVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.name, Refused::MissingName)?;
        self.capacity_range.check()
    }
}

/// A volume to delete.
#[derive(Clone, Debug, Default)]
pub struct DeleteVolume {
    /// The driver's id.
    pub external_id: String,
    /// For the driver only.
    pub secrets: Secrets,
}

impl DeleteVolume {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.external_id, Refused::MissingExternalVolumeId)
    }
}

/// A page of the driver's volumes.
#[derive(Clone, Debug, Default)]
pub struct ListVolumes {
    /// The most entries; 0 leaves it to the driver.
    pub max_entries: i32,
    /// Where the page starts: empty, or what the page before said.
    pub starting_token: String,
}

impl ListVolumes {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        checked_page(self.max_entries)
    }
}

/// A question for room.
#[derive(Clone, Debug, Default)]
pub struct GetCapacity {
    /// For volumes that are to be used like this; empty for any.
    pub capabilities: Vec<Capability>,
    /// For volumes with these parameters.
    pub parameters: BTreeMap<String, String>,
    /// There; `None` for anywhere.
    pub accessible_topology: Option<Topology>,
}

/// How much room there is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// In all.
    pub available_bytes: i64,
    /// The largest volume, if the driver says.
    pub maximum_volume_bytes: Option<i64>,
    /// The smallest volume, if the driver says.
    pub minimum_volume_bytes: Option<i64>,
}

impl Connection {
    /// CSI `CreateVolume`. An answer without a volume, or with one without an id, is an error: nobody
    /// could use or delete it.
    pub async fn create_volume(&self, create: &CreateVolume) -> Result<Volume, CallError> {
        let call = Call::CreateVolume;
        create.check().map_err(|refused| refused.of(call))?;
        let question = v1::CreateVolumeRequest {
            name: create.name.clone(),
            capacity_range: create.capacity_range.to_message(),
            volume_capabilities: create
                .capabilities
                .iter()
                .map(Capability::to_message)
                .collect(),
            parameters: hashed(&create.parameters),
            secrets: create.secrets.to_message(),
            volume_content_source: create
                .content_source
                .as_ref()
                .map(ContentSource::to_message),
            accessibility_requirements: create
                .accessibility_requirements
                .as_ref()
                .map(TopologyRequirement::to_message),
            mutable_parameters: Default::default(),
        };
        let confidential = create.secrets.and(&Secrets::none(), &create.capabilities);
        let answer = self.call(call, &confidential, question).await?;
        let volume = answer.volume.filter(|volume| !volume.volume_id.is_empty());
        Ok(Volume::from_message(promised(call, volume, "a volume id")?))
    }

    /// CSI `DeleteVolume`. A volume that the driver does not know is deleted.
    pub async fn delete_volume(&self, delete: &DeleteVolume) -> Result<(), CallError> {
        let call = Call::DeleteVolume;
        delete.check().map_err(|refused| refused.of(call))?;
        let question = v1::DeleteVolumeRequest {
            volume_id: delete.external_id.clone(),
            secrets: delete.secrets.to_message(),
        };
        done_if_not_found(self.call(call, &delete.secrets, question).await)
    }

    /// CSI `ListVolumes`. Entries without a volume are left out.
    pub async fn list_volumes(&self, list: &ListVolumes) -> Result<Page<ListedVolume>, CallError> {
        let call = Call::ListVolumes;
        list.check().map_err(|refused| refused.of(call))?;
        let question = v1::ListVolumesRequest {
            max_entries: list.max_entries,
            starting_token: list.starting_token.clone(),
        };
        let answer = self.call(call, &Secrets::none(), question).await?;
        let entries = answer.entries.into_iter().filter_map(|entry| {
            let status = entry.status;
            let condition = status
                .as_ref()
                .and_then(|status| status.volume_condition.clone());
            Some(ListedVolume::from_message(
                entry.volume?,
                status.map(|status| status.published_node_ids),
                condition,
            ))
        });
        Ok(Page {
            entries: entries.collect(),
            next_token: answer.next_token,
        })
    }

    /// CSI `ControllerGetVolume`, of the volume with this id of the driver.
    pub async fn controller_get_volume(
        &self,
        external_id: &str,
    ) -> Result<ListedVolume, CallError> {
        let call = Call::ControllerGetVolume;
        required(external_id, Refused::MissingExternalVolumeId)
            .map_err(|refused| refused.of(call))?;
        let question = v1::ControllerGetVolumeRequest {
            volume_id: external_id.to_owned(),
        };
        let answer = self.call(call, &Secrets::none(), question).await?;
        let condition = answer
            .status
            .as_ref()
            .and_then(|status| status.volume_condition.clone());
        Ok(ListedVolume::from_message(
            promised(call, answer.volume, "a volume")?,
            answer.status.map(|status| status.published_node_ids),
            condition,
        ))
    }

    /// CSI `GetCapacity`.
    pub async fn get_capacity(&self, question: &GetCapacity) -> Result<Capacity, CallError> {
        let question = v1::GetCapacityRequest {
            volume_capabilities: question
                .capabilities
                .iter()
                .map(Capability::to_message)
                .collect(),
            parameters: hashed(&question.parameters),
            accessible_topology: question
                .accessible_topology
                .as_ref()
                .map(Topology::to_message),
        };
        let answer = self
            .call(Call::GetCapacity, &Secrets::none(), question)
            .await?;
        Ok(Capacity {
            available_bytes: answer.available_capacity,
            maximum_volume_bytes: answer.maximum_volume_size,
            minimum_volume_bytes: answer.minimum_volume_size,
        })
    }
}
