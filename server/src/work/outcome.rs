//! Commits what a try of an operation came to.

use super::backoff;
use super::step::{Failure, Tried};
use super::told::tell;
use crate::attachment::{Attachment, Expansion};
use crate::control::ControlPlane;
use crate::csi;
use crate::error::{Error, Fault, Result};
use crate::id::{ExternalId, SnapshotId};
use crate::operation::{
    Event, Kind, Operation, Outcome, Progress, SnapshotTaken, Subject, Trouble,
};
use crate::state::{State, Stored};
use crate::store::{Guard, Transaction, Write, keys};
use crate::volume::{Volume, hold_new_backing, release_backing};
use std::time::Duration;

/// What a driver said when it did it.
pub(super) enum Told {
    Created(csi::Volume),
    Expanded(csi::Expanded),
    Deleted,
    Snapshot(csi::Snapshot),
    SnapshotDeleted,
}

/// Commits it, for as long as the store takes to take it. What an operator gave up meanwhile stays
/// given up; what is too large for a store is a failure of its driver.
pub(super) async fn record(cp: &ControlPlane, row: &Operation, mut tried: Tried) {
    let mut refusals = 0;
    loop {
        let state = cp.state();
        let Some(seen) = state
            .operation(row.id)
            .filter(|seen| !seen.row.progress.has_ended())
        else {
            tell!(
                warn,
                cp,
                row,
                "what its driver answered comes too late: it was given up"
            );
            return;
        };
        let committed = match transaction(cp, &state, seen, &tried) {
            Ok(transaction) => cp.commit(transaction).await,
            Err(error) => Err(error),
        };
        match committed {
            Ok(Some(_)) => return,
            Ok(None) => {}
            Err(error)
                if matches!(tried, Tried::Done(_))
                    && matches!(error.fault, Fault::BodyTooLarge(_)) =>
            {
                let text = format!("what the driver answered cannot be stored: {error}");
                tried = Tried::Refused(Error::from(Fault::DriverFailed(text)).into());
            }
            Err(error) => {
                refusals += 1;
                tell!(
                    error,
                    cp,
                    row,
                    "what its driver answered is not recorded yet: {error}"
                );
                let wait =
                    Duration::try_from(backoff::after(&cp.chance, refusals)).unwrap_or_default();
                tokio::time::sleep(wait).await;
            }
        }
    }
}

fn transaction(
    cp: &ControlPlane,
    state: &State,
    seen: &Stored<Operation>,
    tried: &Tried,
) -> Result<Transaction> {
    let mut row = seen.row.clone();
    row.last_code = match tried {
        Tried::Done(_) | Tried::Unasked(_) => None,
        Tried::Refused(failure) | Tried::Unclear(failure) => failure.code.clone(),
    };
    if matches!(tried, Tried::Done(_)) || row.last_code.is_some() {
        row.attempts = row.attempts.saturating_add(1);
    }
    let mut transaction = Transaction::default();
    let event = match tried {
        Tried::Unclear(failure) => Event::Unclear(trouble(cp, &row, failure)),
        Tried::Unasked(error) => Event::Unclear(Trouble {
            error: error.clone(),
            lacks_controller: true,
            next_try: cp.clock.now(),
        }),
        Tried::Refused(failure) => Event::Refused(failure.error.clone()),
        Tried::Done(Told::Snapshot(taken)) if is_being_deleted(state, &row, taken) => {
            Event::Unclear(Trouble {
                error: still_there(taken),
                lacks_controller: false,
                next_try: cp.clock.after(backoff::after(&cp.chance, row.attempts)),
            })
        }
        Tried::Done(told) => match keep(cp, state, &row, told, &mut transaction) {
            Ok(outcome) => Event::Done(outcome),
            Err(error) => {
                transaction = Transaction::default();
                Event::Refused(error)
            }
        },
    };
    let progress = next(&row, event)?;
    row.record(&mut transaction, seen, progress, cp.clock.now())?;
    Ok(transaction)
}

/// A driver answers an older snapshot for the same name. Whether that is on its way out: then another one
/// has to be taken once it is gone.
fn is_being_deleted(state: &State, row: &Operation, taken: &csi::Snapshot) -> bool {
    state.doing(&subject(row, taken)).is_some()
}

fn subject(row: &Operation, taken: &csi::Snapshot) -> Subject {
    Subject::Snapshot(row.plugin.clone(), SnapshotId::known(taken.id.as_str()))
}

fn still_there(taken: &csi::Snapshot) -> Error {
    let what = format!(
        "the delete of snapshot {:?}, which has this name,",
        taken.id
    );
    let why = "it was asked for earlier".to_owned();
    Fault::StillReleasing { what, why }.into()
}

/// The trouble that a try without a clear end leaves behind. What kept us from asking the driver at
/// all is none that goes away soon.
fn trouble(cp: &ControlPlane, row: &Operation, failure: &Failure) -> Trouble {
    let wait = match failure.code {
        Some(_) => backoff::after(&cp.chance, row.attempts),
        None => backoff::after(&cp.chance, u32::MAX),
    };
    Trouble {
        error: failure.error.clone(),
        lacks_controller: false,
        next_try: cp.clock.after(wait),
    }
}

fn next(row: &Operation, event: Event) -> Result<Progress> {
    row.progress
        .clone()
        .next(event)
        .map_err(|_| Fault::OperationEnded(row.id.to_string()).into())
}

/// Puts what the driver did into the transaction. The error says why it cannot be kept.
fn keep(
    cp: &ControlPlane,
    state: &State,
    row: &Operation,
    told: &Told,
    transaction: &mut Transaction,
) -> Result<Outcome> {
    match (told, &row.kind) {
        (Told::Created(made), Kind::Create(described)) => {
            let volume = created(cp, state, described, made)?;
            transaction
                .guards
                .push(Guard::Absent(keys::volume(&volume.key)));
            transaction.put(keys::volume(&volume.key), &volume)?;
            hold_new_backing(transaction, state, &volume)?;
            Ok(Outcome::Nothing)
        }
        (Told::Expanded(expanded), Kind::Expand(described)) => {
            let mut volume = Volume::clone(described);
            volume.capacity = expanded.capacity_bytes;
            volume.modified_at = cp.clock.now();
            let at = keys::volume(&volume.key);
            if let Some(entry) = state.volume(&volume.key) {
                // So that a claim taken meanwhile is seen, and its node told to grow, too.
                let seen = Guard::At(at.clone(), entry.modified);
                transaction.guards.push(seen);
                volume.node_expansion_pending = entry.stored().row.node_expansion_pending;
            }
            if expanded.node_expansion_required {
                volume.node_expansion_pending = true;
                grow_on_nodes(state, &volume, transaction)?;
            }
            transaction.put(at, &volume)?;
            Ok(Outcome::Nothing)
        }
        (Told::Deleted, Kind::Delete) => {
            if let Some(entry) = row.volume().and_then(|key| state.volume(key)) {
                let volume = &entry.stored().row;
                transaction
                    .writes
                    .push(Write::Delete(keys::volume(&volume.key)));
                release_backing(transaction, state, volume)?;
            }
            Ok(Outcome::Nothing)
        }
        (Told::Snapshot(taken), Kind::Snapshot(_)) => {
            let delete = subject(row, taken).lock();
            transaction.guards.push(Guard::Absent(delete));
            Ok(Outcome::Snapshot(SnapshotTaken {
                id: SnapshotId::parse(&taken.id).map_err(unusable)?,
                source: ExternalId::parse(&taken.source_volume_id).map_err(unusable)?,
                size_bytes: taken.size_bytes,
                taken_at_seconds: taken.creation_time.map_or(0, |time| time.as_second()),
                is_ready: taken.ready_to_use,
            }))
        }
        (Told::SnapshotDeleted, Kind::DeleteSnapshot) => Ok(Outcome::Nothing),
        _ => Err(Fault::Internal.into()),
    }
}

/// That what a driver made cannot be named again.
fn unusable(problem: String) -> Error {
    Fault::DriverFailed(format!("the driver took a snapshot, but its {problem}")).into()
}

/// Has every node that holds the volume, or is about to, do its part of a growth. Nodes beyond what a
/// transaction takes do it at their next stage.
fn grow_on_nodes(state: &State, volume: &Volume, transaction: &mut Transaction) -> Result<()> {
    const AT_ONCE: usize = 100;
    let external = volume.remote_id();
    let attachments = state.attachments_of(&volume.plugin, &external);
    for seen in attachments.filter(|seen| !seen.row.leaving).take(AT_ONCE) {
        let at = seen.row.key.row_key();
        let guard = Guard::At(at.clone(), seen.modified);
        transaction.guards.push(guard);
        let growing = Attachment {
            expansion: Some(Expansion::of(volume.capacity)),
            ..seen.row.clone()
        };
        transaction.put(at, &growing)?;
    }
    Ok(())
}

/// The volume that a driver made, as described and as the driver says.
fn created(
    cp: &ControlPlane,
    state: &State,
    described: &Volume,
    made: &csi::Volume,
) -> Result<Volume> {
    let external_id = ExternalId::parse(&made.external_id).map_err(|problem| {
        let text = format!("the driver made a volume with an {problem}");
        Error::from(Fault::DriverFailed(text))
    })?;
    let health = state
        .plugin(&described.plugin)
        .map(|plugin| plugin.health())
        .unwrap_or_default();
    let now = cp.clock.now();
    Ok(Volume {
        external_id,
        provider: health.provider,
        provider_version: health.version,
        controller_required: health.controller_required,
        capacity: made.capacity_bytes,
        context: made.context.clone(),
        topologies: made.accessible_topology.clone(),
        created_at: now,
        modified_at: now,
        ..described.clone()
    })
}
