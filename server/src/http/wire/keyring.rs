//! Data keys, as Nomad shows its root keys.

use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// A data key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RootKey<'a> {
    /// How it encrypts.
    pub algorithm: Cow<'a, str>,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// When it was made, in nanoseconds since 1970.
    pub create_time: i64,
    /// Its id.
    #[serde(rename = "KeyID")]
    pub key_id: Cow<'a, str>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Always 0.
    pub publish_time: i64,
    /// What it is used for.
    pub state: Cow<'a, str>,
}

/// The key that a rotation made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RootKeyMade<'a> {
    /// The index of the change.
    #[schema(format = "uint64")]
    pub index: u64,
    /// The key.
    pub key: RootKey<'a>,
}
