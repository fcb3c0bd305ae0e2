//! What may be done with operations: intend, wait for, retry, give up.

use super::{Event, Kind, Operation, Outcome, Progress, Subject};
use crate::acl::asker;
use crate::control::ControlPlane;
use crate::crowd::{Most, Place};
use crate::csi::Secrets;
use crate::error::{Error, Fault, Result};
use crate::id::{ExternalId, PluginId};
use crate::keyring;
use crate::state::{Interest, State, Stored};
use crate::store::{Guard, Index, MOST_VALUE_BYTES, Transaction, Write, keys};
use crate::volume::{GivenUp, SealedMountOptions, Volume};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Until when a caller waits.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(wait: Duration) -> Self {
        Self(Instant::now() + wait)
    }

    /// What `asked` says, if it says it in time.
    pub async fn bound<T>(self, asked: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.0, asked).await.ok()
    }
}

/// The generation of a lease that is never given away: workers live in this process.
pub(crate) const ONLY_GENERATION: u64 = 1;

impl Operation {
    /// A new operation with a CSI name of its own.
    pub fn intended(
        cp: &ControlPlane,
        subject: Subject,
        kind: Kind,
        plugin: PluginId,
        external_id: Option<ExternalId>,
    ) -> Self {
        let id = cp.chance.uuid();
        let csi_name = match &kind {
            Kind::Create(volume) => csi_name(&volume.name, id),
            Kind::Expand(_) | Kind::Delete | Kind::Snapshot(_) | Kind::DeleteSnapshot => {
                String::new()
            }
        };
        Self {
            id,
            subject,
            kind,
            plugin,
            external_id,
            csi_name,
            secrets: None,
            progress: Progress::Intended,
            attempts: 0,
            last_code: None,
            generation: ONLY_GENERATION,
            by: asker(),
            created_at: cp.clock.now(),
            intended: None,
            ended_at: None,
        }
    }

    /// Keeps the secrets of the request until the operation ends.
    pub fn keep(mut self, cp: &ControlPlane, secrets: &Secrets) -> Result<Self> {
        self.secrets = cp.seal(&Self::owner(self.id), secrets)?;
        Ok(self)
    }

    /// Whether it does what `other` does, for the same request.
    pub fn asks_the_same_as(&self, cp: &ControlPlane, other: &Operation) -> bool {
        let name = |operation: &Operation| match operation.kind {
            Kind::Snapshot(_) => operation.csi_name.clone(),
            _ => String::new(),
        };
        self.subject == other.subject
            && self.plugin == other.plugin
            && self.kind.request() == other.kind.request()
            && name(self) == name(other)
            && self.mounts_like(cp, other)
    }

    /// Whether the volumes of both are to be mounted with the same flags, which are sealed.
    fn mounts_like(&self, cp: &ControlPlane, other: &Operation) -> bool {
        let options = |operation: &Operation| match &operation.kind {
            Kind::Create(volume) | Kind::Expand(volume) => {
                volume.mount_options.open(cp, &volume.key).map(Some)
            }
            Kind::Delete | Kind::Snapshot(_) | Kind::DeleteSnapshot => Ok(None),
        };
        matches!((options(self), options(other)), (Ok(one), Ok(other)) if one == other)
    }

    /// Puts the intention into a transaction. One that leaves no room in its row for what becomes of
    /// it is refused now, as it could never end; and so is one of a plugin for which as many wait as may.
    pub fn intend(
        &self,
        cp: &ControlPlane,
        transaction: &mut Transaction,
        state: &State,
    ) -> Result<()> {
        const ROOM: usize = 64 * 1_024;
        let most = cp.queues.of_plugin;
        if state.under_way_of(&self.plugin) >= most {
            let fault = Fault::PluginCrowded {
                plugin: self.plugin.to_string(),
                most,
            };
            return Err(Error::from(fault).plugin(&self.plugin));
        }
        keyring::hold(transaction, state, self.secrets.as_ref());
        if let Kind::Create(volume) | Kind::Expand(volume) = &self.kind {
            keyring::hold(transaction, state, volume.secrets.as_ref());
            volume.mount_options.hold(transaction, state);
        }
        transaction.put(self.lock(), self)?;
        match transaction.writes.last() {
            Some(Write::Put(_, row)) if row.len() > MOST_VALUE_BYTES - ROOM => {
                let (size, most) = (row.len(), MOST_VALUE_BYTES - ROOM);
                let text = format!(
                    "{} is described in {size} bytes, more than can be stored ({most})",
                    self.subject
                );
                Err(Fault::BodyTooLarge(text).into())
            }
            _ => Ok(()),
        }
    }

    /// Puts what became of it into a transaction, in place of what `seen` was. Its secrets go when it
    /// has ended.
    pub fn record(
        mut self,
        transaction: &mut Transaction,
        seen: &Stored<Operation>,
        progress: Progress,
        now: Timestamp,
    ) -> Result<()> {
        let lock = self.lock();
        transaction
            .guards
            .push(Guard::At(lock.clone(), seen.modified));
        self.intended.get_or_insert(seen.created);
        self.progress = progress;
        if self.progress.has_ended() {
            self.ended_at = Some(now);
            self.secrets = None;
            self.kind = self.kind.without_secrets();
            transaction.writes.push(Write::Delete(lock));
        }
        transaction.put(self.key(), &self)
    }
}

impl Kind {
    /// The kind without secrets and mount flags.
    fn without_secrets(self) -> Self {
        match self {
            Kind::Create(volume) => Kind::Create(Box::new(without_secrets(*volume))),
            Kind::Expand(volume) => Kind::Expand(Box::new(without_secrets(*volume))),
            other => other,
        }
    }

    /// What two equal requests have in common: the kind without secrets, mount flags, times, and what was known of
    /// the plugin.
    fn request(&self) -> Self {
        let mut request = self.clone().without_secrets();
        if let Kind::Create(volume) | Kind::Expand(volume) = &mut request {
            volume.created_at = Timestamp::UNIX_EPOCH;
            volume.modified_at = Timestamp::UNIX_EPOCH;
            volume.provider.clear();
            volume.provider_version.clear();
            volume.controller_required = false;
        }
        request
    }
}

fn without_secrets(volume: Volume) -> Volume {
    Volume {
        secrets: None,
        mount_options: SealedMountOptions {
            mount_flags: None,
            ..volume.mount_options
        },
        ..volume
    }
}

/// `<name cut to 24 safe characters>-<uuid>`: at most 61 bytes, and never made twice.
fn csi_name(name: &str, id: Uuid) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '-'
        }
    };
    let name: String = name.chars().take(24).map(safe).collect();
    format!("{name}-{id}")
}

/// Waits for the end of an operation. The error is what the caller is told when he has waited long
/// enough, or the server stops: the trouble of the last try, if there is any; or that as many wait for it as
/// may.
pub async fn await_end(
    cp: &ControlPlane,
    id: Uuid,
    Deadline(deadline): Deadline,
) -> Result<Arc<Stored<Operation>>> {
    let mut watch = cp.live.watch(Interest::Operation(id));
    let mut place = None;
    loop {
        let state = cp.state();
        let Some(operation) = state.operation(id) else {
            return Err(Error::from(Fault::OperationNotFound).operation(id));
        };
        if operation.row.progress.has_ended() {
            return Ok(Arc::clone(operation));
        }
        if place.is_none() {
            place = Some(place_at(cp, &operation.row)?);
        }
        tokio::select! {
            () = watch.changed() => {}
            () = tokio::time::sleep_until(deadline) => return Err(still_under_way(&operation.row)),
            () = cp.stopping.cancelled() => return Err(still_under_way(&operation.row)),
        }
    }
}

/// Waits for the outcome of an operation, and answers the commit that it is from.
pub async fn await_outcome(
    cp: &ControlPlane,
    id: Uuid,
    deadline: Deadline,
) -> Result<(Index, Outcome)> {
    let ended = await_end(cp, id, deadline).await?;
    let about = |error: Error| name(error, &ended.row);
    match &ended.row.progress {
        Progress::Done(outcome) => Ok((ended.modified, outcome.clone())),
        Progress::Failed(error) => Err(about(error.clone())),
        Progress::Abandoned(reason) => Err(about(
            Fault::Abandoned {
                what: ended.row.describe(),
                reason: reason.clone(),
            }
            .into(),
        )),
        Progress::Intended | Progress::Waiting(_) => Err(Fault::Internal.into()),
    }
}

/// A place among those who wait for an operation.
fn place_at(cp: &ControlPlane, operation: &Operation) -> Result<Place<Uuid>> {
    let most = Most {
        of_each: cp.queues.of_volume,
        in_all: usize::MAX,
    };
    cp.waiting.admit(operation.id, most).map_err(|_| {
        let fault = Fault::OperationCrowded {
            what: operation.describe(),
            operation: operation.id.to_string(),
            most: most.of_each,
        };
        name(fault.into(), operation)
    })
}

fn still_under_way(operation: &Operation) -> Error {
    let error = match &operation.progress {
        Progress::Waiting(trouble) => trouble.error.clone(),
        _ => Fault::StillUnderWay {
            what: operation.describe(),
            operation: operation.id.to_string(),
            why: "the driver has not answered yet".to_owned(),
        }
        .into(),
    };
    name(error, operation)
}

/// Names what an operation's error concerns.
fn name(error: Error, operation: &Operation) -> Error {
    let error = error.plugin(&operation.plugin).operation(operation.id);
    match operation.volume() {
        Some(volume) => error.volume(&volume.id),
        None => error,
    }
}

/// Makes the next try due now.
pub async fn retry(cp: &ControlPlane, id: Uuid) -> Result<Index> {
    happen(cp, id, Event::Kicked).await
}

/// Ends an operation without knowing what became of it at the driver: a create may leave a volume
/// there, a delete leaves the volume here, marked.
pub async fn abandon(cp: &ControlPlane, id: Uuid, reason: &str) -> Result<Index> {
    if reason.is_empty() {
        return Err(Error::from(Fault::NoReason).operation(id));
    }
    happen(cp, id, |_| Event::GivenUp(reason.to_owned())).await
}

async fn happen(cp: &ControlPlane, id: Uuid, event: impl Fn(Timestamp) -> Event) -> Result<Index> {
    loop {
        let state = cp.state();
        let Some(seen) = state.operation(id) else {
            return Err(Error::from(Fault::OperationNotFound).operation(id));
        };
        let operation = seen.row.clone();
        let now = cp.clock.now();
        let Ok(progress) = operation.progress.clone().next(event(now)) else {
            return Err(name(
                Fault::OperationEnded(id.to_string()).into(),
                &operation,
            ));
        };
        let mut transaction = Transaction::default();
        if let (Progress::Abandoned(reason), Kind::Delete) = (&progress, &operation.kind) {
            mark(&mut transaction, &state, &operation, reason, now)?;
        }
        operation.record(&mut transaction, seen, progress, now)?;
        if let Some(index) = cp.commit(transaction).await? {
            return Ok(index);
        }
    }
}

/// Marks the volume whose delete is given up: what became of it at the storage is not known.
fn mark(
    transaction: &mut Transaction,
    state: &State,
    delete: &Operation,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let Some(entry) = delete.volume().and_then(|key| state.volume(key)) else {
        return Ok(());
    };
    let mut volume = entry.stored().row;
    let at = keys::volume(&volume.key);
    transaction
        .guards
        .push(Guard::At(at.clone(), entry.modified));
    volume.delete_given_up = Some(GivenUp {
        operation: delete.id,
        reason: reason.to_owned(),
        by: asker(),
        at: now,
    });
    volume.modified_at = now;
    transaction.put(at, &volume)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csi_names_are_safe_short_and_never_made_twice() {
        let id = Uuid::nil();
        assert_eq!(csi_name("pg data/é", id), format!("pg-data---{id}"));
        let long = csi_name(&"x".repeat(200), Uuid::new_v4());
        assert!(long.len() <= 63, "{long}");
        assert_ne!(csi_name("a", Uuid::new_v4()), csi_name("a", Uuid::new_v4()));
    }
}
