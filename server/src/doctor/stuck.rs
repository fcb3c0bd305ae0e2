//! What waits for more than an answer, and the volumes whose delete was given up.

use super::finding::{Finding, Kind, request};
use crate::attachment::Attachment;
use crate::claim::{Claim, Standing};
use crate::control::ControlPlane;
use crate::error::Error;
use crate::operation::{Operation, Progress};
use crate::picture::waits_for;
use crate::state::State;
use crate::volume::{GivenUp, Volume};

/// Everything that is stuck in this state.
pub(super) fn find(cp: &ControlPlane, state: &State) -> Vec<Finding> {
    let operations = state
        .under_way()
        .filter_map(|stored| operation(cp, state, &stored.row));
    let claims = state
        .restless_claims()
        .filter_map(|stored| claim(state, &stored.row));
    let expansions = state
        .attachments()
        .filter_map(|stored| expansion(&stored.row));
    let marked = state.plugins().flat_map(|plugin| {
        let volumes = state.volumes_of(&plugin.id);
        let marked: Vec<Finding> = volumes
            .iter()
            .filter_map(|key| given_up(&state.volume(key)?.stored().row))
            .collect();
        marked
    });
    operations
        .chain(claims)
        .chain(expansions)
        .chain(marked)
        .collect()
}

fn operation(cp: &ControlPlane, state: &State, row: &Operation) -> Option<Finding> {
    let has_controller = cp.drivers.controller(state, &row.plugin).is_ok();
    let error = match &row.progress {
        Progress::Waiting(trouble) => Some(&trouble.error),
        Progress::Intended if !has_controller => None,
        _ => return None,
    };
    let waits_for = waits_for(state, row, cp.running.contains(row.id))?;
    let meaning = format!(
        "the {} was tried {} times and waits for {waits_for}{}",
        row.describe(),
        row.attempts,
        last(error)
    );
    let remedy = format!(
        "repair what is wrong, then PUT /v1/operation/{0}/retry; if the storage is gone for good, \
         DELETE /v1/operation/{0}?reason=<why>",
        row.id
    );
    Some(Finding {
        volume: row.volume().cloned(),
        external_id: row.external_id.clone(),
        operation: Some(row.id),
        since: Some(row.created_at),
        ..Finding::of(Kind::StuckOperation, &row.plugin, meaning, remedy)
    })
}

fn claim(state: &State, row: &Claim) -> Option<Finding> {
    let standing = Standing::of(state, row);
    let (step, waits_for) = (standing.step?, standing.waits_for?);
    if !standing.is_stuck {
        return None;
    }
    let trouble = standing.tries.trouble.as_ref();
    let what = if row.is_leaving() { "release" } else { "claim" };
    let meaning = format!(
        "the {what} of volume {:?} by {} on node {} is at the step `{}` and waits for {waits_for}{}",
        row.volume.id.as_str(),
        row.allocation,
        row.node,
        step.as_str(),
        last(trouble.map(|trouble| &trouble.error))
    );
    let otherwise = match row.is_leaving() {
        true => format!(
            "if the host is gone for good, PUT /v1/node/{}/fence?reason=<how you know>",
            row.node
        ),
        false => format!(
            "if nobody needs it any more, {}",
            request("DELETE", &row.volume, &format!("/claim/{}", row.allocation))
        ),
    };
    let remedy = format!(
        "repair what is wrong, then {}; {otherwise}",
        request("PUT", &row.volume, "/retry")
    );
    Some(Finding {
        volume: Some(row.volume.clone()),
        external_id: Some(row.external_id.clone()),
        node: Some(row.node.to_string()),
        allocation: Some(row.allocation.clone()),
        since: Some(row.since),
        ..Finding::of(Kind::StuckClaim, &row.plugin, meaning, remedy)
    })
}

/// The growth of a volume, if on a node it does not go on.
fn expansion(row: &Attachment) -> Option<Finding> {
    let expansion = row.expansion.as_ref()?;
    let trouble = expansion.tries.trouble.as_ref();
    let error = trouble.map(|trouble| &trouble.error);
    let error = expansion.refused.as_ref().or(error)?;
    let (id, node) = (row.key.external_id.as_str(), &row.key.node);
    let meaning = format!(
        "{id:?} grew to {} bytes at the storage, and on node {node} it did not{}",
        expansion.bytes,
        last(Some(error))
    );
    let remedy = format!(
        "repair what is wrong, then {}; else it is tried when the volume is next staged there",
        request("PUT", &row.volume, "/retry")
    );
    Some(Finding {
        volume: Some(row.volume.clone()),
        external_id: Some(row.key.external_id.clone()),
        node: Some(node.to_string()),
        since: Some(row.since),
        ..Finding::of(Kind::StuckExpansion, &row.key.plugin, meaning, remedy)
    })
}

fn given_up(volume: &Volume) -> Option<Finding> {
    let GivenUp {
        operation,
        reason,
        at,
        ..
    } = volume.delete_given_up.as_ref()?;
    let meaning = format!(
        "the delete of volume {:?} was given up: {reason}; the storage may have destroyed it, or half of it",
        volume.key.id.as_str()
    );
    let remedy = format!(
        "to destroy it, {}; to keep it, see that its data is whole and register it again: {}",
        request("DELETE", &volume.key, "/delete"),
        request("PUT", &volume.key, "")
    );
    Some(Finding {
        volume: Some(volume.key.clone()),
        external_id: Some(volume.remote_id()),
        operation: Some(*operation),
        since: Some(*at),
        ..Finding::of(Kind::AbandonedDelete, &volume.plugin, meaning, remedy)
    })
}

fn last(error: Option<&Error>) -> String {
    error.map_or(String::new(), |error| format!("; the last error: {error}"))
}
