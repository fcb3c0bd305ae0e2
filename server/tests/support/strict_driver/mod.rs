//! A CSI driver that holds its caller to the order of CSI, over real unix sockets.
//!
//! - One socket for the controller and the first node's Node service, one more for each further node. All
//!   share one storage, which outlives [`StrictDriver::restart`] and the servers that call it.
//! - A call that CSI does not allow at that moment, or that repeats another one with other parameters, is a
//!   [`Breach`], told with every call about that volume so far: see [`storage`]. A breach that nobody
//!   took fails the test when the driver is dropped.
//! - Faults are queued by [`StrictDriver::fail_next`]: each meets one call that changes something. A call
//!   that hangs goes on when it is let go, though its caller gave up long ago; until then other calls
//!   about the same volume are `Aborted`, as CSI says. Two at once from callers that both still wait are
//!   a breach.
//! - [`StrictDriver::vouch`] is what a false fence means to it: it refuses what would be a breach.
//! - [`StrictDriver::power_off`] and [`StrictDriver::power_on`] are what happens to a node's host: what was
//!   staged and published there is gone.
//!
//! It lives on threads of its own, so it answers however busy the test is.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![allow(missing_docs, reason = "what a test needs to know is said")]

mod announced;
mod call;
mod node;
mod process;
mod services;
mod storage;

#[allow(unused_imports, reason = "each test uses a part of it")]
pub use node::OnNode;
pub use storage::{Breach, Disk, Storage};

use call::Subject;
use process::{Order, Process};
use saddlebag::csi::{Call, Endpoint};
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tonic::Code;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused, and nothing was done.
    Before(Code),
    /// It is done, and refused all the same.
    After(Code),
    /// It is done once it is let go, whoever waits for it.
    Hang,
    /// The process dies before it is done.
    DieBefore,
    /// The process dies when it is done, before it is answered.
    DieAfter,
}

/// See the module.
pub struct StrictDriver {
    folder: TempDir,
    shared: Shared,
    processes: Vec<Process>,
}

/// What the sockets of a driver share.
#[derive(Clone)]
struct Shared(Arc<Parts>);

struct Parts {
    storage: Mutex<Storage>,
    /// What the next calls that change something meet; some of them nothing.
    faults: Mutex<VecDeque<Option<Fault>>>,
    /// How many calls hung so far.
    hung: watch::Sender<usize>,
    /// How long each call that changes something takes.
    pace: Mutex<Duration>,
    /// Whether no call that changes something is heard.
    deaf: AtomicBool,
    /// Calls that hang are let go when this changes.
    let_go: watch::Sender<u64>,
    under_way: Mutex<HashMap<Subject, Arc<()>>>,
}

impl Shared {
    fn storage(&self) -> MutexGuard<'_, Storage> {
        self.0.storage.lock().unwrap()
    }
}

impl StrictDriver {
    /// A driver with this many nodes, called `node-0`, `node-1` and so on.
    pub fn start(nodes: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let shared = Shared(Arc::new(Parts {
            storage: Mutex::default(),
            faults: Mutex::default(),
            hung: watch::Sender::new(0),
            pace: Mutex::default(),
            deaf: AtomicBool::new(false),
            let_go: watch::Sender::new(0),
            under_way: Mutex::default(),
        }));
        let process = |node| {
            let socket = folder.path().join(format!("{node}.sock"));
            Process::start(socket, node, shared.clone())
        };
        Self {
            processes: (0..nodes).map(process).collect(),
            shared,
            folder,
        }
    }

    /// The socket beside a node; that of node 0 is the controller's, too.
    pub fn socket(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("{node}.sock"))
    }

    /// Where that is.
    pub fn endpoint(&self, node: usize) -> Endpoint {
        Endpoint::at(self.socket(node)).unwrap()
    }

    /// The driver's own id of a node.
    pub fn node_id(node: usize) -> String {
        format!("node-{node}")
    }

    /// Ends the process beside a node as a crash would, and starts another.
    pub fn restart(&self, node: usize) {
        self.processes[node].order(Order::Restart);
    }

    /// Has the next call that changes something meet this fault, after those that are queued already.
    pub fn fail_next(&self, fault: Fault) {
        self.fail_after(0, fault);
    }

    /// Likewise, but lets so many calls go well first.
    pub fn fail_after(&self, calls: usize, fault: Fault) {
        let mut faults = self.shared.0.faults.lock().unwrap();
        faults.extend(std::iter::repeat_n(None, calls));
        faults.push_back(Some(fault));
    }

    /// Waits until a call hung.
    pub async fn hangs(&self) {
        let mut hung = self.shared.0.hung.subscribe();
        let _ = hung.wait_for(|calls| *calls > 0).await;
    }

    /// Takes back the faults that met no call.
    pub fn fail_no_more(&self) {
        self.shared.0.faults.lock().unwrap().clear();
    }

    /// Has each call that changes something take this long from now on.
    pub fn pace(&self, pace: Duration) {
        *self.shared.0.pace.lock().unwrap() = pace;
    }

    /// Has every call that changes something hang from now on, for good and undone.
    pub fn hang_for_good(&self) {
        self.shared.0.deaf.store(true, Ordering::Relaxed);
    }

    /// Lets every call go that hangs, unless it hangs for good.
    pub fn let_go(&self) {
        self.shared.0.let_go.send_modify(|times| *times += 1);
    }

    /// How many calls that change something are under way, those whose callers gave up included.
    pub fn under_way(&self) -> usize {
        self.shared.0.under_way.lock().unwrap().len()
    }

    /// A node's host is off: nothing is staged or published there, and its Node service is unavailable.
    /// What was under way there is lost.
    pub fn power_off(&self, node: usize) {
        self.shared.storage().power_off(&Self::node_id(node));
        self.processes[node].die();
    }

    /// Somebody says of a node that lives that it uses nothing.
    pub fn vouch(&self, node: usize) {
        self.shared.storage().vouch(&Self::node_id(node));
    }

    /// Nobody says so any more.
    pub fn doubt(&self, node: usize) {
        self.shared.storage().doubt(&Self::node_id(node));
    }

    /// A node's host is on, in another boot.
    pub fn power_on(&self, node: usize) {
        self.shared.storage().power_on(&Self::node_id(node));
    }

    /// Makes a backing store that nobody asked for, as an administrator of the storage would. It has the
    /// context that [`context_of`] says.
    pub fn bring(&self, external_id: &str) {
        self.shared.storage().bring(external_id);
    }

    /// What there is, and what happened.
    pub fn storage(&self) -> MutexGuard<'_, Storage> {
        self.shared.storage()
    }

    /// Takes the breaches so far.
    pub fn take_breaches(&self) -> Vec<Breach> {
        std::mem::take(&mut self.shared.storage().breaches)
    }

    /// How often it was asked this.
    pub fn count(&self, call: Call) -> u64 {
        let storage = self.shared.storage();
        storage.counts.get(&call).copied().unwrap_or_default()
    }
}

impl Drop for StrictDriver {
    fn drop(&mut self) {
        self.let_go();
        self.processes.clear();
        let breaches = self.take_breaches();
        if !std::thread::panicking() {
            let told: Vec<String> = breaches.iter().map(ToString::to_string).collect();
            assert!(told.is_empty(), "{}", told.join("\n"));
        }
    }
}

/// The volume context that every call about a backing store has to carry.
pub fn context_of(external_id: &str) -> HashMap<String, String> {
    [("backing".to_owned(), external_id.to_owned())].into()
}
