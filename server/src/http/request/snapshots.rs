//! The body of snapshot create.

use super::{
    Envelope,
    schema::{self, Named, SecretsFromRequest, SecretsRequest},
};
use crate::csi::{Reference, Secrets};
use crate::http::edge::{
    Reason, Refusal,
    json::{self, Node},
};
use std::collections::BTreeMap;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

/// The body of snapshot create.
#[derive(Clone, Debug, Default)]
pub struct SnapshotsRequest {
    /// The snapshots to take; none if absent.
    pub snapshots: Vec<SnapshotRequest>,
    /// What stands beside them.
    pub envelope: Envelope,
}

impl SnapshotsRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`Reason::Malformed`], naming the place in the body, or [`Reason::NullSnapshot`].
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            Ok(Self {
                snapshots: object
                    .list("Snapshots", SnapshotRequest::read)?
                    .unwrap_or_default(),
                envelope: Envelope::read(&object)?,
            })
        })
    }
}

impl PartialSchema for SnapshotsRequest {
    fn schema() -> RefOr<Schema> {
        let snapshots = schema::optional_list(schema::reference::<SnapshotRequest>());
        let own = [("Snapshots", schema::at_most_32(snapshots))];
        schema::object(own.into_iter().chain(Envelope::properties())).into()
    }
}

impl ToSchema for SnapshotsRequest {
    fn schemas(named: &mut Named) {
        schema::collect::<SnapshotRequest>(named);
    }
}

/// One snapshot to take: what a client may set of it.
#[derive(Clone, Debug, Default)]
pub struct SnapshotRequest {
    /// The id of a registered volume.
    pub source_volume_id: String,
    /// The plugin; that of the volume if empty.
    pub plugin_id: String,
    /// The name for the driver, by which it knows a repeated request.
    pub name: String,
    /// For the driver, over those of the volume; never answered.
    pub secrets: Option<Secrets>,
    /// Where more of them are read from, at each call.
    pub secrets_from: Option<BTreeMap<String, Reference>>,
    /// For the driver (CSI `parameters`).
    pub parameters: Option<BTreeMap<String, String>>,
}

impl SnapshotRequest {
    fn read(node: Node<'_>) -> Result<Self, Refusal> {
        if node.is_null() {
            return Err(Refusal::new(Reason::NullSnapshot, "snapshot cannot be nil"));
        }
        let object = node.object()?;
        Ok(Self {
            source_volume_id: object.text("SourceVolumeID")?,
            plugin_id: object.text("PluginID")?,
            name: object.text("Name")?,
            secrets: object.secrets("Secrets")?,
            secrets_from: object.references("SecretsFrom")?,
            parameters: object.map("Parameters")?,
        })
    }
}

/// What only the server sets of a snapshot.
const SERVER_OWNED: [&str; 5] = [
    "ID",
    "ExternalSourceVolumeID",
    "SizeBytes",
    "CreateTime",
    "IsReady",
];

impl PartialSchema for SnapshotRequest {
    fn schema() -> RefOr<Schema> {
        let object = schema::object([
            ("SourceVolumeID", schema::text()),
            ("PluginID", schema::text()),
            ("Name", schema::text()),
            ("Secrets", schema::optional::<SecretsRequest>()),
            ("SecretsFrom", schema::optional::<SecretsFromRequest>()),
            ("Parameters", schema::map()),
        ]);
        schema::with_ignored(object, &SERVER_OWNED)
    }
}

impl ToSchema for SnapshotRequest {
    fn schemas(named: &mut Named) {
        schema::collect::<SecretsRequest>(named);
        schema::collect::<SecretsFromRequest>(named);
    }
}
