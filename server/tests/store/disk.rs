//! A disk in memory that loses power, fails, and counts.
//!
//! What is written is seen at once and is durable after a sync. Power loss keeps what is durable
//! and, of what was written since, whatever the disk happened to have written.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use redb::StorageBackend;
use saddlebag::store::{Embedded, Opening, StoreError};
use std::{
    collections::BTreeSet,
    io,
    ops::Range,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// What the errors of a store on such a disk call its file.
pub const NAME: &str = "memory.redb";
/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
/// What a disk has room for or not.
const BLOCK: usize = 4_096;

#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when the faults change.
    set: Condvar,
}

#[derive(Debug, Default)]
struct State {
    seen: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    /// Those that were ever written.
    blocks: BTreeSet<usize>,
    changes: u64,
    syncs: u64,
    faults: Faults,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The power fails at this change or sync, counted from the disk's beginning.
    pub power_fails_at: Option<u64>,
    /// There is no room: only what was written before can be written over.
    pub full: bool,
    /// Writes fail.
    pub writes: bool,
    /// Syncs fail, and what was to be synced never becomes durable although it is still seen.
    pub syncs: bool,
    /// Syncs take until they do not any more.
    pub slow: bool,
    /// Reads fail.
    pub reads: bool,
    /// Reads and syncs panic: what is below the store has a bug.
    pub panics: bool,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Faults = Faults {
        power_fails_at: None,
        full: false,
        writes: false,
        syncs: false,
        slow: false,
        reads: false,
        panics: false,
    };

    fn panic(&self) {
        assert!(!self.panics, "a bug below the store");
    }
}

impl Disk {
    /// A disk with this on it.
    pub fn holding(image: Vec<u8>) -> Self {
        let state = State {
            seen: image.clone(),
            durable: image,
            ..State::default()
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            set: Condvar::new(),
        }))
    }

    pub fn open(&self) -> Result<Embedded, StoreError> {
        let disk = self.clone();
        Embedded::open_on(Path::new(NAME), move || Ok(Box::new(disk.clone())))
    }

    pub fn begin(&self) -> Result<Opening, StoreError> {
        let disk = self.clone();
        Embedded::begin_on(Path::new(NAME), move || Ok(Box::new(disk.clone())))
    }

    /// Opens it as a server does at its start, by reading all rows.
    pub fn open_by_reading(&self) -> Result<Embedded, StoreError> {
        let opening = self.begin()?;
        for batch in opening.rows()?.batches {
            batch?;
        }
        opening.finish()
    }

    /// What is on it, as long as the power is on.
    pub fn image(&self) -> Vec<u8> {
        self.state().seen.clone()
    }

    /// Changes and syncs so far.
    pub fn operations(&self) -> u64 {
        let state = self.state();
        state.changes + state.syncs
    }

    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    pub fn set(&self, faults: Faults) {
        self.state().faults = faults;
        self.0.set.notify_all();
    }

    /// Cuts the power now.
    pub fn cut_power(&self) {
        self.state().faults.power_fails_at = Some(0);
    }

    /// The disk as it is found after its power failed.
    pub fn after_power_loss(&self, seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let state = self.state();
        let mut image = state.durable.clone();
        for change in &state.unsynced {
            match change {
                Change::Write(..) if chance.random_bool(0.4) => {}
                Change::Write(offset, bytes) if chance.random_bool(0.3) => {
                    let sectors = bytes.len() / SECTOR;
                    let written = SECTOR * chance.random_range(0..=sectors);
                    Change::Write(*offset, bytes[..written].to_vec()).apply(&mut image);
                }
                change => change.apply(&mut image),
            }
        }
        Self::holding(image)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.state();
        state.powered()?;
        state.changes += 1;
        if state.faults.writes {
            return Err(io::Error::other("the disk does not write"));
        }
        let blocks = change.blocks();
        if state.faults.full && !blocks.clone().all(|block| state.blocks.contains(&block)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.blocks.extend(blocks);
        change.apply(&mut state.seen);
        state.unsynced.push(change);
        Ok(())
    }
}

impl State {
    fn powered(&self) -> io::Result<()> {
        match self.faults.power_fails_at {
            Some(last) if self.changes + self.syncs >= last => Err(io::Error::other("no power")),
            _ => Ok(()),
        }
    }
}

impl Change {
    /// The blocks that it needs.
    fn blocks(&self) -> Range<usize> {
        match self {
            Change::Write(offset, bytes) => offset / BLOCK..(offset + bytes.len()).div_ceil(BLOCK),
            Change::Length(_) => 0..0,
        }
    }

    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Change::Write(offset, bytes) => {
                let end = offset + bytes.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[*offset..end].copy_from_slice(bytes);
            }
            Change::Length(length) => image.resize(*length, 0),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        state.powered()?;
        state.faults.panic();
        if state.faults.reads {
            return Err(io::Error::other("the disk does not answer"));
        }
        let offset = usize::try_from(offset).unwrap();
        let bytes = state.seen.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(Change::Length(usize::try_from(length).unwrap()))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Change::Write(
            usize::try_from(offset).unwrap(),
            bytes.to_vec(),
        ))
    }

    fn sync_data(&self) -> io::Result<()> {
        let state = self.state();
        let waited = self.0.set.wait_while(state, |state| state.faults.slow);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.powered()?;
        state.syncs += 1;
        state.faults.panic();
        let unsynced = std::mem::take(&mut state.unsynced);
        if state.faults.syncs {
            return Err(io::Error::other("the disk could not be synced"));
        }
        for change in unsynced {
            change.apply(&mut state.durable);
        }
        Ok(())
    }
}
