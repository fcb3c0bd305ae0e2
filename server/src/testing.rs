//! What tests may do to a server that is one for tests (`saddlebag dev`): have it fail, and begin anew.
//!
//! - Faults strike where they were asked to, as often as they were asked to, the first that fits first.
//! - What is held up goes on as soon as the list of faults changes.
//! - After a reset the state is that of a server that was just started, at a later index. Nothing that
//!   was asked before it changes anything any more.

mod fault;
mod faults;

pub use fault::{Fault, NotAFault, Outcome, Place, Said};
pub use faults::{CallFaults, Faults, Struck};

use crate::control::ControlPlane;
use crate::csi::Role;
use crate::error::{self, Result};
use crate::plugin::Instance;
use crate::state::State;
use crate::store::Index;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// What health says of a node that is away because a test asked for it.
pub const AWAY: &str = "the node is away: a test asked for it";

/// How long the answer to a change of the faults waits for health to follow.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who wants the server to begin anew, and to hear at which index it did.
pub(crate) type AskedToReset = oneshot::Sender<Index>;

/// What tests may do. Cheap to clone; outlives resets.
#[derive(Clone)]
pub struct Testing {
    /// What fails.
    pub faults: Faults,
    resets: mpsc::UnboundedSender<AskedToReset>,
}

impl Testing {
    /// For a server that does what the other end hears of.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<AskedToReset>) {
        let (resets, asked) = mpsc::unbounded_channel();
        let faults = Faults::default();
        (Self { faults, resets }, asked)
    }

    /// Has the server begin anew, and waits until it did.
    pub async fn reset(&self) -> Result<Index> {
        let (asked, done) = oneshot::channel();
        let stops = || error::Fault::StoreUnavailable("the server stops".to_owned());
        self.resets.send(asked).map_err(|_| stops())?;
        Ok(done.await.map_err(|_| stops())?)
    }

    /// Has these faults from now on, waits a while until nodes that are away or back are known to be, and
    /// gives back those of before with how often each struck.
    pub async fn change(&self, cp: &ControlPlane, faults: Vec<Fault>) -> Vec<(Fault, u64)> {
        let before = self.faults.set(faults);
        let mut indexes = cp.live.indexes();
        let followed =
            async { while !self.is_known(&cp.state()) && indexes.changed().await.is_ok() {} };
        // A driver that is not well for other reasons is not waited for.
        let _ = tokio::time::timeout(PATIENCE, followed).await;
        before
    }

    /// Whether health says which nodes are away.
    fn is_known(&self, state: &State) -> bool {
        let is_told = |instance: &Instance| {
            let away = instance.role == Role::Node && self.faults.is_away(&instance.node);
            instance.description.contains(AWAY) == away
        };
        let mut instances = state.plugins().flat_map(|plugin| &plugin.instances);
        instances.all(|stored| is_told(&stored.row))
    }
}
