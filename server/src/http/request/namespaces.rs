//! The body of a namespace.

use super::schema;
use crate::http::edge::{Refusal, json};
use std::collections::BTreeMap;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

/// What a namespace is to be.
#[derive(Clone, Debug, Default)]
pub struct NamespaceRequest {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What its users note about it.
    pub meta: BTreeMap<String, String>,
}

impl NamespaceRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            Ok(Self {
                name: object.text("Name")?,
                description: object.text("Description")?,
                meta: object.map("Meta")?.unwrap_or_default(),
            })
        })
    }
}

/// What only Nomad's scheduler uses, and what only the server sets.
const IGNORED: [&str; 10] = [
    "Capabilities",
    "ConsulConfiguration",
    "CreateIndex",
    "Hash",
    "ModifyIndex",
    "NodePoolConfiguration",
    "OptionalExtraClaims",
    "Quota",
    "RequiredExtraClaims",
    "VaultConfiguration",
];

impl PartialSchema for NamespaceRequest {
    fn schema() -> RefOr<Schema> {
        let object = schema::object([
            ("Name", schema::text()),
            ("Description", schema::text()),
            ("Meta", schema::map()),
        ]);
        schema::with_ignored(object, &IGNORED)
    }
}

impl ToSchema for NamespaceRequest {}
