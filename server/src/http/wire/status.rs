//! Whether this server is well.

use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use utoipa::ToSchema;

/// The health of this server's parts; a part it does not have is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgentHealth<'a> {
    /// The part beside drivers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client: Option<AgentPartHealth<'a>>,
    /// The control plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub server: Option<AgentPartHealth<'a>>,
}

/// The health of one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgentPartHealth<'a> {
    /// `ok`, or what is wrong.
    pub message: Cow<'a, str>,
    /// Whether it is well.
    pub ok: bool,
}

/// What a server is, as far as Nomad's clients look at it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgentSelf {
    /// How it was configured.
    #[schema(value_type = Object)]
    pub config: Value,
    /// Where it is.
    #[schema(value_type = Object)]
    pub member: Value,
    /// What it counts.
    #[schema(value_type = Object)]
    pub stats: Value,
}
