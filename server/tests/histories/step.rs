//! What happens in a history, and how one is made up.

use crate::site::NODES;
use crate::strict_driver::Fault;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;
use tonic::Code;

/// How many volumes are made at the storage by clients.
pub const CREATED: usize = 4;
/// How many ids stand for one backing store.
pub const SHARED: usize = 2;
/// All volumes.
pub const VOLUMES: usize = CREATED + SHARED;
/// How many users there are.
pub const USERS: usize = 8;
/// How many snapshots may be kept.
pub const SNAPSHOTS: usize = 3;

/// Something that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Creates a volume, or grows it. Of those that share a backing store, registers it.
    Create {
        volume: usize,
        mib: i64,
    },
    Delete {
        volume: usize,
    },
    Deregister {
        volume: usize,
        force: bool,
    },
    Snapshot {
        volume: usize,
        name: usize,
    },
    DeleteSnapshot {
        name: usize,
    },
    /// A user claims a volume; one that has a claim asks for it again.
    Claim {
        user: usize,
        volume: usize,
        node: usize,
        mode: usize,
        read_only: bool,
        release_on_reboot: bool,
    },
    Release {
        user: usize,
    },
    Detach {
        volume: usize,
        node: usize,
    },
}

/// Something that happens meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server is killed and its disk loses power; another one starts.
    Crash(u64),
    /// The server stops in order; another one starts.
    Restart,
    /// A process of the driver dies; another one starts.
    DriverRestarts(usize),
    /// A node's host is switched off and on.
    Reboot(usize, u64),
    /// A node's host is gone, and an operator says so.
    Fence(usize),
    /// An operator says so of a node's host that lives, or takes that back.
    FalseFence(usize),
    /// What hangs goes on.
    LetGo,
    /// Faults end, and everything has to come to rest.
    Rest,
}

/// What happens at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    pub faults: Vec<Fault>,
    pub requests: Vec<(Request, Wait)>,
    /// It comes this long after the requests were sent.
    pub event: Option<(u64, Event)>,
}

/// How long a client waits, in milliseconds.
pub type Wait = u64;

impl Round {
    /// How many things happen.
    pub fn size(&self) -> usize {
        self.faults.len() + self.requests.len() + usize::from(self.event.is_some())
    }
}

/// A history of about this many things, made up from a seed.
pub fn made_up(seed: u64, size: usize) -> Vec<Round> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut rounds = Vec::new();
    let mut so_far = 0;
    let mut since_rest = 0;
    while so_far < size {
        let is_rest = since_rest >= 120;
        let round = match is_rest {
            true => Round {
                faults: Vec::new(),
                requests: Vec::new(),
                event: Some((0, Event::Rest)),
            },
            false => round(&mut chance),
        };
        since_rest = if is_rest {
            0
        } else {
            since_rest + round.size()
        };
        so_far += round.size();
        rounds.push(round);
    }
    rounds
}

fn round(chance: &mut StdRng) -> Round {
    let faults = match chance.random_ratio(1, 4) {
        true => (0..chance.random_range(1..=2))
            .map(|_| fault(chance))
            .collect(),
        false => Vec::new(),
    };
    let requests = (0..chance.random_range(1..=6))
        .map(|_| (request(chance), wait(chance)))
        .collect();
    let event = chance
        .random_ratio(1, 5)
        .then(|| (chance.random_range(0..40), event(chance)));
    Round {
        faults,
        requests,
        event,
    }
}

fn wait(chance: &mut StdRng) -> Wait {
    match chance.random_range(0..6) {
        0 => 0,
        1 => 50,
        _ => 1_500,
    }
}

fn fault(chance: &mut StdRng) -> Fault {
    let code = Code::from(chance.random_range(1..=16));
    match chance.random_range(0..12) {
        0..=4 => Fault::Before(code),
        5..=7 => Fault::After(code),
        8 | 9 => Fault::Hang,
        10 => Fault::DieBefore,
        _ => Fault::DieAfter,
    }
}

fn event(chance: &mut StdRng) -> Event {
    let node = chance.random_range(0..NODES);
    match chance.random_range(0..20) {
        0..=2 => Event::Crash(chance.random()),
        3 | 4 => Event::Restart,
        5..=8 => Event::DriverRestarts(node),
        9..=11 => Event::Reboot(node, chance.random()),
        12 => Event::Fence(node),
        13 | 14 => Event::FalseFence(node),
        _ => Event::LetGo,
    }
}

fn request(chance: &mut StdRng) -> Request {
    let volume = chance.random_range(0..VOLUMES);
    let node = chance.random_range(0..NODES);
    let user = chance.random_range(0..USERS);
    let name = chance.random_range(0..SNAPSHOTS);
    match chance.random_range(0..100) {
        0..=17 => Request::Create {
            volume,
            mib: chance.random_range(1..=8),
        },
        18..=23 => Request::Delete { volume },
        24..=26 => Request::Deregister {
            volume,
            force: false,
        },
        27 => Request::Deregister {
            volume,
            force: true,
        },
        28..=33 => Request::Snapshot { volume, name },
        34..=36 => Request::DeleteSnapshot { name },
        37..=66 => Request::Claim {
            user,
            volume,
            node,
            mode: chance.random_range(0..8),
            read_only: chance.random_ratio(1, 3),
            release_on_reboot: chance.random_ratio(1, 3),
        },
        67..=91 => Request::Release { user },
        _ => Request::Detach { volume, node },
    }
}

/// The modes in which a volume may be used.
pub fn modes(volume: usize) -> &'static [&'static str] {
    match volume {
        0 => &[
            "single-node-writer",
            "single-node-multi-writer",
            "single-node-single-writer",
        ],
        1 => &[
            "multi-node-multi-writer",
            "multi-node-single-writer",
            "multi-node-reader-only",
        ],
        2 => &["single-node-writer", "single-node-reader-only"],
        3 => &["single-node-single-writer"],
        _ => &["multi-node-multi-writer", "multi-node-reader-only"],
    }
}

/// The mode that a claim asks for.
pub fn mode(volume: usize, number: usize) -> &'static str {
    let modes = modes(volume);
    modes[number % modes.len()]
}

/// Whether a volume shares its backing store with others.
pub fn is_shared(volume: usize) -> bool {
    volume >= CREATED
}

/// A volume's id.
pub fn id(volume: usize) -> String {
    format!("v{volume}")
}

/// A number of milliseconds.
pub fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}
