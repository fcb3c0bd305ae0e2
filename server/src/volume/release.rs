//! Letting go of volumes: forgetting them, and having their drivers destroy them.

use super::Volume;
use super::intake::{keep_others_out, release_backing};
use crate::attachment::Stage;
use crate::claim::Claim;
use crate::claim::moves::Moves;
use crate::control::ControlPlane;
use crate::csi::{Refused, Secrets};
use crate::error::{Error, Fault, Result};
use crate::id::VolumeKey;
use crate::operation::verbs::{Deadline, await_end, await_outcome};
use crate::operation::{Kind, Operation, Subject};
use crate::state::{State, Stored};
use crate::store::{Guard, Index, Transaction, Write, keys};

/// Forgets a volume that nobody uses; its driver keeps it. Waits for its turn after a growth or a
/// snapshot; one that is being made or destroyed is busy. With `force`, claims that are finished do not
/// count: they hold the volume no longer, and go on being released.
pub async fn deregister(
    cp: &ControlPlane,
    key: &VolumeKey,
    force: bool,
    deadline: Deadline,
) -> Result<Index> {
    loop {
        let state = cp.state();
        if let Some(doing) = state.doing(&Subject::Volume(key.clone())) {
            if matches!(doing.row.kind, Kind::Create(_) | Kind::Delete) {
                return Err(busy(key, &doing.row));
            }
            await_end(cp, doing.row.id, deadline).await?;
            continue;
        }
        let seen = find(&state, key)?;
        if force && drop_finished(cp, &state, key).await? {
            continue;
        }
        check_unused(&state, &seen.row)?;
        let mut transaction = unused(key, &seen);
        transaction.guards.push(Guard::Absent(keys::doing(key)));
        transaction.writes.push(Write::Delete(keys::volume(key)));
        release_backing(&mut transaction, &state, &seen.row)?;
        if let Some(index) = cp.commit(transaction).await? {
            return Ok(index);
        }
    }
}

/// Has the finished claims of a volume hold it no longer, if all its claims are finished; says whether
/// there were any.
async fn drop_finished(cp: &ControlPlane, state: &State, key: &VolumeKey) -> Result<bool> {
    const AT_ONCE: usize = 25;
    if state.claims(key).any(|claim| !claim.is_leaving()) {
        return Ok(false);
    }
    let mut moves = Moves::at(cp, state);
    let mut dropped = false;
    for seen in state.claims_of(key).take(AT_ONCE) {
        let claim = Claim {
            dropped: true,
            ..seen.row.clone()
        };
        moves.put(seen, claim)?;
        dropped = true;
    }
    if dropped {
        cp.commit(moves.into_transaction()).await?;
    }
    Ok(dropped)
}

/// Has the driver destroy a volume that nobody uses, and then forgets it. `secrets` are laid over the
/// stored ones. Waits for its turn after a creation, a growth or a snapshot; joins a deletion under way.
pub async fn delete(
    cp: &ControlPlane,
    key: &VolumeKey,
    secrets: &Secrets,
    deadline: Deadline,
) -> Result<Index> {
    loop {
        let state = cp.state();
        if let Some(doing) = state.doing(&Subject::Volume(key.clone())) {
            if doing.row.kind == Kind::Delete {
                return Ok(await_outcome(cp, doing.row.id, deadline).await?.0);
            }
            await_end(cp, doing.row.id, deadline).await?;
            continue;
        }
        let seen = find(&state, key)?;
        check_unused(&state, &seen.row)?;
        check_detached(&state, &seen.row)?;
        check_deletable(&state, &seen.row)?;
        let operation = Operation::intended(
            cp,
            Subject::Volume(key.clone()),
            Kind::Delete,
            seen.row.plugin.clone(),
            Some(seen.row.remote_id()),
        )
        .keep(cp, secrets)?;
        let mut transaction = unused(key, &seen);
        transaction.guards.push(Guard::Absent(operation.lock()));
        keep_others_out(&mut transaction, &state, &seen.row)?;
        operation.intend(cp, &mut transaction, &state)?;
        if cp.commit(transaction).await?.is_some() {
            return Ok(await_outcome(cp, operation.id, deadline).await?.0);
        }
    }
}

fn find(state: &State, key: &VolumeKey) -> Result<Stored<Volume>> {
    match state.volume(key) {
        Some(entry) => Ok(entry.stored()),
        None => Err(Error::from(Fault::VolumeNotFound(key.id.to_string())).volume(&key.id)),
    }
}

/// The guards under which nobody uses the volume and it is as it was seen.
fn unused(key: &VolumeKey, seen: &Stored<Volume>) -> Transaction {
    Transaction {
        guards: vec![
            Guard::At(keys::volume(key), seen.modified),
            Guard::Empty(keys::claims(key)),
        ],
        writes: Vec::new(),
    }
}

fn check_unused(state: &State, volume: &Volume) -> Result<()> {
    match state.claims(&volume.key).next() {
        None => Ok(()),
        Some(claim) => Err(about(volume, Fault::VolumeInUse(volume.key.id.to_string()))
            .node(&claim.node)
            .claim(&claim.allocation)),
    }
}

/// Whether no node holds the backing store any more: claims of a volume that was deregistered by
/// force may. One that a node was detached from on somebody's word is not held by it.
fn check_detached(state: &State, volume: &Volume) -> Result<()> {
    let external = volume.remote_id();
    let mut attachments = state.attachments_of(&volume.plugin, &external);
    match attachments.find(|attachment| attachment.row.stage != Stage::Detached) {
        None => Ok(()),
        Some(attachment) => {
            let fault = Fault::VolumeInUse(volume.key.id.to_string());
            Err(about(volume, fault).node(&attachment.row.key.node))
        }
    }
}

/// Whether the volume's driver can be asked to destroy it, and only it.
fn check_deletable(state: &State, volume: &Volume) -> Result<()> {
    let plugin = state.plugin(&volume.plugin).ok_or_else(|| {
        let plugin = volume.plugin.to_string();
        let volume_id = volume.key.id.to_string();
        about(
            volume,
            match volume.controller_required {
                true => Fault::PluginOfClaimNotFound(plugin),
                false => Fault::PluginOfVolumeNotFound {
                    plugin,
                    volume: volume_id,
                },
            },
        )
    })?;
    if plugin.lacks_controller() {
        let fault = Fault::NoHealthyController(volume.plugin.to_string());
        return Err(about(volume, fault));
    }
    if !plugin
        .controller_info()
        .is_some_and(|c| c.supports_create_delete)
    {
        let text = "plugin does not support deleting volumes".to_owned();
        return Err(about(volume, Fault::CapabilityMissing(text)));
    }
    if volume.external_id.as_str().is_empty() {
        let fault = Fault::RefusedLocally(Refused::MissingExternalVolumeId.to_string())
            .prefixed("controller delete volume: CSI.ControllerDeleteVolume: ");
        return Err(about(volume, fault));
    }
    let backing = state.backing(&volume.plugin, &volume.remote_id());
    let others: Vec<String> = backing
        .iter()
        .flat_map(|backing| &backing.row.volumes)
        .filter(|key| *key != &volume.key)
        .map(|key| format!("{:?}", key.id.as_str()))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(about(
        volume,
        Fault::ExternalIdShared {
            external_id: volume.external_id.to_string(),
            volume: volume.key.id.to_string(),
            others: others.join(", "),
        },
    ))
}

fn about(volume: &Volume, fault: Fault) -> Error {
    Error::from(fault)
        .volume(&volume.key.id)
        .plugin(&volume.plugin)
}

pub(super) fn busy(key: &VolumeKey, doing: &Operation) -> Error {
    Error::from(Fault::VolumeBusy {
        volume: key.id.to_string(),
        doing: doing.kind.word().to_owned(),
        operation: doing.id.to_string(),
    })
    .volume(&key.id)
    .operation(doing.id)
}
