//! Snapshots, as their storage provider reports them.

use super::Withheld;
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::ToSchema;

/// Snapshots that were taken, or one page of those that exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Snapshots<'a> {
    /// As the header `X-Nomad-Index`.
    #[schema(format = "uint64")]
    pub index: u64,
    /// Whether there is a leader.
    pub known_leader: bool,
    /// Nanoseconds since this server knew to be up to date.
    pub last_contact: i64,
    /// The driver's token of the next page; empty on the last one.
    pub next_token: Cow<'a, str>,
    /// The snapshots; `None` if none were asked for.
    #[schema(required)]
    pub snapshots: Option<Vec<Snapshot<'a>>>,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Snapshot<'a> {
    /// When it was taken; seconds since 1970.
    pub create_time: i64,
    /// The ExternalID of its volume.
    #[serde(rename = "ExternalSourceVolumeID")]
    pub external_source_volume_id: Cow<'a, str>,
    /// The provider's id for it.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// Whether a volume can be filled from it now.
    pub is_ready: bool,
    /// Its name; empty in lists.
    pub name: Cow<'a, str>,
    /// What the driver was told when it was taken; `None` in lists.
    #[schema(value_type = Option<BTreeMap<String, String>>, required)]
    pub parameters: Option<Cow<'a, BTreeMap<String, String>>>,
    /// The plugin that holds it.
    #[serde(rename = "PluginID")]
    pub plugin_id: Cow<'a, str>,
    /// Always `null`.
    #[schema(value_type = Option<BTreeMap<String, String>>, required)]
    pub secrets: Withheld,
    /// What a volume filled from it needs; 0 if unknown.
    pub size_bytes: i64,
    /// Its volume's id here; empty in lists.
    #[serde(rename = "SourceVolumeID")]
    pub source_volume_id: Cow<'a, str>,
}
