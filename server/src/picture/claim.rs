//! What a claim shows of itself, and what its volume shows of it.

use super::volume::{mount_options, nanoseconds};
use crate::claim::{Claim, Ended, Stage, Standing};
use crate::http::wire;
use crate::state::{State, Stored};

/// Every state that a claim can be shown in.
pub const CLAIM_STATES: [&str; 5] = ["taken", "published", "unpublished", "gone", "failed"];

/// The state of a claim, as one of [`CLAIM_STATES`].
pub fn claim_state(claim: &Claim) -> &'static str {
    match (claim.ended_at, claim.end()) {
        (None, _) => claim.stage.as_str(),
        (Some(_), Some(Ended::Failed)) => "failed",
        (Some(_), Some(Ended::Released) | None) => "gone",
    }
}

/// A claim as it is read and listed.
pub fn claim<'a>(state: &'a State, stored: &'a Stored<Claim>) -> wire::Claim<'a> {
    let row = &stored.row;
    let Standing {
        step,
        tries,
        waits_for,
        ..
    } = Standing::of(state, row);
    let trouble = tries.trouble.as_ref();
    let attachment = state.attachment(&row.attachment_key());
    let last_change = match (row.ended_at, attachment) {
        (None, Some(attachment)) => stored.modified.max(attachment.modified),
        _ => stored.modified,
    };
    wire::Claim {
        access_mode: row.capability.access_mode.as_str().into(),
        allocation_id: row.allocation.as_str().into(),
        attachment_mode: row.capability.attachment_mode.as_str().into(),
        attempts: i64::from(tries.attempts),
        create_index: row.intended.unwrap_or(stored.created).0,
        create_time: row.created_at,
        job_id: row.job_id.as_str().into(),
        last_error: trouble
            .map(|trouble| &trouble.error)
            .or(row.failure.as_ref())
            .map(|error| error.to_string().into()),
        last_error_code: match trouble {
            Some(trouble) => trouble.code.as_deref().map(Into::into),
            None => row.failure_code.as_deref().map(Into::into),
        },
        modify_index: last_change.0,
        mount_options: mount_options(&row.mount_options),
        name: row.name.as_str().into(),
        namespace: row.volume.namespace.as_str().into(),
        next_try: step.and(trouble).map(|trouble| trouble.next_try),
        node_id: row.node.as_str().into(),
        on_reboot: row.on_reboot.as_str().into(),
        plugin_id: row.plugin.as_str().into(),
        read_only: row.read_only,
        release_time: row.release.as_ref().map(|release| release.at),
        since: row.ended_at.unwrap_or(row.since),
        state: claim_state(row).into(),
        step: step.map_or("", |step| step.as_str()).into(),
        target_path: row.target_path.to_string_lossy(),
        volume_id: row.volume.id.as_str().into(),
        waits_for: waits_for.map(Into::into),
    }
}

/// A claim as its volume shows it, in the shape of Nomad's allocations.
pub(super) fn allocation<'a>(
    stored: &'a Stored<Claim>,
    node_name: &'a str,
) -> wire::AllocationStub<'a> {
    let claim = &stored.row;
    let (desired, status, description) = match (claim.end(), claim.stage) {
        (Some(Ended::Failed), _) => ("stop", "failed", "the driver refused it"),
        (Some(Ended::Released), _) => ("stop", "complete", "it is being released"),
        (None, Stage::Published) => ("run", "running", "the volume is published"),
        (None, Stage::Taken | Stage::Unpublished) => ("run", "pending", "the volume is awaited"),
    };
    wire::AllocationStub {
        client_description: description.into(),
        client_status: status.into(),
        create_index: claim.intended.unwrap_or(stored.created).0,
        create_time: nanoseconds(claim.created_at),
        desired_status: desired.into(),
        id: claim.allocation.as_str().into(),
        job_id: claim.job_id.as_str().into(),
        modify_index: stored.modified.0,
        modify_time: nanoseconds(claim.since),
        name: claim.name.as_str().into(),
        namespace: claim.volume.namespace.as_str().into(),
        node_id: claim.node.as_str().into(),
        node_name: node_name.into(),
        ..wire::AllocationStub::unscheduled()
    }
}
