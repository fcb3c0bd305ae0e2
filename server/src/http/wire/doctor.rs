//! What needs somebody's attention.

use jiff::Timestamp;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// What needs somebody's attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Diagnosis<'a> {
    /// What was found, by plugin, kind and id.
    pub findings: Vec<Finding<'a>>,
    /// Every plugin, and what it said it has.
    pub plugins: Vec<PluginListing<'a>>,
}

/// One thing that needs somebody's attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Finding<'a> {
    /// The claim that it is about.
    #[serde(rename = "AllocationID")]
    #[schema(required)]
    pub allocation_id: Option<Cow<'a, str>>,
    /// The storage provider's id for the volume that it is about.
    #[serde(rename = "ExternalID")]
    #[schema(required)]
    pub external_id: Option<Cow<'a, str>>,
    /// What it is.
    pub kind: Cow<'a, str>,
    /// What it means.
    pub meaning: Cow<'a, str>,
    /// The namespace of the volume that it is about.
    #[schema(required)]
    pub namespace: Option<Cow<'a, str>>,
    /// The node that it is about.
    #[serde(rename = "NodeID")]
    #[schema(required)]
    pub node_id: Option<Cow<'a, str>>,
    /// The operation that it is about.
    #[serde(rename = "OperationID")]
    #[schema(required)]
    pub operation_id: Option<Cow<'a, str>>,
    /// The plugin that it is about.
    #[serde(rename = "PluginID")]
    pub plugin_id: Cow<'a, str>,
    /// What to do.
    pub remedy: Cow<'a, str>,
    /// Since when, if that is known.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub since: Option<Timestamp>,
    /// The volume that it is about.
    #[serde(rename = "VolumeID")]
    #[schema(required)]
    pub volume_id: Option<Cow<'a, str>>,
}

/// What a plugin said it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PluginListing<'a> {
    /// Whether it was asked.
    pub asked: bool,
    /// Whether it told all that it has.
    pub complete: bool,
    /// The plugin's id.
    #[serde(rename = "PluginID")]
    pub plugin_id: Cow<'a, str>,
    /// How many volumes it told of.
    pub volumes: i64,
}
