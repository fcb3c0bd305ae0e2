//! Tokens, policies and roles, as Nomad shows them.

use super::Withheld;
use jiff::Timestamp;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, SchemaType};

/// A token. Nomad writes its fields in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Token<'a> {
    /// How long after its making it was to expire, as Go writes it; empty if not so asked.
    #[serde(rename = "ExpirationTTL")]
    pub expiration_ttl: Cow<'a, str>,
    /// Its name in the API.
    #[serde(rename = "AccessorID")]
    pub accessor_id: Cow<'a, str>,
    /// Its secret: when it is made, and to who has it. Empty otherwise.
    #[serde(rename = "SecretID")]
    pub secret_id: Cow<'a, str>,
    /// Its label.
    pub name: Cow<'a, str>,
    /// `client` or `management`.
    #[serde(rename = "Type")]
    pub kind: Cow<'a, str>,
    /// Its policies.
    #[schema(required)]
    pub policies: Option<Vec<Cow<'a, str>>>,
    /// Its roles.
    #[schema(required)]
    pub roles: Option<Vec<RoleLink<'a>>>,
    /// Whether it counts in every region.
    pub global: bool,
    /// Tells whether two are alike.
    #[schema(required)]
    pub hash: Option<Cow<'a, str>>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub create_time: Timestamp,
    /// When it expires.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub expiration_time: Option<Timestamp>,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
}

/// A token, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TokenStub<'a> {
    /// Its name in the API.
    #[serde(rename = "AccessorID")]
    pub accessor_id: Cow<'a, str>,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub create_time: Timestamp,
    /// When it expires.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub expiration_time: Option<Timestamp>,
    /// Whether it counts in every region.
    pub global: bool,
    /// Tells whether two are alike.
    #[schema(required)]
    pub hash: Option<Cow<'a, str>>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Its label.
    pub name: Cow<'a, str>,
    /// Its policies.
    #[schema(required)]
    pub policies: Option<Vec<Cow<'a, str>>>,
    /// Its roles.
    #[schema(required)]
    pub roles: Option<Vec<RoleLink<'a>>>,
    /// `client` or `management`.
    #[serde(rename = "Type")]
    pub kind: Cow<'a, str>,
}

/// A role of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoleLink<'a> {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// Its name; empty if there is no such role any more.
    #[serde(rename = "Name")]
    pub name: Cow<'a, str>,
}

/// A policy, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyStub<'a> {
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// What it is for.
    pub description: Cow<'a, str>,
    /// Tells whether two are alike.
    #[schema(required)]
    pub hash: Option<Cow<'a, str>>,
    /// Always `null`: policies of workloads are Nomad's.
    #[serde(rename = "JobACL")]
    #[schema(schema_with = anything, required)]
    pub job_acl: Withheld,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Its name.
    pub name: Cow<'a, str>,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Policy<'a> {
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// What it is for.
    pub description: Cow<'a, str>,
    /// Tells whether two are alike.
    #[schema(required)]
    pub hash: Option<Cow<'a, str>>,
    /// Always `null`: policies of workloads are Nomad's.
    #[serde(rename = "JobACL")]
    #[schema(schema_with = anything, required)]
    pub job_acl: Withheld,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its rules, as they were written.
    pub rules: Cow<'a, str>,
    /// What they say, shorthands written out.
    #[serde(rename = "RulesJSON")]
    #[schema(schema_with = anything, required)]
    pub rules_json: serde_json::Value,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Role<'a> {
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// What it is for.
    pub description: Cow<'a, str>,
    /// Tells whether two are alike.
    #[schema(required)]
    pub hash: Option<Cow<'a, str>>,
    /// Its id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its policies.
    #[schema(required)]
    pub policies: Option<Vec<PolicyLink<'a>>>,
}

/// A policy of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyLink<'a> {
    /// Its name.
    #[serde(rename = "Name")]
    pub name: Cow<'a, str>,
}

/// Any value.
fn anything() -> Object {
    Object::with_type(SchemaType::AnyValue)
}
