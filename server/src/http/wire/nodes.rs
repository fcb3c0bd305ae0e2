//! Nodes. The fields are Nomad's as far as it has them; what only its scheduler knows is left out.

use super::PluginInstance;
use super::blank::Blanks;
use jiff::Timestamp;
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::{
    ToSchema,
    openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Ref, Schema, Type},
};

/// A node, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct NodeStub<'a> {
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fence: Option<Fence<'a>>,
    /// Its id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Its host name.
    pub name: Cow<'a, str>,
    /// `eligible`, or `ineligible` if it takes no claims.
    pub scheduling_eligibility: Cow<'a, str>,
    /// `ready` or `down`.
    pub status: Cow<'a, str>,
    /// Its status in words.
    pub status_description: Cow<'a, str>,
    /// Its address, if it is this server's host.
    #[schema(ignore)]
    pub address: Cow<'a, str>,
    /// What only Nomad's scheduler knows.
    #[serde(flatten)]
    #[schema(ignore)]
    pub blanks: Blanks,
}

/// A node with its plugins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Node<'a> {
    /// What tells one start of the host from the next; absent if it is not known.
    #[serde(rename = "BootID", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub boot_id: Option<Cow<'a, str>>,
    /// The controllers that run there, by the ids of their plugins.
    #[serde(rename = "CSIControllerPlugins")]
    #[schema(schema_with = instances)]
    pub controller_plugins: BTreeMap<Cow<'a, str>, PluginInstance<'a>>,
    /// The plugins whose volumes can be claimed there, by their ids.
    #[serde(rename = "CSINodePlugins")]
    #[schema(schema_with = instances)]
    pub node_plugins: BTreeMap<Cow<'a, str>, PluginInstance<'a>>,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fence: Option<Fence<'a>>,
    /// Its id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Its host name.
    pub name: Cow<'a, str>,
    /// `eligible`, or `ineligible` if it takes no claims.
    pub scheduling_eligibility: Cow<'a, str>,
    /// `ready` or `down`.
    pub status: Cow<'a, str>,
    /// Its status in words.
    pub status_description: Cow<'a, str>,
    /// Where its server answers, if it is this server's host.
    #[serde(rename = "HTTPAddr")]
    #[schema(ignore)]
    pub http_address: Cow<'a, str>,
    /// Whether it answers over TLS, likewise.
    #[serde(rename = "TLSEnabled")]
    #[schema(ignore)]
    pub tls_enabled: bool,
    /// What only Nomad's scheduler knows.
    #[serde(flatten)]
    #[schema(ignore)]
    pub blanks: Blanks,
}

/// Somebody's word that nothing on the node uses a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Fence<'a> {
    /// Who said so.
    pub by: Cow<'a, str>,
    /// How that is known.
    pub reason: Cow<'a, str>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
}

/// Instances of plugins by the plugins' ids; a real Nomad may send `null` for one.
fn instances() -> Object {
    let instance = OneOfBuilder::new()
        .item(Ref::from_schema_name(PluginInstance::name()))
        .item(Object::with_type(Type::Null));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(Schema::OneOf(instance.build())))
        .build()
}
