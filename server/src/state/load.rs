//! The first state: all rows of the store, decoded on every processor.

use super::row::{Unreadable, backing_key, read, table_of, unreadable, volume_key};
use super::{State, Stored, Touched, VolumeEntry};
use crate::id::{ExternalId, Namespace, PluginId, VolumeKey};
use crate::store::keys::Table;
use crate::store::{Batch, Index, Key, Reading, Row, StoreError};
use crate::volume::{Backing, plugin_of};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How many decoded batches may wait to be put into the tables.
const WAITING: usize = 4;

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row is not what its key says.
    #[error(transparent)]
    Row(#[from] Unreadable),
}

/// A row, decoded if it is of a kind of which there are many.
enum Decoded {
    Volume(VolumeKey, VolumeEntry),
    Backing((PluginId, ExternalId), Stored<Backing>),
    Other(Key, Row),
}

impl State {
    /// The tables as the store has them. Blocks while it reads them.
    pub fn load(reading: Reading) -> Result<State, LoadError> {
        let index = reading.index;
        let batches = Mutex::new(reading.batches);
        let decoders = thread::available_parallelism().map_or(1, usize::from);
        let mut state = thread::scope(|scope| {
            let (sender, decoded) = sync_channel(WAITING);
            for _ in 0..decoders {
                let (batches, sender) = (&batches, sender.clone());
                scope.spawn(move || decode_all(batches, &sender));
            }
            drop(sender);
            Self::take_in(decoded, index)
        })?;
        if !state.volumes.is_empty() {
            state.volumes_index = index;
        }
        Ok(state)
    }

    /// Puts all rows into the tables, whatever their order.
    fn take_in(
        batches: Receiver<Result<Vec<Decoded>, LoadError>>,
        index: Index,
    ) -> Result<State, LoadError> {
        let mut state = State::default();
        let mut touched = Touched::default();
        for batch in batches {
            for row in batch? {
                match row {
                    Decoded::Volume(key, entry) => state.add_volume(key, entry),
                    Decoded::Backing(at, backing) => {
                        state.backings.insert(at, Arc::new(backing));
                    }
                    Decoded::Other(key, row) => state.put(&key, &row, &mut touched)?,
                }
            }
        }
        state.settle(index, &touched);
        Ok(state)
    }
}

type Batches = dyn Iterator<Item = Result<Batch, StoreError>> + Send;

/// Decodes batch after batch, until there is none or nobody wants more.
fn decode_all(
    batches: &Mutex<Box<Batches>>,
    decoded: &SyncSender<Result<Vec<Decoded>, LoadError>>,
) {
    let next = || {
        let mut batches = batches.lock().unwrap_or_else(PoisonError::into_inner);
        batches.next()
    };
    let mut names = Names::default();
    while let Some(batch) = next() {
        let rows = batch.map_err(LoadError::from).and_then(|rows| {
            let rows = rows.into_iter().map(|row| decode(row, &mut names));
            Ok(rows.collect::<Result<_, Unreadable>>()?)
        });
        if decoded.send(rows).is_err() {
            return;
        }
    }
}

fn decode((key, row): (Key, Row), names: &mut Names) -> Result<Decoded, Unreadable> {
    Ok(match table_of(&key)? {
        (Table::Volume, parts) => {
            let volume = names.volume(volume_key(&key, parts)?);
            let plugin = plugin_of(&row.value).map_err(|error| unreadable(&key, error))?;
            let entry = VolumeEntry::not_shown(names.plugin(plugin), &row);
            Decoded::Volume(volume, entry)
        }
        (Table::Backing, parts) => {
            let (plugin, external) = backing_key(&key, parts)?;
            let mut backing: Stored<Backing> = read(&key, &row)?;
            let volumes = &mut backing.row.volumes;
            *volumes = volumes.drain(..).map(|key| names.volume(key)).collect();
            Decoded::Backing((names.plugin(plugin), external), backing)
        }
        _ => Decoded::Other(key, row),
    })
}

/// The names that a row has in common with the one before it, kept once: rows come in the order of
/// their keys, so that is most of them.
#[derive(Default)]
struct Names {
    plugin: Option<PluginId>,
    namespace: Option<Namespace>,
}

impl Names {
    fn plugin(&mut self, plugin: PluginId) -> PluginId {
        kept(&mut self.plugin, plugin)
    }

    fn volume(&mut self, key: VolumeKey) -> VolumeKey {
        VolumeKey {
            namespace: kept(&mut self.namespace, key.namespace),
            ..key
        }
    }
}

/// The name that is kept, if it is the same; else this one, which is kept from now on.
fn kept<Name: Clone + PartialEq>(last: &mut Option<Name>, name: Name) -> Name {
    match last {
        Some(last) if *last == name => last.clone(),
        _ => last.insert(name).clone(),
    }
}
