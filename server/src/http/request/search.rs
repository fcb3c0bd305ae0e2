//! The body of a search.

use super::schema::{self, Named};
use crate::http::edge::{Refusal, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

/// Which ids are looked for.
#[derive(Clone, Debug, Default)]
pub struct SearchRequest {
    /// How they begin.
    pub prefix: String,
    /// Of what. As sent, not checked here.
    pub context: String,
}

/// Which names are looked for.
#[derive(Clone, Debug, Default)]
pub struct FuzzySearchRequest {
    /// What they contain.
    pub text: String,
    /// Of what. As sent, not checked here.
    pub context: String,
}

impl SearchRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            Ok(Self {
                prefix: object.text("Prefix")?,
                context: object.text("Context")?,
            })
        })
    }
}

impl FuzzySearchRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// As [`SearchRequest::decode`].
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            Ok(Self {
                text: object.text("Text")?,
                context: object.text("Context")?,
            })
        })
    }
}

impl PartialSchema for SearchRequest {
    fn schema() -> RefOr<Schema> {
        schema::object([("Prefix", schema::text()), ("Context", schema::text())]).into()
    }
}

impl ToSchema for SearchRequest {
    fn schemas(_: &mut Named) {}
}

impl PartialSchema for FuzzySearchRequest {
    fn schema() -> RefOr<Schema> {
        schema::object([("Text", schema::text()), ("Context", schema::text())]).into()
    }
}

impl ToSchema for FuzzySearchRequest {
    fn schemas(_: &mut Named) {}
}
