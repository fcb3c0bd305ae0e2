//! Volumes, in the parts that change apart or are shown apart.

use super::{AllocationStub, Withheld};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{Object, Schema},
    },
};

/// A volume, and what it shows of its plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Volume<'a> {
    /// What lists show too.
    #[serde(flatten)]
    pub summary: VolumeSummary<'a>,
    /// What else changes with the volume.
    #[serde(flatten)]
    pub detail: VolumeDetail<'a>,
    /// What changes with its plugin.
    #[serde(flatten)]
    pub plugin: VolumePlugin<'a>,
}

/// A volume as lists show it, and what it shows of its plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VolumeStub<'a> {
    /// What reading shows too.
    #[serde(flatten)]
    pub summary: VolumeSummary<'a>,
    /// What else changes with the volume.
    #[serde(flatten)]
    pub users: VolumeUsers,
    /// What changes with its plugin.
    #[serde(flatten)]
    pub plugin: PluginHealth<'a>,
}

/// What reading a volume and lists of volumes show alike. It changes with the volume, and is encoded
/// once per change, as [`VolumeDetail`] and [`VolumeUsers`] are. First comes what filters ask for most: they
/// read from the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeSummary<'a> {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its namespace.
    pub namespace: Cow<'a, str>,
    /// The plugin that holds it.
    #[serde(rename = "PluginID")]
    pub plugin_id: Cow<'a, str>,
    /// The storage provider's id for it.
    #[serde(rename = "ExternalID")]
    pub external_id: Cow<'a, str>,
    /// How it is used now; empty while nobody uses it.
    pub access_mode: Cow<'a, str>,
    /// `file-system` or `block-device`; empty while nobody uses it.
    pub attachment_mode: Cow<'a, str>,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// When it was made; nanoseconds since 1970.
    pub create_time: i64,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// When it last changed; nanoseconds since 1970.
    pub modify_time: i64,
    /// Since when the storage is full.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub resource_exhausted: Option<Timestamp>,
    /// From where it is reachable.
    #[schema(value_type = Vec<Option<Topology<'a>>>)]
    pub topologies: Vec<Topology<'a>>,
}

/// What only reading a volume shows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeDetail<'a> {
    /// The allocations that use it, readers first.
    pub allocations: Vec<AllocationStub<'a>>,
    /// Its size in bytes; 0 if unknown.
    pub capacity: i64,
    /// The ExternalID of the volume it was filled from.
    #[serde(rename = "CloneID")]
    pub clone_id: Cow<'a, str>,
    /// What the driver wants to be told with every call.
    #[schema(value_type = BTreeMap<String, String>)]
    pub context: Cow<'a, BTreeMap<String, String>>,
    /// That a delete was given up; absent if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delete_given_up: Option<DeleteGivenUp<'a>>,
    /// How its file system is mounted.
    pub mount_options: MountOptions<'a>,
    /// What the driver was told when it was created.
    #[schema(value_type = BTreeMap<String, String>)]
    pub parameters: Cow<'a, BTreeMap<String, String>>,
    /// The allocations that read it; the values encode as `null`.
    #[schema(value_type = BTreeMap<String, Option<Object>>)]
    pub read_allocs: BTreeMap<Cow<'a, str>, ()>,
    /// The ways in which it may be used.
    #[schema(required)]
    pub requested_capabilities: Option<Vec<VolumeCapability<'a>>>,
    /// At most so many bytes were asked for; 0 is no limit.
    pub requested_capacity_max: i64,
    /// At least so many bytes were asked for; 0 is any.
    pub requested_capacity_min: i64,
    /// From where it was asked to be reachable.
    #[schema(required)]
    pub requested_topologies: Option<TopologyRequirement<'a>>,
    /// Always `null`.
    #[schema(value_type = Option<BTreeMap<String, String>>, required)]
    pub secrets: Withheld,
    /// The snapshot it was filled from.
    #[serde(rename = "SnapshotID")]
    pub snapshot_id: Cow<'a, str>,
    /// The allocations that write it; the values encode as `null`.
    #[schema(value_type = BTreeMap<String, Option<Object>>)]
    pub write_allocs: BTreeMap<Cow<'a, str>, ()>,
}

/// A delete of the volume was given up: what became of it at the storage is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteGivenUp<'a> {
    /// Who gave it up.
    pub by: Cow<'a, str>,
    /// The operation that was given up.
    #[serde(rename = "OperationID")]
    pub operation_id: Cow<'a, str>,
    /// Why.
    pub reason: Cow<'a, str>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
}

/// What only lists show of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeUsers {
    /// Allocations that read it.
    pub current_readers: i64,
    /// Allocations that write it.
    pub current_writers: i64,
}

/// What a volume in a list shows of its plugin. Encoded once per change of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PluginHealth<'a> {
    /// Whether the driver has a controller service.
    pub controller_required: bool,
    /// Controllers there should be.
    pub controllers_expected: i64,
    /// Controllers that are healthy.
    pub controllers_healthy: i64,
    /// Nodes it should run on.
    pub nodes_expected: i64,
    /// Nodes on which it is healthy.
    pub nodes_healthy: i64,
    /// The driver's name for itself.
    pub provider: Cow<'a, str>,
    /// Whether the volume can be used. A volume that is being deleted cannot, however healthy its plugin.
    pub schedulable: bool,
}

/// What a volume that is read shows of its plugin. Encoded once per change of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VolumePlugin<'a> {
    /// What lists show of it too.
    #[serde(flatten)]
    pub health: PluginHealth<'a>,
    /// The driver's version.
    pub provider_version: Cow<'a, str>,
}

/// Volumes as they are after a create or register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct VolumesAnswer<'a> {
    /// As the header `X-Nomad-Index`.
    #[schema(format = "uint64")]
    pub index: u64,
    /// Whether there is a leader.
    pub known_leader: bool,
    /// Nanoseconds since this server knew to be up to date.
    pub last_contact: i64,
    /// Empty.
    pub next_token: Cow<'a, str>,
    /// The volumes, in the order of the request.
    pub volumes: Vec<Volume<'a>>,
    /// Empty.
    pub warnings: Cow<'a, str>,
}

/// A way in which a volume may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeCapability<'a> {
    /// By how many nodes, and whether for writing: Nomad's word.
    pub access_mode: Cow<'a, str>,
    /// `file-system` or `block-device`.
    pub attachment_mode: Cow<'a, str>,
}

/// A place, by the topology keys of the driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Topology<'a> {
    /// The keys and values.
    #[schema(value_type = Option<BTreeMap<String, String>>, required)]
    pub segments: Option<Cow<'a, BTreeMap<String, String>>>,
}

/// From where a volume was asked to be reachable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TopologyRequirement<'a> {
    /// Rather from these, the first most.
    #[schema(required)]
    pub preferred: Option<Vec<Topology<'a>>>,
    /// From at least one of these.
    #[schema(required)]
    pub required: Option<Vec<Topology<'a>>>,
}

/// How the file system of a volume is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MountOptions<'a> {
    /// The type of file system; empty if the driver chooses.
    #[serde(rename = "FSType")]
    pub fs_type: Cow<'a, str>,
    /// Mount flags, which may hold secrets.
    #[serde(rename = "MountFlags")]
    #[schema(value_type = Option<Vec<String>>, required)]
    pub mount_flags: MountFlags,
}

/// What an answer says of mount flags: whether there are any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MountFlags {
    /// There are none: `null`.
    #[default]
    Absent,
    /// There are some: `["[REDACTED]"]`, however many.
    Redacted,
}

impl Serialize for MountFlags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            MountFlags::Absent => serializer.serialize_none(),
            MountFlags::Redacted => ["[REDACTED]"].serialize(serializer),
        }
    }
}

/// The schema of an object that is encoded in parts: the properties of all of them.
fn together(parts: impl IntoIterator<Item = RefOr<Schema>>) -> RefOr<Schema> {
    let mut whole = Object::new();
    for part in parts {
        if let RefOr::T(Schema::Object(part)) = part {
            whole.properties.extend(part.properties);
            whole.required.extend(part.required);
        }
    }
    RefOr::T(Schema::Object(whole))
}

impl PartialSchema for Volume<'_> {
    fn schema() -> RefOr<Schema> {
        let own = [VolumeSummary::schema(), VolumeDetail::schema()];
        together(own.into_iter().chain([VolumePlugin::schema()]))
    }
}

impl ToSchema for Volume<'_> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        VolumeSummary::schemas(schemas);
        VolumeDetail::schemas(schemas);
    }
}

impl PartialSchema for VolumeStub<'_> {
    fn schema() -> RefOr<Schema> {
        let own = [VolumeSummary::schema(), VolumeUsers::schema()];
        together(own.into_iter().chain([PluginHealth::schema()]))
    }
}

impl ToSchema for VolumeStub<'_> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        VolumeSummary::schemas(schemas);
    }
}

/// The schema of the one field that [`VolumePlugin`] adds.
#[derive(ToSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct PluginVersion {
    provider_version: String,
}

impl PartialSchema for VolumePlugin<'_> {
    fn schema() -> RefOr<Schema> {
        together([PluginHealth::schema(), PluginVersion::schema()])
    }
}
