//! What an operation shows of itself.

use crate::http::wire;
use crate::operation::{Kind, Operation, Outcome, Progress, Subject};
use crate::state::{State, Stored};

/// An operation as it is read and listed. `running`: a driver is being asked at this moment.
pub fn operation<'a>(
    state: &State,
    stored: &'a Stored<Operation>,
    running: bool,
) -> wire::Operation<'a> {
    let row = &stored.row;
    let trouble = match &row.progress {
        Progress::Waiting(trouble) => Some(trouble),
        _ => None,
    };
    let failure = match &row.progress {
        Progress::Failed(error) => Some(error),
        _ => trouble.map(|trouble| &trouble.error),
    };
    let snapshot_id = match (&row.subject, &row.progress) {
        (Subject::Snapshot(_, snapshot), _) => snapshot.as_str(),
        (_, Progress::Done(Outcome::Snapshot(taken))) => taken.id.as_str(),
        _ => "",
    };
    wire::Operation {
        attempts: i64::from(row.attempts),
        by: row.by.as_str().into(),
        create_index: row.intended.unwrap_or(stored.created).0,
        create_time: row.created_at,
        end_time: row.ended_at,
        external_id: row.external_id.as_ref().map_or("", |id| id.as_str()).into(),
        generation: row.generation,
        id: row.id,
        kind: row.kind.word().into(),
        last_error: failure.map(|error| error.to_string().into()),
        last_error_code: row.last_code.as_deref().map(Into::into),
        modify_index: stored.modified.0,
        name: name(row).into(),
        namespace: row
            .volume()
            .map_or("", |volume| volume.namespace.as_str())
            .into(),
        next_try: trouble
            .filter(|trouble| !trouble.lacks_controller)
            .map(|trouble| trouble.next_try),
        plugin_id: row.plugin.as_str().into(),
        reason: match &row.progress {
            Progress::Abandoned(reason) => Some(reason.as_str().into()),
            _ => None,
        },
        snapshot_id: snapshot_id.into(),
        state: standing(row, running).into(),
        volume_id: row.volume().map_or("", |volume| volume.id.as_str()).into(),
        waits_for: waits_for(state, row, running).map(Into::into),
    }
}

fn name(row: &Operation) -> &str {
    match row.kind {
        Kind::Create(_) | Kind::Snapshot(_) => &row.csi_name,
        Kind::Expand(_) | Kind::Delete | Kind::DeleteSnapshot => "",
    }
}

/// Every state that an operation can be shown in.
pub const STATES: [&str; 5] = ["waiting", "running", "done", "failed", "abandoned"];

fn standing(row: &Operation, running: bool) -> &'static str {
    match &row.progress {
        Progress::Intended | Progress::Waiting(_) if running => "running",
        Progress::Intended | Progress::Waiting(_) => "waiting",
        Progress::Done(_) => "done",
        Progress::Failed(_) => "failed",
        Progress::Abandoned(_) => "abandoned",
    }
}

/// What it waits for, in words that an operator can act on; nothing once it has ended.
pub fn waits_for(state: &State, row: &Operation, running: bool) -> Option<String> {
    if row.progress.has_ended() {
        return None;
    }
    let plugin = row.plugin.as_str();
    if running {
        return Some(format!("the answer of plugin {plugin:?}"));
    }
    let healthy = state
        .plugin(&row.plugin)
        .is_some_and(|plugin| plugin.health().controllers_healthy > 0);
    if !healthy {
        return Some(format!("a healthy controller of plugin {plugin:?}"));
    }
    Some(match &row.progress {
        Progress::Waiting(trouble) => format!("the next try, at {}", trouble.next_try),
        _ => "its turn behind other work on the same backing store".to_owned(),
    })
}
