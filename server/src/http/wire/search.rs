//! What a search found.

use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Ids, by kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SearchAnswer<'a> {
    /// The newest change to anything that is searched.
    #[schema(format = "uint64")]
    pub index: u64,
    /// Whether a leader is known.
    pub known_leader: bool,
    /// How old the answer is, in nanoseconds.
    pub last_contact: i64,
    /// The ids of each kind that was searched; `null` where none was found.
    #[schema(value_type = BTreeMap<String, Option<Vec<String>>>)]
    pub matches: BTreeMap<&'static str, Option<Vec<Cow<'a, str>>>>,
    /// Empty.
    pub next_token: &'static str,
    /// Whether there are more of a kind.
    #[schema(value_type = BTreeMap<String, bool>)]
    pub truncations: BTreeMap<&'static str, bool>,
}

/// Names, by kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct FuzzySearchAnswer<'a> {
    /// The newest change to anything that is searched.
    #[schema(format = "uint64")]
    pub index: u64,
    /// Whether a leader is known.
    pub known_leader: bool,
    /// How old the answer is, in nanoseconds.
    pub last_contact: i64,
    /// The names of each kind that was searched; `null` where none was found.
    #[schema(value_type = BTreeMap<String, Option<Vec<FuzzyMatch<'a>>>>)]
    pub matches: BTreeMap<&'static str, Option<Vec<FuzzyMatch<'a>>>>,
    /// Empty.
    pub next_token: &'static str,
    /// Whether there are more of a kind.
    #[schema(value_type = BTreeMap<String, bool>)]
    pub truncations: BTreeMap<&'static str, bool>,
}

/// One thing that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct FuzzyMatch<'a> {
    /// Its name.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// Where it is, from the outside in; `null` if it is in no namespace.
    #[schema(required)]
    pub scope: Option<Vec<Cow<'a, str>>>,
}
