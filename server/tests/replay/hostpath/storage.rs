//! What the driver keeps, and what it says when asked for more.

use super::NODE;
use saddlebag::csi::v1;
use std::collections::{BTreeMap, HashMap};
use tonic::Status;
use uuid::Uuid;
use v1::volume_capability::AccessType;
use v1::volume_content_source::Type as Source;

const LARGEST: i64 = 1 << 40;

/// Volumes and snapshots, in the order of their making.
#[derive(Default)]
pub struct Storage {
    pub volumes: Vec<Disk>,
    snapshots: Vec<v1::Snapshot>,
    /// Source and name of each snapshot, by its id.
    names: HashMap<String, String>,
}

/// A volume.
pub struct Disk {
    pub id: String,
    name: String,
    bytes: i64,
    /// The node that it was published to last; a detach leaves it.
    node: String,
}

impl Storage {
    fn disk(&mut self, id: &str) -> Result<&mut Disk, Status> {
        let found = self.volumes.iter_mut().find(|disk| disk.id == id);
        found.ok_or_else(|| {
            Status::not_found(format!("volume id {id} does not exist in the volumes list"))
        })
    }

    pub fn create_volume(
        &mut self,
        asked: &v1::CreateVolumeRequest,
    ) -> Result<v1::CreateVolumeResponse, Status> {
        let is = |wanted: fn(&AccessType) -> bool| {
            let types = asked.volume_capabilities.iter();
            types.filter_map(|it| it.access_type.as_ref()).any(wanted)
        };
        if is(|it| matches!(it, AccessType::Block(_)))
            && is(|it| matches!(it, AccessType::Mount(_)))
        {
            return Err(Status::invalid_argument(
                "cannot have both block and mount access type",
            ));
        }
        let bytes = asked.capacity_range.map_or(0, |range| range.required_bytes);
        fits(bytes)?;
        let source = asked.volume_content_source.as_ref();
        match source.and_then(|source| source.r#type.as_ref()) {
            Some(Source::Snapshot(from)) => self.has_snapshot(&from.snapshot_id)?,
            Some(Source::Volume(from)) => self.disk(&from.volume_id).map(|_| ())?,
            None => {}
        }
        if !self.volumes.iter().any(|disk| disk.name == asked.name) {
            self.volumes.push(Disk {
                id: Uuid::new_v4().to_string(),
                name: asked.name.clone(),
                bytes,
                node: String::new(),
            });
        }
        let made = self.volumes.iter().find(|disk| disk.name == asked.name);
        Ok(v1::CreateVolumeResponse {
            volume: made.map(|disk| v1::Volume {
                volume_id: disk.id.clone(),
                capacity_bytes: disk.bytes,
                content_source: asked.volume_content_source.clone(),
                accessible_topology: vec![topology()],
                ..Default::default()
            }),
        })
    }

    fn has_snapshot(&self, id: &str) -> Result<(), Status> {
        let known = self.snapshots.iter().any(|it| it.snapshot_id == id);
        known.then_some(()).ok_or_else(|| {
            Status::not_found(format!(
                "snapshot id {id} does not exist in the snapshots list"
            ))
        })
    }

    pub fn delete_volume(&mut self, id: &str) {
        self.volumes.retain(|disk| disk.id != id);
    }

    pub fn expand(
        &mut self,
        asked: &v1::ControllerExpandVolumeRequest,
    ) -> Result<v1::ControllerExpandVolumeResponse, Status> {
        let bytes = asked.capacity_range.map_or(0, |range| range.required_bytes);
        fits(bytes)?;
        let disk = self.disk(&asked.volume_id)?;
        disk.bytes = disk.bytes.max(bytes);
        Ok(v1::ControllerExpandVolumeResponse {
            capacity_bytes: disk.bytes,
            node_expansion_required: true,
        })
    }

    pub fn validate(
        &mut self,
        asked: v1::ValidateVolumeCapabilitiesRequest,
    ) -> Result<v1::ValidateVolumeCapabilitiesResponse, Status> {
        self.disk(&asked.volume_id)?;
        Ok(v1::ValidateVolumeCapabilitiesResponse {
            confirmed: Some(v1::validate_volume_capabilities_response::Confirmed {
                volume_context: asked.volume_context,
                volume_capabilities: asked.volume_capabilities,
                parameters: asked.parameters,
                ..Default::default()
            }),
            message: String::new(),
        })
    }

    pub fn publish(
        &mut self,
        asked: &v1::ControllerPublishVolumeRequest,
    ) -> Result<v1::ControllerPublishVolumeResponse, Status> {
        self.disk(&asked.volume_id)?.node = asked.node_id.clone();
        Ok(v1::ControllerPublishVolumeResponse::default())
    }

    /// One page: it never tells where the next one begins.
    pub fn list_volumes(
        &self,
        asked: &v1::ListVolumesRequest,
    ) -> Result<v1::ListVolumesResponse, Status> {
        let first: usize = match asked.starting_token.as_str() {
            "" => 0,
            token => token
                .parse()
                .map_err(|_| Status::aborted("The type of startingToken should be integer"))?,
        };
        let most = match asked.max_entries {
            0 => usize::MAX,
            most => most as usize,
        };
        let entries = self.volumes.iter().skip(first).take(most);
        Ok(v1::ListVolumesResponse {
            entries: entries
                .map(|disk| v1::list_volumes_response::Entry {
                    volume: Some(v1::Volume {
                        volume_id: disk.id.clone(),
                        capacity_bytes: disk.bytes,
                        ..Default::default()
                    }),
                    status: Some(v1::list_volumes_response::VolumeStatus {
                        published_node_ids: vec![disk.node.clone()],
                        volume_condition: Some(v1::VolumeCondition::default()),
                    }),
                })
                .collect(),
            next_token: String::new(),
        })
    }

    pub fn create_snapshot(
        &mut self,
        asked: &v1::CreateSnapshotRequest,
    ) -> Result<v1::CreateSnapshotResponse, Status> {
        let (name, source) = (&asked.name, &asked.source_volume_id);
        let bytes = self.disk(source)?.bytes;
        let known = self
            .snapshots
            .iter()
            .find(|it| self.names.get(&it.snapshot_id) == Some(name));
        let snapshot = match known {
            Some(known) if known.source_volume_id == *source => known.clone(),
            Some(_) => {
                return Err(Status::already_exists(format!(
                    "snapshot with the same name: {name} but with different SourceVolumeId already exist"
                )));
            }
            None => {
                let snapshot = v1::Snapshot {
                    size_bytes: bytes,
                    snapshot_id: Uuid::new_v4().to_string(),
                    source_volume_id: source.clone(),
                    creation_time: Some(prost_types::Timestamp {
                        seconds: 1_795_261_839,
                        nanos: 0,
                    }),
                    ready_to_use: true,
                    ..Default::default()
                };
                self.names
                    .insert(snapshot.snapshot_id.clone(), name.clone());
                self.snapshots.push(snapshot.clone());
                snapshot
            }
        };
        Ok(v1::CreateSnapshotResponse {
            snapshot: Some(snapshot),
        })
    }

    pub fn delete_snapshot(&mut self, id: &str) {
        self.snapshots.retain(|it| it.snapshot_id != id);
    }

    pub fn list_snapshots(
        &self,
        asked: &v1::ListSnapshotsRequest,
    ) -> Result<v1::ListSnapshotsResponse, Status> {
        let first: usize = match asked.starting_token.as_str() {
            "" => 0,
            token => token
                .parse()
                .map_err(|_| Status::aborted("startingToken=0 !< int32=4294967295"))?,
        };
        let end = match asked.max_entries {
            0 => self.snapshots.len(),
            most => self.snapshots.len().min(first + most as usize),
        };
        let page = self.snapshots.get(first..end).unwrap_or_default();
        let entries = page
            .iter()
            .cloned()
            .map(|snapshot| v1::list_snapshots_response::Entry {
                snapshot: Some(snapshot),
            });
        Ok(v1::ListSnapshotsResponse {
            entries: entries.collect(),
            next_token: match end < self.snapshots.len() {
                true => end.to_string(),
                false => String::new(),
            },
        })
    }
}

/// Where everything is.
pub fn topology() -> v1::Topology {
    v1::Topology {
        segments: BTreeMap::from([("topology.hostpath.csi/node".to_owned(), NODE.to_owned())])
            .into_iter()
            .collect(),
    }
}

fn fits(bytes: i64) -> Result<(), Status> {
    if bytes < 0 {
        return Err(Status::invalid_argument("cannot have negative capacity"));
    }
    if bytes > LARGEST {
        return Err(Status::out_of_range(format!(
            "Requested capacity {bytes} exceeds maximum allowed {LARGEST}"
        )));
    }
    Ok(())
}
