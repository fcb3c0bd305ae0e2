//! The body of snapshot create.

use super::SecretsIn;
use crate::http::edge::{
    Refusal,
    credentials::ClientToken,
    json::{self, Node},
};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The body of snapshot create: the snapshots, and Nomad's write envelope.
///
/// The envelope counts where the query, or the header, says nothing.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "PascalCase")]
pub struct SnapshotsRequest {
    /// The snapshots to take; none if absent.
    pub snapshots: Vec<SnapshotRequest>,
    /// The namespace of the source volumes.
    pub namespace: Option<String>,
    /// The region that shall answer.
    pub region: Option<String>,
    /// Accepted and unused, as in Nomad.
    pub idempotency_token: Option<String>,
    /// The token of who sends no token header.
    #[schema(value_type = Option<String>, write_only)]
    pub auth_token: Option<ClientToken>,
}

impl SnapshotsRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            Ok(Self {
                snapshots: object
                    .list("Snapshots", SnapshotRequest::read)?
                    .unwrap_or_default(),
                namespace: object.filled_text("Namespace")?,
                region: object.filled_text("Region")?,
                idempotency_token: object.filled_text("IdempotencyToken")?,
                auth_token: object.filled_text("AuthToken")?.and_then(ClientToken::new),
            })
        })
    }
}

/// One snapshot to take: what a client may set of it.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "PascalCase")]
pub struct SnapshotRequest {
    /// The id of a registered volume.
    #[schema(rename = "SourceVolumeID")]
    pub source_volume_id: String,
    /// The plugin; that of the volume if empty.
    #[schema(rename = "PluginID", required = false)]
    pub plugin_id: String,
    /// The name for the driver, by which it knows a repeated request.
    #[schema(required = false)]
    pub name: String,
    /// For the driver, over those of the volume; never answered.
    #[schema(value_type = Option<BTreeMap<String, String>>, write_only)]
    pub secrets: Option<SecretsIn>,
    /// For the driver (CSI `parameters`).
    pub parameters: Option<BTreeMap<String, String>>,
}

impl SnapshotRequest {
    fn read(node: Node<'_>) -> Result<Self, Refusal> {
        if node.is_null() {
            return Err(Refusal::malformed("snapshot cannot be nil"));
        }
        let object = node.object()?;
        Ok(Self {
            source_volume_id: object.text("SourceVolumeID")?,
            plugin_id: object.text("PluginID")?,
            name: object.text("Name")?,
            secrets: object.confidential_map("Secrets")?.map(SecretsIn::new),
            parameters: object.map("Parameters")?,
        })
    }
}
