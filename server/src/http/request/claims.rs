//! The body of a claim.

use super::{
    MountOptionsRequest,
    schema::{self, Named},
};
use crate::http::edge::{Refusal, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

/// Who uses a volume, where and how. What is absent is left to the server, and so is what is empty, but
/// for the claim's name.
#[derive(Clone, Debug, Default)]
pub struct ClaimRequest {
    /// The claim's name. As sent, not checked here.
    pub allocation_id: Option<String>,
    /// The node to publish on.
    pub node_id: Option<String>,
    /// Whether it only reads.
    pub read_only: bool,
    /// The access mode. As sent, not checked here.
    pub access_mode: Option<String>,
    /// The attachment mode. As sent, not checked here.
    pub attachment_mode: Option<String>,
    /// How the file system is mounted.
    pub mount_options: Option<MountOptionsRequest>,
    /// Where to publish on the node.
    pub target_path: Option<String>,
    /// What happens when the node was started anew. As sent, not checked here.
    pub on_reboot: Option<String>,
    /// A label.
    pub name: String,
    /// A label.
    pub job_id: String,
}

impl ClaimRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            Ok(Self {
                allocation_id: object.optional_text("AllocationID")?,
                node_id: object.filled_text("NodeID")?,
                read_only: object.boolean("ReadOnly")?,
                access_mode: object.filled_text("AccessMode")?,
                attachment_mode: object.filled_text("AttachmentMode")?,
                mount_options: object.child("MountOptions", MountOptionsRequest::read)?,
                target_path: object.filled_text("TargetPath")?,
                on_reboot: object.filled_text("OnReboot")?,
                name: object.text("Name")?,
                job_id: object.text("JobID")?,
            })
        })
    }
}

impl PartialSchema for ClaimRequest {
    fn schema() -> RefOr<Schema> {
        schema::object([
            ("AllocationID", schema::uuid()),
            ("NodeID", schema::text()),
            ("ReadOnly", schema::boolean()),
            ("AccessMode", schema::text()),
            ("AttachmentMode", schema::text()),
            ("MountOptions", schema::optional::<MountOptionsRequest>()),
            ("TargetPath", schema::text()),
            ("OnReboot", schema::text()),
            ("Name", schema::text()),
            ("JobID", schema::text()),
        ])
        .into()
    }
}

impl ToSchema for ClaimRequest {
    fn schemas(named: &mut Named) {
        schema::collect::<MountOptionsRequest>(named);
    }
}
