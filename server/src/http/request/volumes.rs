//! Bodies of register and create.

use super::{
    CapabilityRequest, Envelope, MountOptionsRequest, TopologyRequest, TopologySegmentsRequest,
    schema::{self, Named, SecretsFromRequest, SecretsRequest},
};
use crate::csi::{Reference, Secrets};
use crate::http::edge::{
    Refusal,
    json::{self, Node},
};
use std::collections::BTreeMap;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

/// The body of register and create.
#[derive(Clone, Debug, Default)]
pub struct VolumesRequest {
    /// The volumes; none if absent, which the domain refuses.
    pub volumes: Vec<VolumeRequest>,
    /// What stands beside them.
    pub envelope: Envelope,
    /// Asks to override soft policies, which needs the capability `sentinel-override`.
    pub policy_override: bool,
}

impl VolumesRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            Ok(Self {
                volumes: object
                    .list("Volumes", VolumeRequest::read)?
                    .unwrap_or_default(),
                envelope: Envelope::read(&object)?,
                policy_override: object.boolean("PolicyOverride")?,
            })
        })
    }
}

impl PartialSchema for VolumesRequest {
    fn schema() -> RefOr<Schema> {
        let volumes = schema::list(schema::reference::<VolumeRequest>());
        let own = [
            ("Volumes", schema::at_most_32(volumes)),
            ("PolicyOverride", schema::boolean()),
        ];
        let object = schema::object(own.into_iter().chain(Envelope::properties()));
        schema::with_ignored(object, &["Timestamp"])
    }
}

impl ToSchema for VolumesRequest {
    fn schemas(named: &mut Named) {
        schema::collect::<VolumeRequest>(named);
    }
}

/// One volume to register or create: what a client may set of it.
#[derive(Clone, Debug, Default)]
pub struct VolumeRequest {
    /// The id, unique in its namespace. The id in the path does not count.
    pub id: String,
    /// The name; needed to create.
    pub name: String,
    /// The namespace; that of the request if absent or empty.
    pub namespace: Option<String>,
    /// The plugin that the volume is of.
    pub plugin_id: String,
    /// The driver's id of a volume that exists.
    pub external_id: String,
    /// The modes that the volume may be used in; at least one is needed.
    pub requested_capabilities: Option<Vec<CapabilityRequest>>,
    /// The smallest capacity, in bytes; 0 for any.
    pub requested_capacity_min: i64,
    /// The largest capacity, in bytes; 0 for any.
    pub requested_capacity_max: i64,
    /// How file systems are mounted. Absent and `{}` differ while a volume is in use.
    pub mount_options: Option<MountOptionsRequest>,
    /// For the driver, at create (CSI `parameters`).
    pub parameters: Option<BTreeMap<String, String>>,
    /// For the driver; never answered.
    pub secrets: Option<Secrets>,
    /// Where more of them are read from, at each call.
    pub secrets_from: Option<BTreeMap<String, Reference>>,
    /// The driver's own words about a volume that exists (CSI `volume_context`).
    pub context: Option<BTreeMap<String, String>>,
    /// Create it from this snapshot, by the driver's id.
    pub snapshot_id: String,
    /// Create it as a copy of this volume, by the driver's id.
    pub clone_id: String,
    /// Where it shall be accessible from.
    pub requested_topologies: Option<TopologyRequest>,
    /// Where it is accessible from.
    pub topologies: Option<Vec<TopologySegmentsRequest>>,
}

impl VolumeRequest {
    fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object()?;
        Ok(Self {
            id: object.text("ID")?,
            name: object.text("Name")?,
            namespace: object.filled_text("Namespace")?,
            plugin_id: object.text("PluginID")?,
            external_id: object.text("ExternalID")?,
            requested_capabilities: object
                .list("RequestedCapabilities", CapabilityRequest::read)?,
            requested_capacity_min: object.bytes("RequestedCapacityMin")?,
            requested_capacity_max: object.bytes("RequestedCapacityMax")?,
            mount_options: object.child("MountOptions", MountOptionsRequest::read)?,
            parameters: object.map("Parameters")?,
            secrets: object.secrets("Secrets")?,
            secrets_from: object.references("SecretsFrom")?,
            context: object.map("Context")?,
            snapshot_id: object.text("SnapshotID")?,
            clone_id: object.text("CloneID")?,
            requested_topologies: object.child("RequestedTopologies", TopologyRequest::read)?,
            topologies: object.list("Topologies", TopologySegmentsRequest::read_either)?,
        })
    }
}

/// What only the server sets of a volume. Nomad refuses some of these where it cannot read them, even
/// the `"ResourceExhausted": 0` that its own pages show; here they may hold anything.
const SERVER_OWNED: [&str; 19] = [
    "AccessMode",
    "Allocations",
    "AttachmentMode",
    "Capacity",
    "ControllerRequired",
    "ControllersExpected",
    "ControllersHealthy",
    "CreateIndex",
    "CreateTime",
    "ModifyIndex",
    "ModifyTime",
    "NodesExpected",
    "NodesHealthy",
    "Provider",
    "ProviderVersion",
    "ReadAllocs",
    "ResourceExhausted",
    "Schedulable",
    "WriteAllocs",
];

impl PartialSchema for VolumeRequest {
    fn schema() -> RefOr<Schema> {
        let topology = schema::optional::<TopologySegmentsRequest>();
        let object = schema::object([
            ("ID", schema::text()),
            ("Name", schema::text()),
            ("Namespace", schema::text()),
            ("PluginID", schema::text()),
            ("ExternalID", schema::text()),
            (
                "RequestedCapabilities",
                schema::list(schema::reference::<CapabilityRequest>()).into(),
            ),
            ("RequestedCapacityMin", schema::integer()),
            ("RequestedCapacityMax", schema::integer()),
            ("MountOptions", schema::optional::<MountOptionsRequest>()),
            ("Parameters", schema::map()),
            ("Secrets", schema::optional::<SecretsRequest>()),
            ("SecretsFrom", schema::optional::<SecretsFromRequest>()),
            ("Context", schema::map()),
            ("SnapshotID", schema::text()),
            ("CloneID", schema::text()),
            ("RequestedTopologies", schema::optional::<TopologyRequest>()),
            ("Topologies", schema::optional_list(topology).into()),
        ]);
        schema::with_ignored(object, &SERVER_OWNED)
    }
}

impl ToSchema for VolumeRequest {
    fn schemas(named: &mut Named) {
        schema::collect::<CapabilityRequest>(named);
        schema::collect::<MountOptionsRequest>(named);
        schema::collect::<SecretsRequest>(named);
        schema::collect::<SecretsFromRequest>(named);
        schema::collect::<TopologyRequest>(named);
    }
}
