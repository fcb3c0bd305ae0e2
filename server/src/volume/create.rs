//! Creating volumes: a driver makes them, then they are stored.

use super::intake::{Looked, Plan, Verb, keys_of, write};
use super::register::new_volume;
use super::spec::{check, check_references};
use super::{Capability, Spec};
use crate::control::ControlPlane;
use crate::csi::Refused;
use crate::error::{Error, Fault, Result};
use crate::id::VolumeKey;
use crate::operation::verbs::{Deadline, await_end, await_outcome};
use crate::operation::{Kind, Operation, Subject};
use crate::state::State;
use crate::store::{Index, Transaction};
use uuid::Uuid;

/// Creates volumes and answers the commit that the last of them is from. An id that is there is
/// updated. All intentions are one commit; the outcomes come one by one, and the error says which
/// volumes failed and which were done.
pub async fn create(
    cp: &ControlPlane,
    specs: &[Spec],
    deadline: Deadline,
) -> Result<(Index, Vec<VolumeKey>)> {
    check(specs)?;
    check_references(cp, specs).await?;
    let (mut index, items) = intend_all(cp, specs, deadline).await?;
    let mut errors = Vec::new();
    let mut done = Vec::new();
    for (spec, item) in specs.iter().zip(items) {
        let outcome = match item {
            Ok(Some(operation)) => await_outcome(cp, operation, deadline)
                .await
                .map(|(at, _)| at),
            Ok(None) => Ok(index),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(at) => {
                index = index.max(at);
                done.push(spec.id.clone());
            }
            Err(error) => errors.push(error.volume(&spec.id)),
        }
    }
    if errors.is_empty() {
        return Ok((index, keys_of(specs)));
    }
    Err(Error::several(errors, done))
}

/// One commit for everything that the volumes need; then, for each, the operation to wait for.
async fn intend_all(
    cp: &ControlPlane,
    specs: &[Spec],
    deadline: Deadline,
) -> Result<(Index, Vec<Result<Option<Uuid>>>)> {
    loop {
        let state = cp.state();
        let looked = specs
            .iter()
            .map(|spec| look(&state, spec))
            .collect::<Result<Vec<_>>>()?;
        let mut transaction = Transaction::default();
        let mut items = Vec::with_capacity(specs.len());
        let mut comes_first = None;
        for looked in &looked {
            let planned = plan(cp, looked).and_then(|plan| {
                let mut with_it = transaction.clone();
                write(cp, &mut with_it, &state, &plan)?;
                transaction = with_it;
                Ok(plan)
            });
            items.push(planned.map(|plan| match plan {
                Plan::Intend(operation) => Some(operation.id),
                Plan::Join(operation) => Some(operation),
                Plan::Store { .. } => None,
                Plan::Wait(operation) => {
                    comes_first = Some(operation);
                    None
                }
            }));
        }
        if let Some(operation) = comes_first {
            await_end(cp, operation, deadline).await?;
            continue;
        }
        if transaction.writes.is_empty() {
            return Ok((state.index, items));
        }
        if let Some(index) = cp.commit(transaction).await? {
            return Ok((index, items));
        }
    }
}

/// What is checked of every volume before any is created.
fn look<'a>(state: &'a State, spec: &'a Spec) -> Result<Looked<'a>> {
    let looked = Looked::at(state, spec)?;
    if !looked.plugin.health().controller_required {
        let text = "plugin has no controller".to_owned();
        return Err(looked.about(Fault::CapabilityMissing(text)));
    }
    let can = looked
        .plugin
        .controller_info()
        .is_some_and(|controller| controller.supports_create_delete);
    if !can {
        let text = "plugin does not support creating volumes".to_owned();
        return Err(looked.about(Fault::CapabilityMissing(text)));
    }
    looked.check_namespace()?;
    Ok(looked)
}

fn plan(cp: &ControlPlane, looked: &Looked<'_>) -> Result<Plan> {
    if let Some(first) = looked.doing(cp, Verb::Create)? {
        return Ok(first);
    }
    let refused = |text: String| {
        looked.about(
            Fault::RefusedLocally(text)
                .prefixed("controller create volume: CSI.ControllerCreateVolume: "),
        )
    };
    let key = looked.spec.key();
    let capabilities = looked.spec.parsed_capabilities();
    if let Some(entry) = looked.state.volume(&key) {
        let capabilities = capabilities.map_err(|unknown| refused(unknown.to_string()))?;
        return looked.update(cp, &entry.stored(), capabilities, Verb::Create);
    }
    if looked.spec.name.is_empty() {
        return Err(refused(Refused::MissingName.to_string()));
    }
    let capabilities = capabilities.map_err(|unknown| refused(unknown.to_string()))?;
    let (min, max) = (looked.spec.capacity_min, looked.spec.capacity_max);
    if max > 0 && max < min {
        return Err(refused(Refused::LimitBelowRequired.to_string()));
    }
    check_source(looked)?;
    let operation = new_operation(cp, looked, capabilities)?;
    match looked.state.doing(&Subject::Volume(key)) {
        None => Ok(Plan::Intend(Box::new(operation))),
        Some(doing) if doing.row.asks_the_same_as(cp, &operation) => Ok(Plan::Join(doing.row.id)),
        Some(doing) => Err(looked.busy(&doing.row)),
    }
}

/// Whether the driver can fill a new volume from what is asked for.
fn check_source(looked: &Looked<'_>) -> Result<()> {
    let Some(controller) = looked.plugin.controller_info() else {
        return Ok(());
    };
    let lacks = |text: &str| Err(looked.about(Fault::CapabilityMissing(text.to_owned())));
    if !looked.spec.clone_id.is_empty() && !controller.supports_clone {
        return lacks("plugin does not support cloning volumes");
    }
    if !looked.spec.snapshot_id.is_empty() && !controller.supports_create_delete_snapshot {
        return lacks("plugin does not support creating volumes from snapshots");
    }
    Ok(())
}

fn new_operation(
    cp: &ControlPlane,
    looked: &Looked<'_>,
    capabilities: Vec<Capability>,
) -> Result<Operation> {
    let volume = new_volume(cp, looked, capabilities)?;
    Ok(looked.intend(cp, Kind::Create(Box::new(volume)), None))
}
