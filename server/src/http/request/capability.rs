//! How a volume may be used, and mounted.

use super::schema;
use crate::http::edge::{Refusal, json::Node};
use std::fmt;
use utoipa::{ToSchema, openapi::schema::Object};

/// One pair of modes that a volume may be used in.
#[derive(Clone, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "PascalCase")]
pub struct CapabilityRequest {
    /// By how many nodes, and whether for writing. As sent, not checked here.
    #[schema(schema_with = access_modes)]
    pub access_mode: String,
    /// As a mounted file system or as a block device. As sent, not checked here.
    #[schema(schema_with = attachment_modes)]
    pub attachment_mode: String,
}

impl CapabilityRequest {
    pub(super) fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object()?;
        Ok(Self {
            access_mode: object.text("AccessMode")?,
            attachment_mode: object.text("AttachmentMode")?,
        })
    }
}

fn access_modes() -> Object {
    schema::word(&[
        "single-node-reader-only",
        "single-node-writer",
        "single-node-single-writer",
        "single-node-multi-writer",
        "multi-node-reader-only",
        "multi-node-single-writer",
        "multi-node-multi-writer",
    ])
}

fn attachment_modes() -> Object {
    schema::word(&["file-system", "block-device"])
}

/// How a volume's file system is mounted.
#[derive(Clone, Default, PartialEq, Eq, ToSchema)]
pub struct MountOptionsRequest {
    /// The file system's type; `""` for the driver's own choice.
    #[schema(rename = "FSType", value_type = Option<String>)]
    pub fs_type: String,
    /// Flags for mounting. They may hold credentials, so they are never printed.
    #[schema(rename = "MountFlags")]
    pub mount_flags: Option<Vec<String>>,
}

impl MountOptionsRequest {
    pub(super) fn read(node: Node<'_>) -> Result<Self, Refusal> {
        let object = node.object()?;
        Ok(Self {
            fs_type: object.text("FSType")?,
            mount_flags: object.texts("MountFlags")?,
        })
    }
}

impl fmt::Debug for MountOptionsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.mount_flags.as_ref().map(|_| "[REDACTED]");
        f.debug_struct("MountOptionsRequest")
            .field("fs_type", &self.fs_type)
            .field("mount_flags", &flags)
            .finish()
    }
}
