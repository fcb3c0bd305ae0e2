//! Registering volumes, which drivers have already, and updating registered ones.

use super::intake::{Looked, Plan, Verb, keys_of, write};
use super::spec::{check, check_references};
use super::{Capability, SealedMountOptions, Spec, Volume};
use crate::control::ControlPlane;
use crate::csi::{self, About};
use crate::error::{Error, Fault, Result};
use crate::id::{ExternalId, VolumeKey};
use crate::operation::Kind;
use crate::operation::verbs::{Deadline, await_end, await_outcome};
use crate::state::State;
use crate::store::{Index, Transaction};
use uuid::Uuid;

/// Registers volumes, all or none, and answers the commit that the last of them is from. An id that
/// is there is updated. A driver that has a controller is asked first whether it has the volume and
/// can serve its capabilities.
///
/// Volumes that have to grow grow first, since a driver may refuse it; when all have grown, the
/// others are stored. What has grown stays grown.
pub async fn register(
    cp: &ControlPlane,
    specs: &[Spec],
    deadline: Deadline,
) -> Result<(Index, Vec<VolumeKey>)> {
    check(specs)?;
    check_references(cp, specs).await?;
    loop {
        let state = cp.state();
        let mut plans = Vec::with_capacity(specs.len());
        for spec in specs {
            let planned = deadline.bound(plan(cp, &state, spec)).await;
            plans.push(planned.unwrap_or_else(|| Err(unanswered(spec)))?);
        }
        if let Some(first) = plans.iter().find_map(waits_for) {
            await_end(cp, first, deadline).await?;
            continue;
        }
        // Everything is written once, so that what cannot be stored is known before anything grows.
        let mut everything = Transaction::default();
        for plan in &plans {
            write(cp, &mut everything, &state, plan)?;
        }
        let growths: Vec<_> = plans.iter().filter_map(growth).collect();
        if growths.is_empty() {
            match cp.commit(everything).await? {
                Some(index) => return Ok((index, keys_of(specs))),
                None => continue,
            }
        }
        let mut first = Transaction::default();
        for (plan, _) in &growths {
            write(cp, &mut first, &state, plan)?;
        }
        let Some(mut index) = cp.commit(first).await? else {
            continue;
        };
        for (_, operation) in &growths {
            index = grown(cp, *operation, deadline).await?;
        }
        if growths.len() == plans.len() {
            return Ok((index, keys_of(specs)));
        }
    }
}

/// What a driver that says nothing in time is taken to say.
fn unanswered(spec: &Spec) -> Error {
    let call = csi::Call::ValidateVolumeCapabilities;
    let text = "the driver has not answered yet".to_owned();
    let fault = Fault::DriverSlow(text).prefixed(call.server_prefix());
    Error::from(fault).volume(&spec.id).plugin(&spec.plugin_id)
}

fn waits_for(plan: &Plan) -> Option<Uuid> {
    match plan {
        Plan::Wait(operation) => Some(*operation),
        Plan::Intend(_) | Plan::Join(_) | Plan::Store { .. } => None,
    }
}

/// The plan of a volume that has to grow, with the operation to wait for.
fn growth(plan: &Plan) -> Option<(&Plan, Uuid)> {
    match plan {
        Plan::Intend(operation) => Some((plan, operation.id)),
        Plan::Join(operation) => Some((plan, *operation)),
        Plan::Wait(_) | Plan::Store { .. } => None,
    }
}

/// Waits until a volume has grown; what its driver says against it reads as a failed update.
async fn grown(cp: &ControlPlane, operation: Uuid, deadline: Deadline) -> Result<Index> {
    match await_outcome(cp, operation, deadline).await {
        Ok((index, _)) => Ok(index),
        Err(error) => Err(error.map_fault(|fault| match fault {
            fault @ (Fault::StillUnderWay { .. } | Fault::Abandoned { .. }) => fault,
            fault => fault.prefixed("unable to update volume: "),
        })),
    }
}

async fn plan(cp: &ControlPlane, state: &State, spec: &Spec) -> Result<Plan> {
    let looked = Looked::at(state, spec)?;
    if let Some(first) = looked.doing(cp, Verb::Register)? {
        return Ok(first);
    }
    let capabilities = spec
        .parsed_capabilities()
        .map_err(|unknown| looked.about(unknown_mode(unknown)))?;
    let stored = state.volume(&spec.key()).map(|entry| entry.stored());
    let plan = match stored {
        Some(seen) => looked.update(cp, &seen, capabilities, Verb::Register)?,
        None => Plan::Store {
            volume: Box::new(new_volume(cp, &looked, capabilities)?),
            seen: None,
        },
    };
    validate(cp, &looked, &plan).await?;
    looked.check_namespace()?;
    Ok(plan)
}

fn unknown_mode(unknown: csi::UnknownMode) -> Fault {
    Fault::RefusedLocally(unknown.to_string())
        .prefixed("controller validate volume: CSI.ControllerValidateVolume: ")
}

/// Asks the driver whether it has the volume and can serve it as described.
async fn validate(cp: &ControlPlane, looked: &Looked<'_>, plan: &Plan) -> Result<()> {
    let volume: &Volume = match plan {
        Plan::Store { volume, .. } => volume,
        Plan::Intend(operation) => match &operation.kind {
            Kind::Expand(volume) => volume,
            _ => return Ok(()),
        },
        Plan::Join(_) | Plan::Wait(_) => return Ok(()),
    };
    if !looked.plugin.health().controller_required {
        return Ok(());
    }
    let connection = cp.drivers.controller(looked.state, &volume.plugin)?;
    let secrets = cp.open(&Volume::owner(&volume.key), volume.secrets.as_ref())?;
    let options = volume.mount_options.open(cp, &volume.key)?;
    let request = csi::ValidateVolumeCapabilities {
        external_id: volume.remote_id().to_string(),
        volume_context: volume.context.clone(),
        capabilities: volume.csi_capabilities(Some(&looked.plugin), &options),
        parameters: volume.parameters.clone(),
        secrets: connection.secrets_with(&secrets).await?,
    };
    let confirmed = connection
        .validate_volume_capabilities(&request)
        .await
        .map_err(|error| {
            let about = About {
                external_id: &request.external_id,
                ..About::default()
            };
            looked.about(crate::work::fault_of(&error, &about))
        })?;
    confirmed.check(&request.capabilities).map_err(|refused| {
        let call = csi::Call::ValidateVolumeCapabilities;
        let prefix = format!("{}{}", call.server_prefix(), call.client_prefix());
        looked.about(Fault::DriverConflict(refused.to_string()).prefixed(prefix))
    })
}

/// A volume that is not there yet, as described.
pub(super) fn new_volume(
    cp: &ControlPlane,
    looked: &Looked<'_>,
    capabilities: Vec<Capability>,
) -> Result<Volume> {
    let spec = looked.spec;
    let health = looked.plugin.health();
    let key = spec.key();
    let now = cp.clock.now();
    let secrets = spec.secrets.clone().unwrap_or_default();
    let secrets = secrets.updated(None, spec.secrets_from.as_ref());
    let options = spec.mount_options.clone().unwrap_or_default();
    let topologies = if spec.topologies.is_empty() {
        spec.required.iter().flatten().flatten().cloned().collect()
    } else {
        spec.topologies.clone()
    };
    Ok(Volume {
        name: spec.name.clone(),
        plugin: spec.plugin(),
        external_id: ExternalId::known(spec.external_id.as_str()),
        provider: health.provider,
        provider_version: health.version,
        controller_required: health.controller_required,
        capacity: 0,
        capacity_min: spec.capacity_min,
        capacity_max: spec.capacity_max,
        capabilities,
        mount_options: SealedMountOptions::seal(cp, &key, &options)?,
        parameters: spec.parameters.clone(),
        context: spec.context.clone(),
        clone_id: spec.clone_id.clone(),
        snapshot_id: spec.snapshot_id.clone(),
        topologies,
        requested_topologies: spec.topology_request(),
        secrets: cp.seal(&Volume::owner(&key), &secrets)?,
        node_expansion_pending: false,
        delete_given_up: None,
        created_at: now,
        modified_at: now,
        key,
    })
}
