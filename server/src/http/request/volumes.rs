//! Bodies of register and create.

use super::{SecretsIn, Topology, TopologyRequest};
use crate::http::edge::{
    Refusal,
    credentials::ClientToken,
    json::{self, Node, Object},
};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The body of register and create: the volumes, and Nomad's write envelope.
///
/// The envelope counts where the query, or the header, says nothing.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "PascalCase")]
pub struct VolumesRequest {
    /// The volumes; none if absent, which the domain refuses.
    pub volumes: Vec<VolumeRequest>,
    /// The namespace of volumes that name none.
    pub namespace: Option<String>,
    /// The region that shall answer.
    pub region: Option<String>,
    /// Accepted and unused, as in Nomad.
    pub idempotency_token: Option<String>,
    /// The token of who sends no token header.
    #[schema(value_type = Option<String>, write_only)]
    pub auth_token: Option<ClientToken>,
    /// Asks to override soft policies, which needs the capability `sentinel-override`.
    #[schema(required = false)]
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
                namespace: object.filled_text("Namespace")?,
                region: object.filled_text("Region")?,
                idempotency_token: object.filled_text("IdempotencyToken")?,
                auth_token: object.filled_text("AuthToken")?.and_then(ClientToken::new),
                policy_override: object.boolean("PolicyOverride")?,
            })
        })
    }
}

/// One volume to register or create: what a client may set of it.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "PascalCase")]
pub struct VolumeRequest {
    /// The id, unique in its namespace. The id in the path does not count.
    #[schema(rename = "ID")]
    pub id: String,
    /// The name; needed to create.
    #[schema(required = false)]
    pub name: String,
    /// The namespace; that of the request if absent or empty.
    pub namespace: Option<String>,
    /// The plugin that the volume is of.
    #[schema(rename = "PluginID")]
    pub plugin_id: String,
    /// The driver's id of a volume that exists.
    #[schema(rename = "ExternalID", required = false)]
    pub external_id: String,
    /// The modes that the volume may be used in; at least one is needed.
    pub requested_capabilities: Option<Vec<VolumeCapability>>,
    /// The smallest capacity, in bytes; 0 for any.
    #[schema(required = false)]
    pub requested_capacity_min: i64,
    /// The largest capacity, in bytes; 0 for any.
    #[schema(required = false)]
    pub requested_capacity_max: i64,
    /// How file systems are mounted. Absent and `{}` differ while a volume is in use.
    pub mount_options: Option<MountOptionsRequest>,
    /// For the driver, at create (CSI `parameters`).
    pub parameters: Option<BTreeMap<String, String>>,
    /// For the driver; never answered.
    #[schema(value_type = Option<BTreeMap<String, String>>, write_only)]
    pub secrets: Option<SecretsIn>,
    /// The driver's own words about a volume that exists (CSI `volume_context`).
    pub context: Option<BTreeMap<String, String>>,
    /// Create it from this snapshot, by the driver's id.
    #[schema(rename = "SnapshotID", required = false)]
    pub snapshot_id: String,
    /// Create it as a copy of this volume, by the driver's id.
    #[schema(rename = "CloneID", required = false)]
    pub clone_id: String,
    /// Where it shall be accessible from.
    pub requested_topologies: Option<TopologyRequest>,
    /// Where it is accessible from.
    pub topologies: Option<Vec<Topology>>,
}

impl VolumeRequest {
    fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object()?;
        check_server_owned(&object)?;
        Ok(Self {
            id: object.text("ID")?,
            name: object.text("Name")?,
            namespace: object.filled_text("Namespace")?,
            plugin_id: object.text("PluginID")?,
            external_id: object.text("ExternalID")?,
            requested_capabilities: object.list("RequestedCapabilities", VolumeCapability::read)?,
            requested_capacity_min: object.bytes("RequestedCapacityMin")?,
            requested_capacity_max: object.bytes("RequestedCapacityMax")?,
            mount_options: object.child("MountOptions", MountOptionsRequest::read)?,
            parameters: object.map("Parameters")?,
            secrets: object.confidential_map("Secrets")?.map(SecretsIn::new),
            context: object.map("Context")?,
            snapshot_id: object.text("SnapshotID")?,
            clone_id: object.text("CloneID")?,
            requested_topologies: object.child("RequestedTopologies", TopologyRequest::read)?,
            topologies: Topology::list(&object, "Topologies")?,
        })
    }
}

/// Refuses fields of the server that Nomad refuses too; all others may hold anything.
fn check_server_owned(volume: &Object<'_>) -> Result<(), Refusal> {
    volume.unsigned("CreateIndex")?;
    volume.unsigned("ModifyIndex")?;
    volume.time("ResourceExhausted")?;
    Ok(())
}

/// One pair of modes that a volume may be used in.
#[derive(Clone, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "PascalCase")]
pub struct VolumeCapability {
    /// As sent: `single-node-writer` and the like, not checked here.
    pub access_mode: String,
    /// As sent: `file-system` or `block-device`, not checked here.
    pub attachment_mode: String,
}

impl VolumeCapability {
    fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object()?;
        Ok(Self {
            access_mode: object.text("AccessMode")?,
            attachment_mode: object.text("AttachmentMode")?,
        })
    }
}

/// How a volume's file system is mounted.
#[derive(Clone, Default, PartialEq, Eq, ToSchema)]
pub struct MountOptionsRequest {
    /// The file system's type; `""` for the driver's own choice.
    #[schema(rename = "FSType", required = false)]
    pub fs_type: String,
    /// Flags for mounting. They may hold credentials, so they are never printed.
    #[schema(rename = "MountFlags")]
    pub mount_flags: Option<Vec<String>>,
}

impl MountOptionsRequest {
    fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object()?;
        Ok(Self {
            fs_type: object.text("FSType")?,
            mount_flags: object.texts("MountFlags")?,
        })
    }
}

impl std::fmt::Debug for MountOptionsRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let flags = self.mount_flags.as_ref().map(|_| "[REDACTED]");
        f.debug_struct("MountOptionsRequest")
            .field("fs_type", &self.fs_type)
            .field("mount_flags", &flags)
            .finish()
    }
}
