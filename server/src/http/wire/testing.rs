//! Faults that tests asked for, and the clock.

use jiff::Timestamp;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// Faults, in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct FaultList<'a> {
    /// The faults.
    pub faults: Vec<Fault<'a>>,
}

/// A fault. What it does not say is empty, 0 or false.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Fault<'a> {
    /// Whether it strikes when the work is done.
    pub after_work: bool,
    /// The call that it strikes.
    pub call: Cow<'a, str>,
    /// The gRPC code that the driver seems to answer.
    pub code: Cow<'a, str>,
    /// How often it strikes at most.
    #[schema(format = "uint64")]
    pub count: u64,
    /// How long it holds up.
    pub delay: Cow<'a, str>,
    /// Whether the connection is closed without an answer.
    pub drop: bool,
    /// How often it struck.
    #[schema(format = "uint64")]
    pub fired: u64,
    /// Whether it holds up until the faults change.
    pub hang: bool,
    /// The text of the failure.
    pub message: Cow<'a, str>,
    /// The node that is away.
    pub node: Cow<'a, str>,
    /// The operation that it strikes.
    pub operation: Cow<'a, str>,
    /// The plugin that it has to be about.
    pub plugin: Cow<'a, str>,
    /// The status that is answered.
    #[schema(format = "uint64")]
    pub status: u64,
    /// The volume that it has to be about.
    pub volume: Cow<'a, str>,
}

/// What time it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ClockNow {
    /// By the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
}
