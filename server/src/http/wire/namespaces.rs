//! Namespaces, as Nomad shows them.

use super::Withheld;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, SchemaType};

/// A namespace. What only Nomad's scheduler knows of one is `null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Namespace<'a> {
    /// Always `null`.
    #[schema(schema_with = anything, required)]
    pub capabilities: Withheld,
    /// Always `null`.
    #[schema(schema_with = anything, required)]
    pub consul_configuration: Withheld,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// What it is for.
    pub description: Cow<'a, str>,
    /// Tells whether two are alike.
    #[schema(required)]
    pub hash: Option<Cow<'a, str>>,
    /// What its users note about it.
    #[schema(value_type = Option<BTreeMap<String, String>>, required)]
    pub meta: Option<Cow<'a, BTreeMap<String, String>>>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Always `null`.
    #[schema(schema_with = anything, required)]
    pub node_pool_configuration: Withheld,
    /// Always `null`.
    #[schema(schema_with = anything, required)]
    pub optional_extra_claims: Withheld,
    /// Always empty.
    pub quota: Cow<'a, str>,
    /// Always `null`.
    #[schema(schema_with = anything, required)]
    pub required_extra_claims: Withheld,
    /// Always `null`.
    #[schema(schema_with = anything, required)]
    pub vault_configuration: Withheld,
}

/// Any value.
fn anything() -> Object {
    Object::with_type(SchemaType::AnyValue)
}
