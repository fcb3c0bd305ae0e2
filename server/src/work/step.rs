//! One try of an operation: the call to the driver, by the operation's kind.

use super::fault;
use super::outcome::{self, Told};
use super::told::tell;
use crate::control::ControlPlane;
use crate::csi::{
    self, About, CapacityRange, Connection, ContentSource, Origin, TopologyRequirement,
};
use crate::error::{Error, Fault, Result};
use crate::operation::{Kind, Operation, Subject};
use crate::state::{Interest, State, Stored};
use crate::volume::Volume;
use futures::FutureExt;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use uuid::Uuid;

/// What a try came to.
pub(super) enum Tried {
    /// The driver did it and said this.
    Done(Told),
    /// It will not be done.
    Refused(Failure),
    /// It has to be tried again.
    Unclear(Failure),
    /// There is no healthy controller to ask.
    Unasked(Error),
}

/// How a try failed.
pub(super) struct Failure {
    pub error: Error,
    /// The gRPC code by name; none if the driver was not asked.
    pub code: Option<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, code: None }
    }
}

/// Tries once, and records what it came to; unless the operation is given up meanwhile.
pub(super) async fn take(cp: &ControlPlane, operation: &Stored<Operation>) {
    let row = &operation.row;
    tell!(
        debug,
        cp,
        row,
        "{}: try {}",
        row.describe(),
        row.attempts + 1
    );
    let state = cp.state();
    let asked = AssertUnwindSafe(ask(cp, &state, row)).catch_unwind();
    let tried = tokio::select! {
        tried = asked => tried.unwrap_or_else(|_| Err(Fault::Internal.into())),
        () = ended(cp, row.id) => return,
    };
    let tried = tried.unwrap_or_else(|error| Tried::Unclear(error.into()));
    match &tried {
        Tried::Done(_) => {}
        Tried::Refused(Failure { error, .. }) => {
            tell!(info, cp, row, "{} was refused: {error}", row.describe());
        }
        Tried::Unclear(Failure { error, .. }) => {
            tell!(
                warn,
                cp,
                row,
                "{} will be tried again: {error}",
                row.describe()
            );
        }
        Tried::Unasked(error) => tell!(info, cp, row, "{} waits: {error}", row.describe()),
    }
    outcome::record(cp, row, tried).await;
}

/// Waits until the operation has ended.
async fn ended(cp: &ControlPlane, id: Uuid) {
    let mut watch = cp.live.watch(Interest::Operation(id));
    let is_under_way = |state: &State| {
        state
            .operation(id)
            .is_some_and(|operation| !operation.row.progress.has_ended())
    };
    while is_under_way(&cp.state()) {
        watch.changed().await;
    }
}

/// Asks the driver. The error is what stood in the way of asking.
async fn ask(cp: &ControlPlane, state: &State, row: &Operation) -> Result<Tried> {
    let connection = match cp.drivers.controller(state, &row.plugin) {
        Ok(connection) => connection,
        Err(error) => return Ok(Tried::Unasked(error)),
    };
    match (&row.kind, &row.subject) {
        (Kind::Create(volume), _) => create(cp, state, &connection, row, volume).await,
        (Kind::Expand(volume), _) => expand(cp, state, &connection, volume).await,
        (Kind::Delete, Subject::Volume(key)) => match state.volume(key) {
            Some(entry) => delete(cp, &connection, row, &entry.stored().row).await,
            None => Ok(refused(Fault::VolumeNotFound(key.id.to_string()))),
        },
        (Kind::Snapshot(parameters), Subject::Volume(key)) => match state.volume(key) {
            Some(entry) => snapshot(cp, &connection, row, &entry.stored().row, parameters).await,
            None => Ok(refused(Fault::NoVolumeToSnapshot(key.id.to_string()))),
        },
        (Kind::DeleteSnapshot, Subject::Snapshot(_, id)) => {
            let delete = csi::DeleteSnapshot {
                snapshot_id: id.to_string(),
                secrets: connection
                    .secrets_with(&cp.open(&Operation::owner(row.id), row.secrets.as_ref())?)
                    .await?,
            };
            let about = About {
                snapshot_id: id.as_str(),
                ..About::default()
            };
            let prefix = format!("could not delete {:?}: ", id.as_str());
            Ok(match connection.delete_snapshot(&delete).await {
                Ok(()) => Tried::Done(Told::SnapshotDeleted),
                Err(error) => failed(&error, &about, &prefix),
            })
        }
        (Kind::Delete | Kind::Snapshot(_), Subject::Snapshot(..))
        | (Kind::DeleteSnapshot, Subject::Volume(_)) => Ok(refused(Fault::Internal)),
    }
}

async fn create(
    cp: &ControlPlane,
    state: &State,
    connection: &Connection,
    row: &Operation,
    volume: &Volume,
) -> Result<Tried> {
    let options = volume.mount_options.open(cp, &volume.key)?;
    let plugin = state.plugin(&volume.plugin).map(AsRef::as_ref);
    let create = csi::CreateVolume {
        name: row.csi_name.clone(),
        capacity_range: range(volume),
        capabilities: volume.csi_capabilities(plugin, &options),
        parameters: volume.parameters.clone(),
        secrets: connection
            .secrets_with(&cp.open(&Volume::owner(&volume.key), volume.secrets.as_ref())?)
            .await?,
        content_source: source(volume),
        accessibility_requirements: requirement(state, volume),
    };
    let about = About {
        name: &volume.name,
        snapshot_id: &volume.snapshot_id,
        clone_id: &volume.clone_id,
        ..About::default()
    };
    Ok(match connection.create_volume(&create).await {
        Ok(made) => Tried::Done(Told::Created(made)),
        Err(error) => failed(&error, &about, ""),
    })
}

fn range(volume: &Volume) -> CapacityRange {
    CapacityRange {
        required_bytes: volume.capacity_min,
        limit_bytes: volume.capacity_max,
    }
}

fn source(volume: &Volume) -> Option<ContentSource> {
    match (volume.snapshot_id.as_str(), volume.clone_id.as_str()) {
        ("", "") => None,
        ("", clone) => Some(ContentSource::Volume(clone.to_owned())),
        (snapshot, _) => Some(ContentSource::Snapshot(snapshot.to_owned())),
    }
}

/// Where the new volume has to be reachable from: as requested, else from the places that the
/// client named. Nothing for a driver that knows no places (CSI forbids it).
fn requirement(state: &State, volume: &Volume) -> Option<TopologyRequirement> {
    if !state.plugin(&volume.plugin)?.requires_topologies() {
        return None;
    }
    let requirement = match &volume.requested_topologies {
        Some(request) => TopologyRequirement {
            requisite: request.required.clone().unwrap_or_default(),
            preferred: request.preferred.clone().unwrap_or_default(),
        },
        None => TopologyRequirement {
            requisite: volume.topologies.clone(),
            preferred: Vec::new(),
        },
    };
    (requirement != TopologyRequirement::default()).then_some(requirement)
}

async fn expand(
    cp: &ControlPlane,
    state: &State,
    connection: &Connection,
    volume: &Volume,
) -> Result<Tried> {
    let expand = csi::ControllerExpandVolume {
        external_id: volume.remote_id().to_string(),
        capacity_range: range(volume),
        capability: in_use(cp, state, volume)?,
        secrets: connection
            .secrets_with(&cp.open(&Volume::owner(&volume.key), volume.secrets.as_ref())?)
            .await?,
    };
    let about = About {
        external_id: &expand.external_id,
        ..About::default()
    };
    Ok(match connection.controller_expand_volume(&expand).await {
        Ok(expanded) => Tried::Done(Told::Expanded(expanded)),
        Err(error) => failed(&error, &about, "unable to expand volume: "),
    })
}

/// How the volume is used now; else the first way in which it may be.
fn in_use(cp: &ControlPlane, state: &State, volume: &Volume) -> Result<Option<csi::Capability>> {
    let plugin = state.plugin(&volume.plugin).map(AsRef::as_ref);
    let mut now = volume.clone();
    if let Some(claim) = state.claims(&volume.key).next() {
        now.capabilities = vec![claim.capability];
        now.mount_options = claim.mount_options.clone();
    }
    let options = now.mount_options.open(cp, &volume.key)?;
    Ok(now.csi_capabilities(plugin, &options).into_iter().next())
}

async fn delete(
    cp: &ControlPlane,
    connection: &Connection,
    row: &Operation,
    volume: &Volume,
) -> Result<Tried> {
    let stored = cp.open(&Volume::owner(&volume.key), volume.secrets.as_ref())?;
    let sent = cp.open(&Operation::owner(row.id), row.secrets.as_ref())?;
    let delete = csi::DeleteVolume {
        external_id: volume.external_id.to_string(),
        secrets: connection.secrets_with(&stored.merged_with(&sent)).await?,
    };
    let about = About {
        external_id: &delete.external_id,
        ..About::default()
    };
    Ok(match connection.delete_volume(&delete).await {
        Ok(()) => Tried::Done(Told::Deleted),
        Err(error) => failed(&error, &about, ""),
    })
}

async fn snapshot(
    cp: &ControlPlane,
    connection: &Connection,
    row: &Operation,
    volume: &Volume,
    parameters: &BTreeMap<String, String>,
) -> Result<Tried> {
    let stored = cp.open(&Volume::owner(&volume.key), volume.secrets.as_ref())?;
    let sent = cp.open(&Operation::owner(row.id), row.secrets.as_ref())?;
    let create = csi::CreateSnapshot {
        source_volume_id: volume.external_id.to_string(),
        name: row.csi_name.clone(),
        secrets: connection.secrets_with(&stored.merged_with(&sent)).await?,
        parameters: parameters.clone(),
        accessibility_requirements: None,
    };
    let about = About {
        name: &create.name,
        external_id: &create.source_volume_id,
        ..About::default()
    };
    Ok(match connection.create_snapshot(&create).await {
        Ok(taken) => Tried::Done(Told::Snapshot(taken)),
        Err(error) => failed(&error, &about, "could not create snapshot: "),
    })
}

fn failed(error: &csi::CallError, about: &About<'_>, prefix: &str) -> Tried {
    let told = Error::from(fault::fault_of(error, about).prefixed(prefix));
    let failure = Failure {
        error: told,
        code: (error.origin != Origin::Here).then(|| error.code.to_string()),
    };
    match fault::is_final(error) {
        true => Tried::Refused(failure),
        false => Tried::Unclear(failure),
    }
}

fn refused(fault: Fault) -> Tried {
    Tried::Refused(Error::from(fault).into())
}
