//! Volumes, as their storage provider reports them.

use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::ToSchema;

/// What a storage provider holds, or one page of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ExternalVolumes<'a> {
    /// As the header `X-Nomad-Index`.
    #[schema(format = "uint64")]
    pub index: u64,
    /// Whether there is a leader.
    pub known_leader: bool,
    /// Nanoseconds since this server knew to be up to date.
    pub last_contact: i64,
    /// The driver's token of the next page; empty on the last one.
    pub next_token: Cow<'a, str>,
    /// The volumes, in the provider's order.
    #[schema(required)]
    pub volumes: Option<Vec<ExternalVolume<'a>>>,
}

/// A volume as its storage provider reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ExternalVolume<'a> {
    /// Its size in bytes; 0 if unknown.
    pub capacity_bytes: i64,
    /// The volume it was filled from.
    #[serde(rename = "CloneID")]
    pub clone_id: Cow<'a, str>,
    /// The provider's id for it.
    #[serde(rename = "ExternalID")]
    pub external_id: Cow<'a, str>,
    /// Whether something is wrong with it.
    pub is_abnormal: bool,
    /// Nodes it is attached to, by the driver's ids for them.
    #[serde(rename = "PublishedExternalNodeIDs")]
    #[schema(required)]
    pub published_external_node_ids: Option<Vec<Cow<'a, str>>>,
    /// The snapshot it was filled from.
    #[serde(rename = "SnapshotID")]
    pub snapshot_id: Cow<'a, str>,
    /// Its condition in words.
    pub status: Cow<'a, str>,
    /// What the driver wants to be told with every call.
    #[schema(value_type = Option<BTreeMap<String, String>>, required)]
    pub volume_context: Option<Cow<'a, BTreeMap<String, String>>>,
}
