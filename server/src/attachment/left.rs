//! What may still be on a node although somebody vouched that nothing is.

use super::{Attachment, Stage};
use crate::claim::Claim;
use crate::state::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The most target paths that are kept, so that the row stays one that a store takes.
const MOST_TARGETS: usize = 256;

/// What a fence passed over: the Node service was not asked to take it down, and if the host lives it is
/// there still. Kept until the Node service was asked, or the node was booted anew. It is asked before the
/// volume is unstaged; as soon as the fence is gone, if claims go on using the volume there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Left {
    /// Where it may be published.
    pub targets: BTreeSet<Target>,
    /// There were more than are kept: nothing less than a new boot of the node is known to take it down.
    pub incomplete: bool,
    /// The controller would not detach it, so it is the turn of the Node service, if that answers.
    pub refused: bool,
}

/// A path at which a volume may be published.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Target {
    /// On the host.
    pub path: PathBuf,
    /// Whether a client named it: then it is not ours to remove.
    pub named: bool,
}

impl Left {
    /// Adds where a claim may be published.
    pub(crate) fn add(&mut self, claim: &Claim) {
        if self.targets.len() >= MOST_TARGETS {
            self.incomplete = true;
            return;
        }
        self.targets.insert(Target {
            path: claim.target_path.clone(),
            named: claim.request.target_path.is_some(),
        });
    }
}

impl Attachment {
    /// Whether it is known of a path where a fence passed over it.
    pub(crate) fn has_left_targets(&self) -> bool {
        let left = self.left.as_ref();
        left.is_some_and(|left| !left.targets.is_empty())
    }

    /// Whether it is the turn of the node to take down what a fence passed over: always once the
    /// controller detached it; before that once the fence is gone, or while a fenced node answers and
    /// the controller refused.
    pub(crate) fn awaits_node(&self, state: &State) -> bool {
        let Some(left) = &self.left else { return false };
        match self.stage {
            Stage::Detached => true,
            Stage::Unstaged => {
                let node = state.node(&self.key.node);
                let is_fenced = node.is_some_and(|node| node.row.fenced.is_some());
                !is_fenced || (left.refused && self.node_answers(state))
            }
            Stage::Wanted | Stage::Attached | Stage::Staged => false,
        }
    }

    fn node_answers(&self, state: &State) -> bool {
        let plugin = state.plugin(&self.key.plugin);
        let instance = plugin.and_then(|plugin| plugin.node_instance(&self.key.node));
        instance.is_some_and(|instance| instance.healthy)
    }
}
