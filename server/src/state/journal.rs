//! The last commits, for who follows what happens.

use super::{State, Touched};
use crate::store::Index;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many commits are kept: as many as Nomad keeps.
const KEPT: usize = 100;

/// One commit: the state before and after it, and what it touched.
#[derive(Debug)]
pub struct Step {
    /// Its index.
    pub index: Index,
    /// The state before it.
    pub before: Arc<State>,
    /// The state after it.
    pub after: Arc<State>,
    /// What it touched.
    pub touched: Touched,
}

/// The last commits that touched anything but operations.
#[derive(Debug, Default)]
pub(super) struct Journal {
    kept: VecDeque<Arc<Step>>,
    /// The newest commit that was kept once and is not any more.
    dropped: Index,
}

impl Journal {
    pub fn add(&mut self, step: Step) {
        let Touched {
            volumes,
            plugins,
            claims,
            nodes,
            ..
        } = &step.touched;
        if volumes.is_empty() && plugins.is_empty() && claims.is_empty() && nodes.is_empty() {
            return;
        }
        if self.kept.len() == KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            self.dropped = oldest.index;
        }
        self.kept.push_back(Arc::new(step));
    }

    /// The commits from an index on that are kept, and whether none is missing between it and them.
    pub fn from(&self, index: Index) -> (Vec<Arc<Step>>, bool) {
        let is_later = |step: &&Arc<Step>| step.index >= index;
        let steps = self.kept.iter().filter(is_later).cloned().collect();
        (steps, self.dropped < index)
    }
}
