//! From descriptions to one commit: what the volumes of a request need, and doing it.
//!
//! Nothing is decided on what may have changed meanwhile: every plan is made on one state and
//! committed under guards on what it saw, and made again when one of them does not hold.

use super::capacity::{Sizing, sizing};
use super::merge::merge;
use super::release::busy;
use super::{Backing, Capability, SealedMountOptions, Spec, Volume};
use crate::claim::Claim;
use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result, multierror};
use crate::id::{ExternalId, Namespace, VolumeKey};
use crate::keyring;
use crate::operation::{Kind, Operation, Subject};
use crate::plugin::Plugin;
use crate::state::{State, Stored};
use crate::store::{Guard, Transaction, Write, keys};
use std::sync::Arc;
use uuid::Uuid;

/// Which request it is: they differ in what a volume that is not there needs, and in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Register,
    Create,
}

/// What one volume of a request needs.
#[derive(Debug)]
pub(super) enum Plan {
    /// A driver has to act: commit this operation, with the request's secrets, and wait for it.
    Intend(Box<Operation>),
    /// The very same was asked before: wait for that operation.
    Join(Uuid),
    /// Another operation comes first: wait for its end and look again.
    Wait(Uuid),
    /// Only the row changes. `seen` is the row as it was.
    Store {
        volume: Box<Volume>,
        seen: Option<Arc<Stored<Volume>>>,
    },
}

/// What every volume of a request needs to be looked at.
pub(super) struct Looked<'a> {
    pub state: &'a State,
    pub spec: &'a Spec,
    pub plugin: Arc<Plugin>,
}

impl<'a> Looked<'a> {
    /// Finds the plugin, and a healthy controller of it if it needs one; but what is under way already
    /// waits for the controller itself.
    pub fn at(state: &'a State, spec: &'a Spec) -> Result<Self> {
        let id = spec.plugin();
        let about = |fault: Fault| Error::from(fault).volume(&spec.id).plugin(&id);
        let plugin = state
            .plugin(&id)
            .cloned()
            .ok_or_else(|| about(Fault::NoPluginNamed(id.to_string())))?;
        let is_new = state.doing(&Subject::Volume(spec.key())).is_none();
        if is_new && plugin.lacks_controller() {
            return Err(about(Fault::NoHealthyController(id.to_string())));
        }
        Ok(Self {
            state,
            spec,
            plugin,
        })
    }

    /// The same error, with the names of what it concerns.
    pub fn about(&self, fault: Fault) -> Error {
        Error::from(fault)
            .volume(&self.spec.id)
            .plugin(&self.spec.plugin_id)
    }

    /// Whether the volume's namespace is there.
    pub fn check_namespace(&self) -> Result<()> {
        let namespace = Namespace::known(self.spec.namespace.as_str());
        match self.state.namespace(&namespace) {
            Some(_) => Ok(()),
            None => Err(self.about(Fault::NamespaceNotFound {
                volume: self.spec.id.clone(),
                namespace: namespace.to_string(),
            })),
        }
    }

    /// What is to be done while another operation is under way on the volume; `None` if none is.
    pub fn doing(&self, cp: &ControlPlane, verb: Verb) -> Result<Option<Plan>> {
        let key = self.spec.key();
        let Some(doing) = self.state.doing(&Subject::Volume(key)) else {
            return Ok(None);
        };
        match doing.row.kind {
            Kind::Create(_) if verb == Verb::Create => Ok(None),
            Kind::Create(_) | Kind::Delete => Err(self.busy(&doing.row)),
            Kind::Expand(_) if self.is_asked_by(cp, &doing.row, verb) => {
                Ok(Some(Plan::Join(doing.row.id)))
            }
            Kind::Expand(_) | Kind::Snapshot(_) | Kind::DeleteSnapshot => {
                Ok(Some(Plan::Wait(doing.row.id)))
            }
        }
    }

    /// Whether the growth that is under way is what is asked for.
    fn is_asked_by(&self, cp: &ControlPlane, growth: &Operation, verb: Verb) -> bool {
        let (Some(seen), Ok(capabilities)) = (
            self.state.volume(&self.spec.key()),
            self.spec.parsed_capabilities(),
        ) else {
            return false;
        };
        match self.update(cp, &seen.stored(), capabilities, verb) {
            Ok(Plan::Intend(asked)) => growth.asks_the_same_as(cp, &asked),
            _ => false,
        }
    }

    /// The refusal of what cannot wait for this operation.
    pub fn busy(&self, doing: &Operation) -> Error {
        self.about(Fault::VolumeBusy {
            volume: self.spec.id.clone(),
            doing: doing.kind.word().to_owned(),
            operation: doing.id.to_string(),
        })
        .operation(doing.id)
    }

    /// The plan for a volume that is there: its update, by the driver if it has to grow.
    pub fn update(
        &self,
        cp: &ControlPlane,
        seen: &Stored<Volume>,
        capabilities: Vec<Capability>,
        verb: Verb,
    ) -> Result<Plan> {
        let spec = self.spec;
        let prefix = match verb {
            Verb::Register => "unable to update volume: ",
            Verb::Create => "",
        };
        let refused = |fault: Fault| self.about(fault.prefixed(prefix));
        let claims: Vec<Claim> = self.state.claims(&seen.row.key).cloned().collect();
        let options = seen.row.mount_options.open(cp, &seen.row.key)?;
        let mut volume = merge(&seen.row, &options, spec, capabilities, &claims)
            .map_err(|conflicts| refused(Fault::UpdateConflict(multierror(&conflicts))))?;
        let provider = &seen.row.provider;
        if !(provider.is_empty() || self.plugin.is_provided_by(provider)) {
            let fault = Fault::IdentityConflict(spec.id.clone());
            return Err(self.about(fault));
        }
        let asked = spec.mount_options.clone().unwrap_or_default();
        if asked != options {
            volume.mount_options = SealedMountOptions::seal(cp, &volume.key, &asked)?;
        }
        if spec.secrets.is_some() || spec.secrets_from.is_some() {
            let owner = Volume::owner(&volume.key);
            let stored = cp.open(&owner, volume.secrets.as_ref())?;
            let updated = stored.updated(spec.secrets.as_ref(), spec.secrets_from.as_ref());
            volume.secrets = cp.seal(&owner, &updated)?;
        }
        let sizing =
            sizing(&seen.row, spec).map_err(|text| refused(Fault::UpdateConflict(text)))?;
        volume.delete_given_up = None;
        if sizing != Sizing::Keep {
            volume.capacity_min = spec.capacity_min;
            volume.capacity_max = spec.capacity_max;
        }
        if sizing == Sizing::Grow {
            let can = self
                .plugin
                .controller_info()
                .is_some_and(|c| c.supports_expand);
            if !can {
                let text = "expand is not implemented by this controller plugin";
                return Err(refused(Fault::CapabilityMissing(text.to_owned())));
            }
            let external = Some(seen.row.remote_id());
            let kind = Kind::Expand(Box::new(volume));
            return Ok(Plan::Intend(Box::new(self.intend(cp, kind, external))));
        }
        let health = self.plugin.health();
        if !health.provider.is_empty() {
            volume.provider = health.provider;
            volume.provider_version = health.version;
            volume.controller_required = health.controller_required;
        }
        volume.modified_at = cp.clock.now();
        Ok(Plan::Store {
            volume: Box::new(volume),
            seen: Some(Arc::new(seen.clone())),
        })
    }

    /// A new operation on the volume.
    pub fn intend(
        &self,
        cp: &ControlPlane,
        kind: Kind,
        external_id: Option<ExternalId>,
    ) -> Operation {
        let subject = Subject::Volume(self.spec.key());
        Operation::intended(cp, subject, kind, self.spec.plugin(), external_id)
    }
}

/// Adds to a transaction what a plan needs. Plans that only wait add nothing.
pub(super) fn write(
    cp: &ControlPlane,
    transaction: &mut Transaction,
    state: &State,
    plan: &Plan,
) -> Result<()> {
    match plan {
        Plan::Intend(operation) => {
            transaction.guards.push(Guard::Absent(operation.lock()));
            let volume = operation.volume();
            let seen = volume.and_then(|key| state.volume(key));
            transaction.guards.extend(volume.map(|key| match seen {
                Some(entry) => Guard::At(keys::volume(key), entry.modified),
                None => Guard::Absent(keys::volume(key)),
            }));
            if let Some(volume) = volume.filter(|_| seen.is_none()) {
                guard_namespace(transaction, state, volume);
            }
            if let Kind::Expand(volume) = &operation.kind {
                let seen = seen.map(|entry| entry.stored());
                guard_claims(transaction, state, seen.as_ref(), volume);
                hold_backing(transaction, state, volume)?;
            }
            operation.intend(cp, transaction, state)
        }
        Plan::Store { volume, seen } => {
            transaction
                .guards
                .push(Guard::Absent(keys::doing(&volume.key)));
            let at = keys::volume(&volume.key);
            transaction.guards.push(match seen {
                Some(seen) => Guard::At(at.clone(), seen.modified),
                None => Guard::Absent(at.clone()),
            });
            if seen.is_none() {
                guard_namespace(transaction, state, &volume.key);
            }
            guard_claims(transaction, state, seen.as_deref(), volume);
            keyring::hold(transaction, state, volume.secrets.as_ref());
            volume.mount_options.hold(transaction, state);
            transaction.put(at, volume)?;
            hold_backing(transaction, state, volume)
        }
        Plan::Join(_) | Plan::Wait(_) => Ok(()),
    }
}

/// Guards that the namespace of a new volume is not deleted meanwhile. Volumes of one request share the guard.
fn guard_namespace(transaction: &mut Transaction, state: &State, volume: &VolumeKey) {
    let Some(there) = state.namespace(&volume.namespace) else {
        return;
    };
    let guard = Guard::At(keys::namespace(&volume.namespace), there.modified);
    if !transaction.guards.contains(&guard) {
        transaction.guards.push(guard);
    }
}

/// Guards that nobody claims an unclaimed volume while an update changes how it may be used.
fn guard_claims(
    transaction: &mut Transaction,
    state: &State,
    seen: Option<&Stored<Volume>>,
    updated: &Volume,
) {
    let usage = |volume: &Volume| (volume.capabilities.clone(), volume.mount_options.clone());
    let changes = seen.is_some_and(|seen| usage(&seen.row) != usage(updated));
    if changes && state.claims(&updated.key).next().is_none() {
        let claims = Guard::Empty(keys::claims(&updated.key));
        transaction.guards.push(claims);
    }
}

/// Notes that the volume stands for its backing store, which is to be as this state shows it.
fn hold_backing(transaction: &mut Transaction, state: &State, volume: &Volume) -> Result<()> {
    let external = volume.remote_id();
    let at = keys::backing(&volume.plugin, &external);
    let held = state.backing(&volume.plugin, &external);
    let mut backing = held.map(|held| held.row.clone()).unwrap_or_default();
    let shared = volume.asks_only_to_be_shared();
    if transaction.writes.iter().any(|write| write.key() == &at) {
        return Err(taken(volume, &external, &volume.key));
    }
    if let Some(holder) = other_holder(&backing, volume)
        && !(backing.shared && shared)
    {
        return Err(taken(volume, &external, holder));
    }
    for holder in backing.volumes.iter().filter(|key| *key != &volume.key) {
        if let Some(doing) = state.doing(&Subject::Volume(holder.clone()))
            && doing.row.kind == Kind::Delete
        {
            return Err(busy(holder, &doing.row));
        }
    }
    if other_holder(&backing, volume).is_none() {
        backing.volumes = vec![volume.key.clone()];
        backing.shared = shared;
    } else if !backing.volumes.contains(&volume.key) {
        backing.volumes.push(volume.key.clone());
    }
    if held.is_some_and(|held| held.row == backing) {
        return Ok(());
    }
    transaction.guards.push(match held {
        Some(held) => Guard::At(at.clone(), held.modified),
        None => Guard::Absent(at.clone()),
    });
    transaction.put(at, &backing)
}

/// Has nobody else stand for a backing store that is about to be destroyed: its row is written again, so
/// whoever saw it as it was has to look again, and sees the deletion.
pub(super) fn keep_others_out(
    transaction: &mut Transaction,
    state: &State,
    volume: &Volume,
) -> Result<()> {
    let external = volume.remote_id();
    let at = keys::backing(&volume.plugin, &external);
    match state.backing(&volume.plugin, &external) {
        Some(held) => {
            let guard = Guard::At(at.clone(), held.modified);
            transaction.guards.push(guard);
            transaction.put(at, &held.row)
        }
        None => {
            transaction.guards.push(Guard::Absent(at));
            Ok(())
        }
    }
}

/// Notes that the volume stands for the backing store that a driver just made for it. It is nobody
/// else's, however much all ask to be shared: nobody asked to share this one.
pub(crate) fn hold_new_backing(
    transaction: &mut Transaction,
    state: &State,
    volume: &Volume,
) -> Result<()> {
    let external = volume.remote_id();
    let held = state.backing(&volume.plugin, &external);
    match held.and_then(|held| other_holder(&held.row, volume)) {
        Some(holder) => Err(taken(volume, &external, holder)),
        None => hold_backing(transaction, state, volume),
    }
}

fn other_holder<'b>(backing: &'b Backing, volume: &Volume) -> Option<&'b VolumeKey> {
    backing.volumes.iter().find(|key| *key != &volume.key)
}

fn taken(volume: &Volume, external: &ExternalId, holder: &VolumeKey) -> Error {
    let taken = Fault::ExternalIdTaken {
        external_id: external.to_string(),
        plugin: volume.plugin.to_string(),
        holder: holder.id.to_string(),
    };
    Error::from(taken)
        .volume(&volume.key.id)
        .plugin(&volume.plugin)
}

/// Notes that the volume no longer stands for its backing store.
pub(crate) fn release_backing(
    transaction: &mut Transaction,
    state: &State,
    volume: &Volume,
) -> Result<()> {
    let external = volume.remote_id();
    let Some(held) = state.backing(&volume.plugin, &external) else {
        return Ok(());
    };
    let at = keys::backing(&volume.plugin, &external);
    transaction
        .guards
        .push(Guard::At(at.clone(), held.modified));
    let mut backing = held.row.clone();
    backing.volumes.retain(|key| key != &volume.key);
    if backing.volumes.is_empty() {
        transaction.writes.push(Write::Delete(at));
        return Ok(());
    }
    transaction.put(at, &backing)
}

/// The keys of a request's volumes, in its order.
pub(super) fn keys_of(specs: &[Spec]) -> Vec<VolumeKey> {
    specs.iter().map(Spec::key).collect()
}
