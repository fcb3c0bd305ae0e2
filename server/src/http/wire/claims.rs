//! Claims, as readers see them.

use super::MountOptions;
use jiff::Timestamp;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// One use of a volume on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Claim<'a> {
    /// The access mode.
    pub access_mode: Cow<'a, str>,
    /// The claim's name.
    #[serde(rename = "AllocationID")]
    #[schema(format = "uuid")]
    pub allocation_id: Cow<'a, str>,
    /// `file-system` or `block-device`.
    pub attachment_mode: Cow<'a, str>,
    /// How often the driver was asked for the step.
    pub attempts: i64,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub create_time: Timestamp,
    /// The label of the request.
    #[serde(rename = "JobID")]
    pub job_id: Cow<'a, str>,
    /// What the last try that failed said; of a failed claim, why it failed.
    #[schema(required)]
    pub last_error: Option<Cow<'a, str>>,
    /// Its gRPC code by name.
    #[schema(required)]
    pub last_error_code: Option<Cow<'a, str>>,
    /// The index of the last change to it, or to what it waits for on its node.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// How the file system is mounted.
    pub mount_options: MountOptions<'a>,
    /// The label of the request.
    pub name: Cow<'a, str>,
    /// The namespace of its volume.
    pub namespace: Cow<'a, str>,
    /// When the step is tried next.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub next_try: Option<Timestamp>,
    /// The node it is on.
    #[serde(rename = "NodeID")]
    pub node_id: Cow<'a, str>,
    /// `republish` or `release`.
    pub on_reboot: Cow<'a, str>,
    /// The plugin that holds its volume.
    #[serde(rename = "PluginID")]
    pub plugin_id: Cow<'a, str>,
    /// Whether it only reads.
    pub read_only: bool,
    /// When its release was asked for, or became due.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub release_time: Option<Timestamp>,
    /// Since when it is in its state.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// `taken`, `published`, `unpublished`, `gone` or `failed`.
    pub state: Cow<'a, str>,
    /// `attach`, `stage`, `publish`, `unpublish`, `unstage` or `detach`; empty when there is nothing to do.
    pub step: Cow<'a, str>,
    /// Where the volume is on the node once it is published.
    pub target_path: Cow<'a, str>,
    /// The volume.
    #[serde(rename = "VolumeID")]
    pub volume_id: Cow<'a, str>,
    /// What it waits for, in words that somebody can act on.
    #[schema(required)]
    pub waits_for: Option<Cow<'a, str>>,
}
