//! What drivers say about volumes and snapshots, and what is asked of them, in our own types.

use super::{Refused, v1};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use v1::volume_content_source::{SnapshotSource, Type, VolumeSource};

/// A map as it is stored and shown: in the order of its keys.
pub(super) fn ordered(map: HashMap<String, String>) -> BTreeMap<String, String> {
    map.into_iter().collect()
}

/// A map as the generated messages hold it.
pub(super) fn hashed(map: &BTreeMap<String, String>) -> HashMap<String, String> {
    map.clone().into_iter().collect()
}

/// Where something can be reached from: segments such as `zone` → `a`.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub struct Topology {
    /// Value of each topological key.
    pub segments: BTreeMap<String, String>,
}

impl Topology {
    pub(super) fn from_message(message: v1::Topology) -> Self {
        Self {
            segments: ordered(message.segments),
        }
    }

    pub(super) fn to_message(&self) -> v1::Topology {
        v1::Topology {
            segments: hashed(&self.segments),
        }
    }
}

fn topologies(messages: Vec<v1::Topology>) -> Vec<Topology> {
    messages.into_iter().map(Topology::from_message).collect()
}

/// Where something new has to be reachable from. A driver without VOLUME_ACCESSIBILITY_CONSTRAINTS
/// must not be given one (CSI, `CreateVolumeRequest`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopologyRequirement {
    /// At least from one of these.
    pub requisite: Vec<Topology>,
    /// Rather from the first of these than from the next.
    pub preferred: Vec<Topology>,
}

impl TopologyRequirement {
    pub(super) fn to_message(&self) -> v1::TopologyRequirement {
        let messages =
            |topologies: &[Topology]| topologies.iter().map(Topology::to_message).collect();
        v1::TopologyRequirement {
            requisite: messages(&self.requisite),
            preferred: messages(&self.preferred),
        }
    }
}

/// How big a volume has to be, in bytes. 0 stands for "no bound".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CapacityRange {
    /// At least.
    pub required_bytes: i64,
    /// At most.
    pub limit_bytes: i64,
}

impl CapacityRange {
    /// Refuses a limit below what is required.
    pub fn check(self) -> Result<(), Refused> {
        if self.limit_bytes != 0 && self.limit_bytes < self.required_bytes {
            return Err(Refused::LimitBelowRequired);
        }
        Ok(())
    }

    /// Nothing when neither bound is set: CSI wants at least one of them in a range.
    pub(super) fn to_message(self) -> Option<v1::CapacityRange> {
        (self != Self::default()).then_some(v1::CapacityRange {
            required_bytes: self.required_bytes,
            limit_bytes: self.limit_bytes,
        })
    }
}

/// What a new volume is filled from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContentSource {
    /// The driver's id of a snapshot.
    Snapshot(String),
    /// The driver's id of a volume to clone.
    Volume(String),
}

impl ContentSource {
    /// The one of both that is not empty, if any; refuses both.
    pub fn of(snapshot_id: &str, clone_id: &str) -> Result<Option<Self>, Refused> {
        match (snapshot_id, clone_id) {
            ("", "") => Ok(None),
            (snapshot, "") => Ok(Some(Self::Snapshot(snapshot.to_owned()))),
            ("", volume) => Ok(Some(Self::Volume(volume.to_owned()))),
            _ => Err(Refused::TwoContentSources),
        }
    }

    pub(super) fn to_message(&self) -> v1::VolumeContentSource {
        v1::VolumeContentSource {
            r#type: Some(match self {
                Self::Snapshot(id) => Type::Snapshot(SnapshotSource {
                    snapshot_id: id.clone(),
                }),
                Self::Volume(id) => Type::Volume(VolumeSource {
                    volume_id: id.clone(),
                }),
            }),
        }
    }

    fn from_message(message: v1::VolumeContentSource) -> Option<Self> {
        Some(match message.r#type? {
            Type::Snapshot(source) => Self::Snapshot(source.snapshot_id),
            Type::Volume(source) => Self::Volume(source.volume_id),
        })
    }
}

/// A volume as its driver describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// The driver's id.
    pub external_id: String,
    /// Its size; 0 when the driver does not say, or says less.
    pub capacity_bytes: i64,
    /// What the driver wants to be told in later calls.
    pub context: BTreeMap<String, String>,
    /// What it was filled from.
    pub content_source: Option<ContentSource>,
    /// Where it can be reached from; empty when from everywhere, or unsaid.
    pub accessible_topology: Vec<Topology>,
}

impl Volume {
    pub(super) fn from_message(message: v1::Volume) -> Self {
        Self {
            external_id: message.volume_id,
            capacity_bytes: message.capacity_bytes.max(0),
            context: ordered(message.volume_context),
            content_source: message.content_source.and_then(ContentSource::from_message),
            accessible_topology: topologies(message.accessible_topology),
        }
    }
}

/// Whether a volume is well. Drivers up to CSI 1.12 say it as `VolumeCondition`, newer ones as
/// `VolumeHealth`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Something is wrong with it.
    pub abnormal: bool,
    /// What the driver says about it.
    pub message: String,
}

impl Condition {
    pub(super) fn from_condition(message: v1::VolumeCondition) -> Self {
        Self {
            abnormal: message.abnormal,
            message: message.message,
        }
    }

    /// A volume without entries is well (CSI, `VolumeHealth`); each entry is something wrong, also of
    /// a kind that is unknown here.
    pub(super) fn from_health(message: v1::VolumeHealth) -> Self {
        let troubles: Vec<String> = message
            .health_statuses
            .into_iter()
            .map(|entry| {
                let kind = v1::VolumeHealthErrorType::try_from(entry.status)
                    .map_or("UNKNOWN", |kind| kind.as_str_name());
                [kind, &entry.reason, &entry.message]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(": ")
            })
            .collect();
        Self {
            abnormal: !troubles.is_empty(),
            message: troubles.join("; "),
        }
    }
}

/// A volume as its driver lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedVolume {
    /// The volume.
    pub volume: Volume,
    /// The driver's ids of the nodes that it is published at. `None` when the driver says nothing;
    /// empty ids, which some drivers list, are left out.
    pub published_node_ids: Option<Vec<String>>,
    /// Whether it is well, if the driver says so.
    pub condition: Option<Condition>,
}

impl ListedVolume {
    pub(super) fn from_message(
        volume: v1::Volume,
        published_node_ids: Option<Vec<String>>,
        condition: Option<v1::VolumeCondition>,
    ) -> Self {
        Self {
            volume: Volume::from_message(volume),
            published_node_ids: published_node_ids
                .map(|ids| ids.into_iter().filter(|id| !id.is_empty()).collect()),
            condition: condition.map(Condition::from_condition),
        }
    }
}

/// A snapshot as its driver describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The driver's id.
    pub id: String,
    /// The driver's id of the volume it was taken of.
    pub source_volume_id: String,
    /// The smallest volume it can be restored to; 0 when the driver does not say, or says less.
    pub size_bytes: i64,
    /// When it was taken. `None` when the driver does not say, or says a time that cannot be.
    pub creation_time: Option<Timestamp>,
    /// Whether a volume can be made of it yet.
    pub ready_to_use: bool,
    /// The group that it was taken with; empty when with none.
    pub group_snapshot_id: String,
    /// Where it can be used; empty when everywhere, or unsaid.
    pub accessible_topology: Vec<Topology>,
}

impl Snapshot {
    pub(super) fn from_message(message: v1::Snapshot) -> Self {
        Self {
            id: message.snapshot_id,
            source_volume_id: message.source_volume_id,
            size_bytes: message.size_bytes.max(0),
            creation_time: message
                .creation_time
                .and_then(|time| Timestamp::new(time.seconds, time.nanos).ok()),
            ready_to_use: message.ready_to_use,
            group_snapshot_id: message.group_snapshot_id,
            accessible_topology: topologies(message.accessible_topology),
        }
    }
}

/// One page of a list, exactly as the driver gave it: if it holds more than was asked for, all of it
/// is here, since the token continues after its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<Entry> {
    /// What is on it.
    pub entries: Vec<Entry>,
    /// Where the next page starts; empty on the last one.
    pub next_token: String,
}
