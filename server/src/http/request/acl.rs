//! Bodies of access control: tokens, policies, roles.

use super::schema::{self, Named};
use crate::acl::{Policy, RoleSpec, TokenSpec};
use crate::http::edge::json::{self, Object};
use crate::http::edge::{Refusal, spelling};
use jiff::{SignedDuration, Timestamp};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

/// What the first token is to be.
#[derive(Clone, Debug, Default)]
pub struct BootstrapRequest {
    /// Its secret; one is made up if this is empty. Never printed.
    secret: Option<Secret>,
}

#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl BootstrapRequest {
    /// Decodes a body; none at all is as good as an empty object.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            let secret = object.filled_text("BootstrapSecret")?.map(Secret);
            Ok(Self { secret })
        })
    }

    /// The secret that is asked for; empty if none is.
    pub fn secret(&self) -> &str {
        self.secret.as_ref().map_or("", |secret| &secret.0)
    }
}

impl PartialSchema for BootstrapRequest {
    fn schema() -> RefOr<Schema> {
        schema::object([("BootstrapSecret", schema::secret_text())]).into()
    }
}

impl ToSchema for BootstrapRequest {}

/// What a token is to be.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// Which token, if it is there already; empty for a new one.
    pub accessor_id: String,
    /// What it is to be.
    pub spec: TokenSpec,
}

impl TokenRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            let roles = object.list("Roles", |node| {
                let role = node.object()?;
                Ok((role.text("ID")?, role.text("Name")?))
            })?;
            Ok(Self {
                accessor_id: object.text("AccessorID")?,
                spec: TokenSpec {
                    name: object.text("Name")?,
                    kind: object.text("Type")?,
                    policies: object.texts("Policies")?.unwrap_or_default(),
                    roles: roles.unwrap_or_default(),
                    global: object.boolean("Global")?,
                    expires_at: time(&object, "ExpirationTime")?,
                    expiration_ttl: duration(&object, "ExpirationTTL")?,
                },
            })
        })
    }
}

/// Go's zero time, which stands for none.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A time; none if it is absent, null or Go's zero.
fn time(object: &Object<'_>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    match object.filled_text(name)?.as_deref() {
        None | Some(NO_TIME) => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            Refusal::malformed(format!(
                "{name}: expected a time such as 2026-11-21T12:00:00Z"
            ))
        }),
    }
}

/// A duration as Go writes it, or its nanoseconds.
fn duration(object: &Object<'_>, name: &str) -> Result<SignedDuration, Refusal> {
    let nanoseconds = match object.filled_text(name) {
        Ok(None) => 0,
        Ok(Some(text)) => spelling::duration(&text).ok_or_else(|| {
            Refusal::malformed(format!("{name}: expected a duration such as 8h or 30m"))
        })?,
        Err(_) => object.bytes(name)?,
    };
    Ok(SignedDuration::from_nanos(nanoseconds))
}

impl PartialSchema for TokenRequest {
    fn schema() -> RefOr<Schema> {
        let texts = schema::optional_list(schema::plain_text());
        let roles = schema::optional_list(schema::reference::<RoleLinkRequest>());
        let object = schema::object([
            ("AccessorID", schema::text()),
            ("Name", schema::text()),
            ("Type", schema::text()),
            ("Policies", texts.into()),
            ("Roles", roles.into()),
            ("Global", schema::boolean()),
            ("ExpirationTime", schema::text()),
        ]);
        let ignored = ["CreateIndex", "CreateTime", "Hash", "ModifyIndex"];
        let object = object.property("SecretID", schema::ignored_secret());
        let object = object.property("ExpirationTTL", schema::anything());
        schema::with_ignored(object, &ignored)
    }
}

impl ToSchema for TokenRequest {
    fn schemas(named: &mut Named) {
        schema::collect::<RoleLinkRequest>(named);
    }
}

/// A role that a token is to have.
pub struct RoleLinkRequest;

impl PartialSchema for RoleLinkRequest {
    fn schema() -> RefOr<Schema> {
        schema::object([("ID", schema::text()), ("Name", schema::text())]).into()
    }
}

impl ToSchema for RoleLinkRequest {}

/// What a policy is to be.
#[derive(Clone, Debug)]
pub struct PolicyRequest(pub Policy);

impl PolicyRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            Ok(Self(Policy {
                name: object.text("Name")?,
                description: object.text("Description")?,
                rules: object.text("Rules")?,
            }))
        })
    }
}

impl PartialSchema for PolicyRequest {
    fn schema() -> RefOr<Schema> {
        let object = schema::object([
            ("Name", schema::text()),
            ("Description", schema::text()),
            ("Rules", schema::text()),
        ]);
        schema::with_ignored(
            object,
            &["CreateIndex", "Hash", "JobACL", "ModifyIndex", "RulesJSON"],
        )
    }
}

impl ToSchema for PolicyRequest {}

/// What a role is to be.
#[derive(Clone, Debug, Default)]
pub struct RoleRequest {
    /// Which role, if it is there already; empty for a new one.
    pub id: String,
    /// What it is to be.
    pub spec: RoleSpec,
}

impl RoleRequest {
    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`crate::http::edge::Reason::Malformed`], naming the place in the body.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        json::decode(body, |node| {
            let object = node.object_or_null()?;
            let policies = object.list("Policies", |node| node.object()?.text("Name"))?;
            Ok(Self {
                id: object.text("ID")?,
                spec: RoleSpec {
                    name: object.text("Name")?,
                    description: object.text("Description")?,
                    policies: policies.unwrap_or_default(),
                },
            })
        })
    }
}

impl PartialSchema for RoleRequest {
    fn schema() -> RefOr<Schema> {
        let policies = schema::optional_list(schema::reference::<PolicyLinkRequest>());
        let object = schema::object([
            ("ID", schema::text()),
            ("Name", schema::text()),
            ("Description", schema::text()),
            ("Policies", policies.into()),
        ]);
        schema::with_ignored(object, &["CreateIndex", "Hash", "ModifyIndex"])
    }
}

impl ToSchema for RoleRequest {
    fn schemas(named: &mut Named) {
        schema::collect::<PolicyLinkRequest>(named);
    }
}

/// A policy that a role is to have.
pub struct PolicyLinkRequest;

impl PartialSchema for PolicyLinkRequest {
    fn schema() -> RefOr<Schema> {
        schema::object([("Name", schema::text())]).into()
    }
}

impl ToSchema for PolicyLinkRequest {}
