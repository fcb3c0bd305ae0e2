//! The one body of every failure.

use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// Why a request failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Error<'a> {
    /// What went wrong; stable.
    pub code: Cow<'a, str>,
    /// What went wrong in words: Nomad's, where Nomad has any.
    pub message: Cow<'a, str>,
    /// The volume it is about.
    #[schema(required)]
    pub volume: Option<Cow<'a, str>>,
    /// The plugin it is about.
    #[schema(required)]
    pub plugin: Option<Cow<'a, str>>,
    /// The node it is about.
    #[schema(required)]
    pub node: Option<Cow<'a, str>>,
    /// The claim it is about.
    #[schema(required)]
    pub claim: Option<Cow<'a, str>>,
    /// The operation that was waited for or that is in the way.
    #[schema(required)]
    pub operation: Option<Cow<'a, str>>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// All failures of a request that names several things.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, no_recursion)]
    pub errors: Option<Vec<Error<'a>>>,
    /// What was done although others failed, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub done: Option<Vec<Cow<'a, str>>>,
}
