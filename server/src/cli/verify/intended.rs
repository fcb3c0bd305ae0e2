//! Where a real Nomad is known to answer otherwise than the document says.
//!
//! Each reason is a matter of the page `http/differences.md`, or says that a route is saddlebag's alone.

use super::probe::Answer;
use super::trial::Trial;
use crate::http::contract::truth::Violation;
use axum::http::StatusCode;
use saddlebag_client::operations::Operation;

/// The routes that no Nomad has: what its servers and clients do among themselves, and this document.
pub const OURS_ALONE: &str = "routes of saddlebag alone";

/// The reason for a difference of a Nomad, if it is one that is meant to be.
#[must_use]
pub fn of_a_nomad(
    operation: Operation,
    trial: &Trial,
    answer: &Answer,
    violation: &Violation,
) -> Option<&'static str> {
    let is_absent =
        answer.status == StatusCode::NOT_FOUND || answer.status == StatusCode::METHOD_NOT_ALLOWED;
    let place = violation.place.as_str();
    let asks = |kinds: &[Operation]| kinds.contains(&operation);
    if is_ours_alone(operation) {
        return is_absent.then_some(OURS_ALONE);
    }
    if is_a_draft(operation) && is_absent {
        return Some("routes of the first published drafts");
    }
    if answer.status == StatusCode::INTERNAL_SERVER_ERROR {
        return Some("status codes");
    }
    if asks(&[Operation::ListPlugins]) && answer.body.is_empty() {
        return Some("`/v1/plugins` of another or an empty `type`");
    }
    if asks(&[Operation::ReadNode, Operation::ListNodes]) && place.starts_with("response 200 ") {
        return Some("what a node is to a scheduler");
    }
    if asks(&[Operation::ReadJob, Operation::ListJobs]) && place.starts_with("response 200 ") {
        return Some("plugin jobs");
    }
    let is_allocation = asks(&[Operation::ListJobAllocations]) || place.contains(" / Allocations[");
    if is_allocation && place.starts_with("response 200 ") {
        return Some("allocations");
    }
    if place.ends_with("header X-Nomad-Nexttoken") {
        return Some("page tokens");
    }
    let is_flag = |name: &str| {
        trial
            .query
            .iter()
            .any(|(it, value)| it == name && !value.is_empty())
    };
    if asks(&[Operation::ListVolumes])
        && is_flag("filter")
        && place.starts_with("request query filter")
    {
        return Some("filters that are no expressions, or hold no regular expression");
    }
    None
}

fn is_ours_alone(operation: Operation) -> bool {
    matches!(
        operation.tag(),
        "claims" | "operations" | "contract" | "testing"
    ) || matches!(operation, Operation::FenceNode | Operation::UnfenceNode)
}

fn is_a_draft(operation: Operation) -> bool {
    operation.path().starts_with("/v1/csi/")
        || matches!(
            operation,
            Operation::SnapshotVolume | Operation::CreateSnapshotOf
        )
}
