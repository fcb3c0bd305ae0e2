//! Taking, deleting and listing snapshots.

use super::checked_page;
use crate::csi::{
    Call, CallError, Connection, Page, Refused, Secrets, Snapshot, TopologyRequirement,
    answer::{done_if_not_found, promised},
    refused::required,
    v1,
    volume::hashed,
};
use std::collections::BTreeMap;

/// A snapshot to take.
#[derive(Clone, Debug, Default)]
pub struct CreateSnapshot {
    /// The driver's id of the volume.
    pub source_volume_id: String,
    /// The name by which the driver knows a second try from another snapshot.
    pub name: String,
    /// For the driver only.
    pub secrets: Secrets,
    /// The driver's own parameters.
    pub parameters: BTreeMap<String, String>,
    /// Where it has to be usable: only for drivers with SNAPSHOT_ACCESSIBILITY_CONSTRAINTS.
    pub accessibility_requirements: Option<TopologyRequirement>,
}

impl CreateSnapshot {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.source_volume_id, Refused::MissingVolumeId)?;
        required(&self.name, Refused::MissingName)
    }
}

/// A snapshot to delete.
#[derive(Clone, Debug, Default)]
pub struct DeleteSnapshot {
    /// The driver's id.
    pub snapshot_id: String,
    /// For the driver only.
    pub secrets: Secrets,
}

impl DeleteSnapshot {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.snapshot_id, Refused::MissingSnapshotId)
    }
}

/// A snapshot to look at.
#[derive(Clone, Debug, Default)]
pub struct GetSnapshot {
    /// The driver's id.
    pub snapshot_id: String,
    /// For the driver only.
    pub secrets: Secrets,
}

impl GetSnapshot {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        required(&self.snapshot_id, Refused::MissingSnapshotId)
    }
}

/// A page of the driver's snapshots.
#[derive(Clone, Debug, Default)]
pub struct ListSnapshots {
    /// The most entries; 0 leaves it to the driver.
    pub max_entries: i32,
    /// Where the page starts: empty, or what the page before said.
    pub starting_token: String,
    /// Only those of this volume (the driver's id); empty for all.
    pub source_volume_id: String,
    /// Only this one (the driver's id); empty for all.
    pub snapshot_id: String,
    /// For the driver only.
    pub secrets: Secrets,
}

impl ListSnapshots {
    /// Whether a driver may be asked.
    pub fn check(&self) -> Result<(), Refused> {
        checked_page(self.max_entries)
    }
}

impl Connection {
    /// CSI `CreateSnapshot`. An answer without a snapshot, or with one without an id, is an error.
    pub async fn create_snapshot(&self, create: &CreateSnapshot) -> Result<Snapshot, CallError> {
        let call = Call::CreateSnapshot;
        create.check().map_err(|refused| refused.of(call))?;
        let question = v1::CreateSnapshotRequest {
            source_volume_id: create.source_volume_id.clone(),
            name: create.name.clone(),
            secrets: create.secrets.to_message(),
            parameters: hashed(&create.parameters),
            accessibility_requirements: create
                .accessibility_requirements
                .as_ref()
                .map(TopologyRequirement::to_message),
        };
        let answer = self.call(call, &create.secrets, question).await?;
        let snapshot = answer
            .snapshot
            .filter(|snapshot| !snapshot.snapshot_id.is_empty());
        Ok(Snapshot::from_message(promised(
            call,
            snapshot,
            "a snapshot id",
        )?))
    }

    /// CSI `DeleteSnapshot`. A snapshot that the driver does not know is deleted.
    pub async fn delete_snapshot(&self, delete: &DeleteSnapshot) -> Result<(), CallError> {
        let call = Call::DeleteSnapshot;
        delete.check().map_err(|refused| refused.of(call))?;
        let question = v1::DeleteSnapshotRequest {
            snapshot_id: delete.snapshot_id.clone(),
            secrets: delete.secrets.to_message(),
        };
        done_if_not_found(self.call(call, &delete.secrets, question).await)
    }

    /// CSI `ListSnapshots`. Entries without a snapshot are left out.
    pub async fn list_snapshots(&self, list: &ListSnapshots) -> Result<Page<Snapshot>, CallError> {
        let call = Call::ListSnapshots;
        list.check().map_err(|refused| refused.of(call))?;
        let question = v1::ListSnapshotsRequest {
            max_entries: list.max_entries,
            starting_token: list.starting_token.clone(),
            source_volume_id: list.source_volume_id.clone(),
            snapshot_id: list.snapshot_id.clone(),
            secrets: list.secrets.to_message(),
        };
        let answer = self.call(call, &list.secrets, question).await?;
        let snapshots = answer
            .entries
            .into_iter()
            .filter_map(|entry| entry.snapshot);
        Ok(Page {
            entries: snapshots.map(Snapshot::from_message).collect(),
            next_token: answer.next_token,
        })
    }

    /// CSI `GetSnapshot` (1.12 and newer).
    pub async fn get_snapshot(&self, get: &GetSnapshot) -> Result<Snapshot, CallError> {
        let call = Call::GetSnapshot;
        get.check().map_err(|refused| refused.of(call))?;
        let question = v1::GetSnapshotRequest {
            snapshot_id: get.snapshot_id.clone(),
            secrets: get.secrets.to_message(),
        };
        let answer = self.call(call, &get.secrets, question).await?;
        Ok(Snapshot::from_message(promised(
            call,
            answer.snapshot,
            "a snapshot",
        )?))
    }
}
