//! Nomad's write envelope, which every request with a body may carry at its top.

use super::schema;
use crate::http::edge::{Refusal, credentials::ClientToken, json::Object};
use utoipa::openapi::{RefOr, schema::Schema};

/// What counts where the query, or the header, says nothing. Empty is absent.
///
/// `SecretID`, which Nomad's Go client sends beside it, is ignored, as Nomad does.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// The namespace of what names none itself.
    pub namespace: Option<String>,
    /// The region that shall answer.
    pub region: Option<String>,
    /// Accepted and unused, as in Nomad.
    pub idempotency_token: Option<String>,
    /// The token of who sends no token header.
    pub auth_token: Option<ClientToken>,
}

impl Envelope {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            namespace: object.filled_text("Namespace")?,
            region: object.filled_text("Region")?,
            idempotency_token: object.filled_text("IdempotencyToken")?,
            auth_token: object.filled_text("AuthToken")?.and_then(ClientToken::new),
        })
    }

    pub(super) fn properties() -> [(&'static str, RefOr<Schema>); 5] {
        [
            ("Namespace", schema::text()),
            ("Region", schema::text()),
            ("IdempotencyToken", schema::text()),
            ("AuthToken", schema::secret_text()),
            ("SecretID", schema::ignored_secret()),
        ]
    }
}
