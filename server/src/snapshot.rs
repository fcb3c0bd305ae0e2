//! Snapshots: taken, deleted and listed at drivers. Nothing of them is stored here but the operations
//! that take and delete them.

use crate::control::ControlPlane;
use crate::csi::{self, About, Refused, Secrets};
use crate::error::{Error, Fault, Result};
use crate::id::{Namespace, PluginId, SnapshotId, VolumeId, VolumeKey};
use crate::operation::verbs::{Deadline, await_end, await_outcome};
use crate::operation::{Kind, Operation, Outcome, SnapshotTaken, Subject};
use crate::plugin::Plugin;
use crate::state::State;
use crate::store::{Guard, Transaction, keys};
use crate::volume::MOST_ITEMS;
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// A snapshot as a client asks for it.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// The volume to take it of: its id, not the driver's.
    pub source_volume_id: String,
    /// The plugin; empty for the volume's own.
    pub plugin_id: String,
    /// Its name: the driver answers the same snapshot for the same name.
    pub name: String,
    /// Laid over the volume's secrets.
    pub secrets: Secrets,
    /// What the driver is told.
    pub parameters: BTreeMap<String, String>,
}

/// Takes snapshots of volumes of a namespace. All intentions are one commit; the outcomes come one by
/// one, and the error says which failed and of which volumes one was taken.
pub async fn create(
    cp: &ControlPlane,
    namespace: &Namespace,
    specs: &[Spec],
    deadline: Deadline,
) -> Result<Vec<SnapshotTaken>> {
    check(specs)?;
    for spec in specs {
        let checked = cp.check_references(spec.secrets.clone()).await;
        checked.map_err(|error| error.volume(&spec.source_volume_id))?;
    }
    let mut taken = Vec::new();
    let mut errors = Vec::new();
    let mut done = Vec::new();
    let items = intend_all(cp, namespace, specs, deadline).await?;
    for (spec, item) in specs.iter().zip(items) {
        let outcome = match item {
            Ok(operation) => await_outcome(cp, operation, deadline).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok((_, Outcome::Snapshot(snapshot))) => {
                taken.push(snapshot);
                done.push(spec.source_volume_id.clone());
            }
            Ok((_, Outcome::Nothing)) => errors.push(Fault::Internal.into()),
            Err(error) => errors.push(error.volume(&spec.source_volume_id)),
        }
    }
    if errors.is_empty() {
        return Ok(taken);
    }
    Err(Error::several(errors, done))
}

fn check(specs: &[Spec]) -> Result<()> {
    if specs.len() > MOST_ITEMS {
        let count = specs.len();
        let text = format!("the request holds {count} snapshots, more than {MOST_ITEMS}");
        return Err(Fault::BadItems(text).into());
    }
    let mut sources = HashSet::new();
    for spec in specs {
        let source = &spec.source_volume_id;
        if !sources.insert(source) {
            let text = format!("source volume {source:?} is in the request twice");
            return Err(Error::from(Fault::BadItems(text)).volume(source));
        }
    }
    Ok(())
}

async fn intend_all(
    cp: &ControlPlane,
    namespace: &Namespace,
    specs: &[Spec],
    deadline: Deadline,
) -> Result<Vec<Result<Uuid>>> {
    loop {
        let state = cp.state();
        let mut transaction = Transaction::default();
        let mut items = Vec::with_capacity(specs.len());
        let mut comes_first = None;
        for spec in specs {
            let planned = plan(cp, &state, namespace, spec);
            if let Ok(Plan::Intend(operation)) = &planned {
                let volume = operation.volume().and_then(|key| state.volume(key));
                transaction.guards.extend(
                    volume.map(|entry| {
                        Guard::At(keys::volume(&entry.stored().row.key), entry.modified)
                    }),
                );
                transaction.guards.push(Guard::Absent(operation.lock()));
                operation.intend(cp, &mut transaction, &state)?;
            }
            items.push(planned.map(|plan| match plan {
                Plan::Intend(operation) => operation.id,
                Plan::Join(operation) => operation,
                Plan::Wait(operation) => *comes_first.insert(operation),
            }));
        }
        if let Some(operation) = comes_first {
            await_end(cp, operation, deadline).await?;
            continue;
        }
        if transaction.writes.is_empty() || cp.commit(transaction).await?.is_some() {
            return Ok(items);
        }
    }
}

enum Plan {
    Intend(Box<Operation>),
    Join(Uuid),
    Wait(Uuid),
}

fn plan(cp: &ControlPlane, state: &State, namespace: &Namespace, spec: &Spec) -> Result<Plan> {
    let source = spec.source_volume_id.as_str();
    let key = VolumeKey {
        namespace: namespace.clone(),
        id: VolumeId::known(source),
    };
    let entry = state
        .volume(&key)
        .ok_or_else(|| Error::from(Fault::NoVolumeToSnapshot(source.to_owned())).volume(source))?;
    let volume = &entry.stored().row;
    let plugin_id = match spec.plugin_id.as_str() {
        "" => volume.plugin.clone(),
        named => PluginId::known(named),
    };
    let about = |fault: Fault| Error::from(fault).volume(source).plugin(&plugin_id);
    let plugin = state
        .plugin(&plugin_id)
        .ok_or_else(|| about(Fault::NoPluginToSnapshot(plugin_id.to_string())))?;
    let no_healthy_controller = || Err(about(Fault::NoHealthyController(plugin_id.to_string())));
    if plugin.is_unknown() {
        return no_healthy_controller();
    }
    if !plugin
        .controller_info()
        .is_some_and(|c| c.supports_create_delete_snapshot)
    {
        let text = format!("plugin {:?} does not support snapshot", plugin_id.as_str());
        return Err(about(Fault::CapabilityMissing(text)));
    }
    let refused = |refused: Refused| {
        let prefix =
            "could not create snapshot: controller create snapshot: CSI.ControllerCreateSnapshot: ";
        about(Fault::RefusedLocally(refused.to_string()).prefixed(prefix))
    };
    if volume.external_id.as_str().is_empty() {
        return Err(refused(Refused::MissingVolumeId));
    }
    if spec.name.is_empty() {
        return Err(refused(Refused::MissingName));
    }
    let mut operation = Operation::intended(
        cp,
        Subject::Volume(key.clone()),
        Kind::Snapshot(spec.parameters.clone()),
        plugin_id.clone(),
        Some(volume.external_id.clone()),
    )
    .keep(cp, &spec.secrets)?;
    operation.csi_name = spec.name.clone();
    match state.doing(&Subject::Volume(key)) {
        None if plugin.health().controllers_healthy == 0 => no_healthy_controller(),
        None => Ok(Plan::Intend(Box::new(operation))),
        Some(doing) if doing.row.asks_the_same_as(cp, &operation) => Ok(Plan::Join(doing.row.id)),
        Some(doing) if doing.row.kind == Kind::Delete => Err(about(Fault::VolumeBusy {
            volume: source.to_owned(),
            doing: doing.row.kind.word().to_owned(),
            operation: doing.row.id.to_string(),
        })
        .operation(doing.row.id)),
        Some(doing) => Ok(Plan::Wait(doing.row.id)),
    }
}

/// Deletes a snapshot at its driver. Joins a deletion of it that is under way.
pub async fn delete(
    cp: &ControlPlane,
    plugin: &str,
    snapshot: &str,
    secrets: &Secrets,
    deadline: Deadline,
) -> Result<()> {
    let several = |error: Error| Error::several(vec![error], Vec::new());
    delete_one(cp, plugin, snapshot, secrets, deadline)
        .await
        .map_err(several)
}

async fn delete_one(
    cp: &ControlPlane,
    plugin: &str,
    snapshot: &str,
    secrets: &Secrets,
    deadline: Deadline,
) -> Result<()> {
    let id = PluginId::known(plugin);
    let about = |fault: Fault| Error::from(fault).plugin(plugin);
    loop {
        let state = cp.state();
        let found = state
            .plugin(&id)
            .ok_or_else(|| about(Fault::NoPluginToAsk))?;
        if found.is_unknown() {
            return Err(about(Fault::NoHealthyController(plugin.to_owned())));
        }
        if !found
            .controller_info()
            .is_some_and(|c| c.supports_create_delete_snapshot)
        {
            let text = "plugin does not support snapshot".to_owned();
            return Err(about(Fault::CapabilityMissing(text)));
        }
        if snapshot.is_empty() {
            let fault = Fault::RefusedLocally(Refused::MissingSnapshotId.to_string());
            return Err(about(fault.prefixed(
                "could not delete \"\": controller delete snapshot: CSI.ControllerDeleteSnapshot: ",
            )));
        }
        let snapshot =
            SnapshotId::parse(snapshot).map_err(|problem| about(Fault::BadItems(problem)))?;
        let subject = Subject::Snapshot(id.clone(), snapshot);
        if let Some(doing) = state.doing(&subject) {
            await_outcome(cp, doing.row.id, deadline).await?;
            return Ok(());
        }
        if found.health().controllers_healthy == 0 {
            return Err(about(Fault::NoHealthyController(plugin.to_owned())));
        }
        let operation = Operation::intended(cp, subject, Kind::DeleteSnapshot, id.clone(), None)
            .keep(cp, secrets)?;
        let mut transaction = Transaction::default();
        transaction.guards.push(Guard::Absent(operation.lock()));
        operation.intend(cp, &mut transaction, &state)?;
        if cp.commit(transaction).await?.is_some() {
            await_outcome(cp, operation.id, deadline).await?;
            return Ok(());
        }
    }
}

/// One page of the snapshots that a driver has, as it gives it.
pub async fn list(
    cp: &ControlPlane,
    plugin: &str,
    page: &csi::ListSnapshots,
) -> Result<csi::Page<csi::Snapshot>> {
    let can = |plugin: &Plugin| {
        plugin
            .controller_info()
            .is_some_and(|c| c.supports_list_snapshots)
    };
    let lacking = "plugin does not support listing snapshots";
    let connection = cp.drivers.to_ask(&cp.state(), plugin, can, lacking)?;
    let page = &csi::ListSnapshots {
        secrets: connection.secrets_with(&page.secrets).await?,
        ..page.clone()
    };
    connection.list_snapshots(page).await.map_err(|error| {
        let about = About {
            token: &page.starting_token,
            ..About::default()
        };
        Error::from(crate::work::fault_of(&error, &about)).plugin(plugin)
    })
}
