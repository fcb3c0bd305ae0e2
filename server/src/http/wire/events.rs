//! What happened.

use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use utoipa::ToSchema;

/// What one commit did. An empty object is sent first, and while nothing happens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Events<'a> {
    /// What happened.
    pub events: Vec<Event<'a>>,
    /// The commit's index.
    pub index: u64,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Event<'a> {
    /// Other names that it is found by.
    #[schema(nullable)]
    pub filter_keys: Vec<Cow<'a, str>>,
    /// The commit's index.
    pub index: u64,
    /// The id of what it happened to.
    pub key: Cow<'a, str>,
    /// The namespace of what it happened to; empty if that is in none.
    pub namespace: Cow<'a, str>,
    /// What it happened to, as reading shows it.
    #[schema(value_type = Object)]
    pub payload: &'a RawValue,
    /// What kind of thing that is.
    pub topic: &'static str,
    /// What happened.
    #[serde(rename = "Type")]
    pub kind: &'static str,
}
