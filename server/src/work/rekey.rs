//! Seals anew, with the active data key, what an older one sealed.
//!
//! A few rows a commit, each guarded: whoever changes one meanwhile wins, and it is looked at again.
//! Nothing of this is remembered but the key's state, so after a crash it goes on with what is left.

use super::backoff;
use crate::attachment::{Attachment, AttachmentKey};
use crate::claim::ClaimKey;
use crate::control::{ControlPlane, blocking};
use crate::error::Result;
use crate::id::VolumeKey;
use crate::keyring;
use crate::operation::{Kind, Operation};
use crate::seal::{DataKey, KeyState, Sealed};
use crate::state::State;
use crate::store::{Guard, Index, Key, Transaction, Write, keys};
use crate::volume::{SealedMountOptions, Volume};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The most rows, and about the most bytes of rows, of one commit: others commit in between.
const MOST_ROWS: usize = 40;
const MOST_BYTES: usize = 400_000;

/// Works until the task is dropped.
pub async fn work(cp: ControlPlane) {
    let mut indexes = cp.live.indexes();
    let mut refusals = 0;
    loop {
        indexes.mark_unchanged();
        let old = being_replaced(&cp.state());
        if old.is_empty() {
            if indexes.changed().await.is_err() {
                return;
            }
            continue;
        }
        match pass(&cp, old).await {
            Ok(0) => refusals = 0,
            Ok(unreadable) => {
                refusals += 1;
                tracing::error!(
                    "{unreadable} rows are not encrypted with the active data key yet; the keys that they name stay"
                );
            }
            Err(error) => {
                refusals += 1;
                tracing::error!("rows cannot be encrypted with the active data key yet: {error}");
            }
        }
        if refusals > 0 {
            let wait = Duration::try_from(backoff::after(&cp.chance, refusals)).unwrap_or_default();
            tokio::time::sleep(wait).await;
        }
    }
}

fn being_replaced(state: &State) -> BTreeSet<Uuid> {
    let rekeying = |key: &&DataKey| key.state == KeyState::Rekeying;
    let keys = state.data_keys().map(|key| &key.row);
    keys.filter(rekeying).map(|key| key.id).collect()
}

/// A row with something sealed in it.
enum Holder {
    Volume(VolumeKey),
    Operation(Uuid),
    Attachment(AttachmentKey),
    Claim(ClaimKey),
}

/// Goes through all rows that name these keys, once, and through with the keys if there is none. How
/// many rows cannot be read, and so stay as they are.
async fn pass(cp: &ControlPlane, old: BTreeSet<Uuid>) -> Result<usize> {
    let state = cp.state();
    let (seen, ids) = (Arc::clone(&state), old.clone());
    let holders = blocking(move || holders(&seen, &ids)).await;
    if holders.is_empty() {
        // Since this state nothing was sealed with these keys: whoever did could not commit it.
        let mut transaction = Transaction::default();
        for key in old.iter().filter_map(|id| state.data_key(*id)) {
            let inactive = key.row.in_state(KeyState::Inactive);
            keyring::put(&mut transaction, key, &inactive)?;
        }
        cp.commit(transaction).await?;
        return Ok(0);
    }
    let mut unreadable = 0;
    let mut batch = Transaction::default();
    for holder in &holders {
        let state = cp.state();
        let resealed = Resealing {
            cp,
            state: &state,
            old: &old,
            transaction: &mut batch,
        };
        if let Err(error) = resealed.row(holder) {
            tracing::debug!("a row stays sealed with an older data key: {error}");
            unreadable += 1;
        }
        let bytes = batch.writes.iter().map(|write| match write {
            Write::Put(_, row) => row.len(),
            Write::Delete(_) => 0,
        });
        if batch.writes.len() >= MOST_ROWS || bytes.sum::<usize>() >= MOST_BYTES {
            cp.commit(std::mem::take(&mut batch)).await?;
        }
    }
    cp.commit(batch).await?;
    Ok(unreadable)
}

fn holders(state: &State, old: &BTreeSet<Uuid>) -> Vec<Holder> {
    let names: Vec<String> = old.iter().map(Uuid::to_string).collect();
    let volumes = state.volumes_that_name(&names).cloned();
    let volumes = volumes.map(Holder::Volume);
    let is_old = |sealed: &Sealed| sealed.data_key().is_some_and(|key| old.contains(&key));
    let operations = state
        .under_way()
        .filter(|operation| sealed_in(&operation.row).any(is_old))
        .map(|operation| Holder::Operation(operation.row.id));
    let attachments = state
        .attachments()
        .filter(|attachment| attachment.row.sealed().any(is_old))
        .map(|attachment| Holder::Attachment(attachment.row.key.clone()));
    let claims = state
        .all_claims()
        .filter(|claim| claim.row.sealed().any(is_old))
        .map(|claim| Holder::Claim(claim.row.key()));
    let held = volumes.chain(operations).chain(attachments);
    held.chain(claims).collect()
}

fn sealed_in(operation: &Operation) -> impl Iterator<Item = &Sealed> {
    let of_volume = match &operation.kind {
        Kind::Create(volume) | Kind::Expand(volume) => {
            [&volume.secrets, &volume.mount_options.mount_flags]
        }
        Kind::Delete | Kind::Snapshot(_) | Kind::DeleteSnapshot => [&None, &None],
    };
    operation
        .secrets
        .iter()
        .chain(of_volume.into_iter().flatten())
}

/// Adds one row after the other to a transaction, sealed anew.
struct Resealing<'r> {
    cp: &'r ControlPlane,
    state: &'r State,
    old: &'r BTreeSet<Uuid>,
    transaction: &'r mut Transaction,
}

impl Resealing<'_> {
    /// One row; nothing if it is gone, or needs it no more.
    fn row(mut self, holder: &Holder) -> Result<()> {
        match holder {
            Holder::Volume(key) => {
                let Some(entry) = self.state.volume(key) else {
                    return Ok(());
                };
                let mut volume = entry.stored().row;
                let changed = self.volume(&mut volume)?;
                self.put(changed, keys::volume(key), entry.modified, &volume)
            }
            Holder::Operation(id) => {
                let Some(seen) = self.state.operation(*id) else {
                    return Ok(());
                };
                let mut row = seen.row.clone();
                let mut changed = self.value(&Operation::owner(*id), &mut row.secrets)?;
                if let Kind::Create(volume) | Kind::Expand(volume) = &mut row.kind {
                    changed |= self.volume(volume)?;
                }
                row.intended.get_or_insert(seen.created);
                self.put(changed, row.key(), seen.modified, &row)
            }
            Holder::Attachment(key) => {
                let Some(seen) = self.state.attachment(key) else {
                    return Ok(());
                };
                let mut row = seen.row.clone();
                let mut changed = self.value(&Attachment::owner(key), &mut row.secrets)?;
                let owner = Attachment::owner_of_context(key);
                changed |= self.value(&owner, &mut row.publish_context)?;
                changed |= self.flags(&row.volume, &mut row.mount_options)?;
                row.intended.get_or_insert(seen.modified);
                self.put(changed, key.row_key(), seen.modified, &row)
            }
            Holder::Claim(key) => {
                let ended = self.state.ended_claim(key);
                let Some(seen) = self.state.claim(key).or(ended) else {
                    return Ok(());
                };
                let mut row = seen.row.clone();
                let mut changed = self.flags(&row.volume, &mut row.mount_options)?;
                if let Some(asked) = &mut row.asked_options {
                    changed |= self.flags(&row.volume, asked)?;
                }
                row.intended.get_or_insert(seen.created);
                self.put(changed, row.row_key(), seen.modified, &row)
            }
        }
    }

    /// What is sealed in a volume. Whether any of it was sealed anew.
    fn volume(&mut self, volume: &mut Volume) -> Result<bool> {
        let secrets = self.value(&Volume::owner(&volume.key), &mut volume.secrets)?;
        Ok(self.flags(&volume.key, &mut volume.mount_options)? || secrets)
    }

    /// Mount flags of a volume. Whether they were sealed anew.
    fn flags(&mut self, volume: &VolumeKey, options: &mut SealedMountOptions) -> Result<bool> {
        self.value(&SealedMountOptions::owner(volume), &mut options.mount_flags)
    }

    /// One sealed value. Whether it was sealed anew.
    fn value(&mut self, owner: &str, sealed: &mut Option<Sealed>) -> Result<bool> {
        let key = sealed.as_ref().and_then(Sealed::data_key);
        if !key.is_some_and(|key| self.old.contains(&key)) {
            return Ok(false);
        }
        let secrets = self.cp.open(owner, sealed.as_ref())?;
        *sealed = self.cp.seal(owner, &secrets)?;
        keyring::hold(self.transaction, self.state, sealed.as_ref());
        Ok(true)
    }

    fn put(
        &mut self,
        changed: bool,
        at: Key,
        seen: Index,
        row: &impl serde::Serialize,
    ) -> Result<()> {
        if !changed {
            return Ok(());
        }
        let guard = Guard::At(at.clone(), seen);
        self.transaction.guards.push(guard);
        self.transaction.put(at, row)
    }
}
