//! The data keys of a store: the first one, rotation, removal, and another key file.
//!
//! ```text
//!  (made) ─► active ─► rekeying ─► inactive ─► (removed)
//!              rotate    nothing is sealed with it any more
//! ```
//!
//! - There is one active key, always. A rotation makes a new one and the old one `rekeying` in one commit.
//! - From then on nothing is sealed with the old key: who sealed with it a moment before and has not
//!   committed yet finds that the key has changed ([`hold`]), and seals anew.
//! - What it sealed is sealed anew in the background ([`work::rekey`](crate::work::rekey)), a few rows a
//!   commit, from wherever a crash left it. When nothing is left the key is `inactive`.
//! - Only an inactive key is removed. Backups from before may need it: they bring their own row of it.

use crate::config::KeyFiles;
use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result};
use crate::operation::verbs::Deadline;
use crate::seal::{DataKey, KeyState, SealError, Sealed, WrappingKey};
use crate::state::{State, Stored};
use crate::store::{Guard, Index, Transaction, Write, keys};
use uuid::Uuid;

/// Has a transaction that stores something sealed fail if its data key has changed since this state: it
/// may have been rotated, or even removed.
pub fn hold(transaction: &mut Transaction, state: &State, sealed: Option<&Sealed>) {
    let Some(id) = sealed.and_then(Sealed::data_key) else {
        return;
    };
    // No commit has index 0: with a key that this state does not know yet it is decided anew.
    let seen = state.data_key(id).map_or(Index(0), |key| key.modified);
    let guard = Guard::At(keys::data_key(id), seen);
    if !transaction.guards.contains(&guard) {
        transaction.guards.push(guard);
    }
}

/// The keys in the key files that a server was given.
#[derive(Debug)]
pub(crate) struct Unlocked {
    /// What wraps from now on.
    pub wrapping: WrappingKey,
    /// What wrapped some data keys before.
    previous: Option<WrappingKey>,
}

/// Opens the key files. Each data key of the store opens with one of them, or this fails. A key file is
/// made only for a store that has no data key.
pub(crate) fn unlock(files: &KeyFiles, state: &State) -> std::result::Result<Unlocked, SealError> {
    let count = state.data_keys().count();
    let wrapping = match WrappingKey::read(&files.file)? {
        Some(there) => there,
        None if count == 0 => WrappingKey::read_or_make(&files.file)?,
        None => {
            let file = files.file.clone();
            return Err(SealError::NoKeyFile { file, count });
        }
    };
    let mut closed = state
        .data_keys()
        .map(|key| &key.row)
        .filter(|key| !key.opens_with(&wrapping))
        .peekable();
    let Some(first) = closed.peek() else {
        let previous = None;
        return Ok(Unlocked { wrapping, previous });
    };
    let Some(file) = &files.previous else {
        return Err(first.not_opened_by(&wrapping));
    };
    let previous = WrappingKey::read(file)?.ok_or_else(|| SealError::NoKeyFile {
        file: file.clone(),
        count,
    })?;
    match closed.find(|key| !key.opens_with(&previous)) {
        Some(key) => Err(key.not_opened_by(&previous)),
        None => Ok(Unlocked {
            wrapping,
            previous: Some(previous),
        }),
    }
}

impl Unlocked {
    /// The key that wraps, and what the store lacks to be used with it: the first data key, or the data
    /// keys that the previous key file wrapped, wrapped by this one.
    pub fn into_parts(
        self,
        state: &State,
        now: jiff::Timestamp,
    ) -> Result<(WrappingKey, Transaction)> {
        let Self { wrapping, previous } = self;
        let mut transaction = Transaction::default();
        if state.active_data_key().is_none() {
            let first = DataKey::new(&wrapping, now).ok_or(Fault::Internal)?;
            transaction.guards.push(Guard::Empty(keys::data_keys()));
            transaction.put(keys::data_key(first.id), &first)?;
        }
        if let Some(previous) = &previous {
            for key in state.data_keys() {
                if let Some(rewrapped) = key.row.rewrapped(previous, &wrapping) {
                    put(&mut transaction, key, &rewrapped)?;
                }
            }
            let (from, to) = (previous.file().display(), wrapping.file().display());
            tracing::info!(
                "the data keys that {from} opened open with {to} now; previous_key_file is not needed any more, \
                 except for backups from before"
            );
        }
        Ok((wrapping, transaction))
    }
}

/// Makes a new data key, with which everything is sealed from now on, and has what the old one sealed be
/// sealed anew.
pub async fn rotate(cp: &ControlPlane) -> Result<Stored<DataKey>> {
    loop {
        let state = cp.state();
        let active = state.active_data_key().ok_or(Fault::Internal)?;
        let new = DataKey::new(&cp.wrapping, cp.clock.now()).ok_or(Fault::Internal)?;
        let old = active.row.in_state(KeyState::Rekeying);
        let mut transaction = Transaction::default();
        put(&mut transaction, active, &old)?;
        let at = keys::data_key(new.id);
        transaction.guards.push(Guard::Absent(at.clone()));
        transaction.put(at, &new)?;
        if let Some(index) = cp.commit(transaction).await? {
            return Ok(Stored {
                row: new,
                created: index,
                modified: index,
            });
        }
    }
}

/// Removes a data key that nothing is sealed with. Waits for one of which that is about to be so.
pub async fn remove(cp: &ControlPlane, id: Uuid, deadline: Deadline) -> Result<Index> {
    let mut indexes = cp.live.indexes();
    loop {
        indexes.mark_unchanged();
        let state = cp.state();
        let Some(key) = state.data_key(id) else {
            return Err(Fault::DataKeyNotFound(id.to_string()).into());
        };
        match key.row.state {
            KeyState::Inactive => {}
            KeyState::Active => {
                return Err(in_use(
                    "active root key cannot be deleted: call rotate first",
                ));
            }
            KeyState::Rekeying if deadline.bound(indexes.changed()).await.is_some() => continue,
            KeyState::Rekeying => {
                return Err(in_use(
                    "root key in use, cannot delete: secrets are still encrypted with it. They are being encrypted \
                     with the active key; remove it once its state is inactive",
                ));
            }
        }
        let at = keys::data_key(id);
        let transaction = Transaction {
            guards: vec![Guard::At(at.clone(), key.modified)],
            writes: vec![Write::Delete(at)],
        };
        if let Some(index) = cp.commit(transaction).await? {
            return Ok(index);
        }
    }
}

fn in_use(text: &str) -> Error {
    Fault::DataKeyInUse(text.to_owned()).into()
}

/// A data key as it is now, in place of what was seen.
pub(crate) fn put(
    transaction: &mut Transaction,
    seen: &Stored<DataKey>,
    key: &DataKey,
) -> Result<()> {
    let at = keys::data_key(key.id);
    transaction
        .guards
        .push(Guard::At(at.clone(), seen.modified));
    transaction.put(at, key)
}
