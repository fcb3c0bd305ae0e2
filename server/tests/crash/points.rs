//! The points that a server passes, as it tells them, and its death at one of them.

use rustix::process::{Pid, Signal, kill_process};
use saddlebag::csi::Call;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// The `nth` time, from 1, that a point is passed since the beginning of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passing {
    pub point: String,
    pub nth: usize,
}

impl fmt::Display for Passing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.point, self.nth)
    }
}

/// What listens to the points of one server after the other.
#[derive(Clone)]
pub struct Points(Arc<Heard>);

struct Heard {
    watching: Mutex<Watching>,
    killed: AtomicUsize,
}

/// Where a server dies.
#[derive(Clone, Debug)]
pub enum Deadly {
    At(Passing),
    /// At whatever point is the so-manieth that is passed, from 1.
    Nth(usize),
}

#[derive(Default)]
struct Watching {
    passed: Vec<Passing>,
    deadly: Option<Deadly>,
    counts: Option<fn(&str) -> bool>,
}

impl Points {
    /// Listens at this socket, and lets every server go on.
    pub fn listen(socket: &Path) -> Self {
        let points = Self(Arc::new(Heard {
            watching: Mutex::default(),
            killed: AtomicUsize::new(0),
        }));
        let listener = UnixListener::bind(socket).unwrap();
        let listening = points.clone();
        tokio::spawn(async move {
            while let Ok((server, _)) = listener.accept().await {
                tokio::spawn(listening.clone().hear(server));
            }
        });
        points
    }

    /// Counts the points that `counts` from now on, and kills the server at `deadly`.
    pub fn begin(&self, counts: fn(&str) -> bool, deadly: Option<Deadly>) {
        *self.watching() = Watching {
            passed: Vec::new(),
            deadly,
            counts: Some(counts),
        };
    }

    /// What was passed since the beginning.
    pub fn passed(&self) -> Vec<Passing> {
        self.watching().passed.clone()
    }

    /// How often a server was killed.
    pub fn killed(&self) -> usize {
        self.0.killed.load(Ordering::Relaxed)
    }

    /// Notes that the server is about to be killed between two points.
    pub fn killed_meanwhile(&self) {
        self.0.killed.fetch_add(1, Ordering::Relaxed);
    }

    async fn hear(self, server: UnixStream) {
        let pid = server.peer_cred().unwrap().pid().unwrap();
        let (points, mut go_on) = server.into_split();
        let mut points = BufReader::new(points).lines();
        while let Ok(Some(point)) = points.next_line().await {
            if self.is_deadly(point) {
                self.0.killed.fetch_add(1, Ordering::Relaxed);
                kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
                return;
            }
            if go_on.write_all(b"\n").await.is_err() {
                return;
            }
        }
    }

    fn is_deadly(&self, point: String) -> bool {
        let mut watching = self.watching();
        if !watching.counts.is_some_and(|counts| counts(&point)) {
            return false;
        }
        let before = watching.passed.iter().filter(|it| it.point == point);
        let nth = before.count() + 1;
        let passing = Passing { point, nth };
        let is_deadly = match &watching.deadly {
            Some(Deadly::At(deadly)) => *deadly == passing,
            Some(Deadly::Nth(nth)) => watching.passed.len() + 1 == *nth,
            None => false,
        };
        if is_deadly {
            watching.deadly = None;
        }
        watching.passed.push(passing);
        is_deadly
    }

    fn watching(&self) -> MutexGuard<'_, Watching> {
        self.0.watching.lock().unwrap()
    }
}

/// Whether a point is one of a change that a client asked for: not of what a server does by itself at
/// its start and from time to time, nor of the test's own questions.
pub fn is_of_a_change(point: &str) -> bool {
    let is_discovery = Call::ALL
        .iter()
        .filter(|call| call.is_discovery())
        .any(|call| point.ends_with(&format!(" {call}")));
    !is_discovery && !point.ends_with(" commit instance") && is_of_work(point)
}

/// Whether a point is not one of the test's own questions.
pub fn is_of_work(point: &str) -> bool {
    let is_of_a_question = |answered: &str| {
        ["Read", "List", "Doctor"]
            .iter()
            .any(|verb| answered.starts_with(verb))
    };
    let is_own_question = match point.strip_prefix("before reply ") {
        Some(answered) => is_of_a_question(answered),
        None => point.ends_with(" ListVolumes"),
    };
    !is_own_question
}
