//! What is under way at the storage, as readers see it.

use jiff::Timestamp;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;
use uuid::Uuid;

/// A change at the storage, under way or ended within the last hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Operation<'a> {
    /// How often the driver was called for it.
    pub attempts: i64,
    /// Who asked for it: the accessor id of a token, or `anonymous`.
    pub by: Cow<'a, str>,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub create_time: Timestamp,
    /// Until when; `None` while it is under way.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub end_time: Option<Timestamp>,
    /// The storage provider's id for the volume; empty if not yet known.
    #[serde(rename = "ExternalID")]
    pub external_id: Cow<'a, str>,
    /// Which holder of the plugin's lease works on it.
    #[schema(format = "uint64")]
    pub generation: u64,
    /// Its id.
    #[serde(rename = "ID")]
    #[schema(value_type = String, format = "uuid")]
    pub id: Uuid,
    /// `create`, `expand`, `delete`, `snapshot` or `delete-snapshot`.
    pub kind: Cow<'a, str>,
    /// What the last try that failed said.
    #[schema(required)]
    pub last_error: Option<Cow<'a, str>>,
    /// Its gRPC code by name.
    #[schema(required)]
    pub last_error_code: Option<Cow<'a, str>>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// The name at the driver of what is created; else empty.
    pub name: Cow<'a, str>,
    /// The namespace of its volume.
    pub namespace: Cow<'a, str>,
    /// When it is tried next.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub next_try: Option<Timestamp>,
    /// The plugin that does it.
    #[serde(rename = "PluginID")]
    pub plugin_id: Cow<'a, str>,
    /// Why it was given up.
    #[schema(required)]
    pub reason: Option<Cow<'a, str>>,
    /// The snapshot it is about; else empty.
    #[serde(rename = "SnapshotID")]
    pub snapshot_id: Cow<'a, str>,
    /// `waiting`, `running`, `done`, `failed` or `abandoned`.
    pub state: Cow<'a, str>,
    /// The volume it is about; else empty.
    #[serde(rename = "VolumeID")]
    pub volume_id: Cow<'a, str>,
    /// What it waits for, in words that somebody can act on.
    #[schema(required)]
    pub waits_for: Option<Cow<'a, str>>,
}
