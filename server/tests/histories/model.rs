//! What has to be so after what was asked and answered.
//!
//! - What was answered with success is so until something else may have changed it.
//! - What was refused changed nothing.
//! - Of what was not answered, or answered with "not known yet", nothing is known until the next answer,
//!   or until everything is at rest.

use crate::step::{USERS, VOLUMES, is_shared};
use saddlebag_client::types;
use std::collections::BTreeMap;

/// Whether a volume is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Absent,
    Present,
    Maybe,
}

/// A claim, as its user knows it.
#[derive(Clone, Debug)]
pub struct Held {
    pub allocation: String,
    pub volume: usize,
    pub node: usize,
    pub mode: &'static str,
    pub read_only: bool,
    pub release_on_reboot: bool,
    pub body: types::ClaimRequest,
    /// The user was told that he has it.
    pub told: bool,
    /// Its release was asked, and not answered.
    pub releasing: bool,
    /// Something happened that may end it without its user.
    pub may_end: bool,
    /// How often the driver had turned claims of its backing store away when it was asked for.
    pub turned_away: u64,
}

impl Held {
    /// Whether two claims that are there at once go against an access mode.
    pub fn clashes(&self, other: &Held) -> Option<String> {
        let same =
            self.volume == other.volume || (is_shared(self.volume) && is_shared(other.volume));
        let apart = self.node != other.node;
        let writers = !self.read_only && !other.read_only;
        let why = match self.mode {
            _ if !same => return None,
            mode if mode != other.mode => "they have different modes",
            "single-node-single-writer" => "there may be one",
            "single-node-writer" | "single-node-reader-only" | "single-node-multi-writer"
                if apart =>
            {
                "they are on two nodes"
            }
            "multi-node-single-writer" if apart && writers => "writers are on two nodes",
            _ => return None,
        };
        Some(format!("{self:?} and {other:?} are there at once: {why}"))
    }
}

/// What is known.
#[derive(Clone, Debug)]
pub struct Model {
    pub volumes: [Known; VOLUMES],
    pub users: [Option<Held>; USERS],
    /// Allocations whose claims are not there any more, or never were, with their volumes.
    pub gone: Vec<(usize, String)>,
    /// Snapshots that are there, with the names they were asked for by.
    pub snapshots: BTreeMap<String, usize>,
    pub deleted_snapshots: Vec<String>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            volumes: [Known::Absent; VOLUMES],
            users: [const { None }; USERS],
            gone: Vec::new(),
            snapshots: BTreeMap::new(),
            deleted_snapshots: Vec::new(),
        }
    }
}
