//! The order that CSI wants (spec, "Volume Lifecycle"), as a driver sees it.
//!
//! A step up counts as having been done only once it was answered OK, and as possibly done from its
//! first try until the step down was answered OK, or that there is nothing to undo (NotFound).

use std::collections::{BTreeMap, BTreeSet};
use tonic::Code;

/// One call about a volume.
#[derive(Clone, Debug)]
pub struct Step {
    pub volume: String,
    pub what: What,
}

/// What is to be done to it.
#[derive(Clone, Debug)]
pub enum What {
    Attach { node: String },
    Stage { path: String },
    Publish { staging: String, target: String },
    Unpublish { target: String },
    Unstage { path: String },
    Detach { node: String },
    ExpandOnNode { path: String },
    Delete,
}

/// Places by name; whether what was tried there is known to have been done.
type Places = BTreeMap<String, bool>;

#[derive(Default)]
struct Volume {
    attached: Places,
    staged: Places,
    published: Places,
    under_way: u32,
}

/// All volumes, and what was out of order so far.
#[derive(Default)]
pub struct Order {
    volumes: BTreeMap<String, Volume>,
    broken: Vec<String>,
}

impl Order {
    /// Every step that was out of order, with why.
    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    /// What is, or may be, somewhere.
    pub fn left(&self) -> Vec<String> {
        let places = self.volumes.iter().flat_map(|(id, volume)| {
            let all = [&volume.attached, &volume.staged, &volume.published];
            let places: BTreeSet<&String> = all.into_iter().flat_map(Places::keys).collect();
            places
                .into_iter()
                .map(move |place| format!("{id} at {place}"))
        });
        places.collect()
    }

    /// A call arrives.
    pub fn begin(&mut self, step: &Step) {
        let volume = self.volumes.entry(step.volume.clone()).or_default();
        if let Some(why) = volume.why_not(&step.what) {
            self.broken.push(format!("{step:?}: {why}"));
        }
        volume.under_way += 1;
        match &step.what {
            What::Attach { node } => _ = volume.attached.entry(node.clone()).or_default(),
            What::Stage { path } => _ = volume.staged.entry(path.clone()).or_default(),
            What::Publish { target, .. } => {
                volume.published.entry(target.clone()).or_default();
            }
            What::Unpublish { .. }
            | What::Unstage { .. }
            | What::Detach { .. }
            | What::ExpandOnNode { .. }
            | What::Delete => {}
        }
    }

    /// A call is answered.
    pub fn end(&mut self, step: &Step, code: Code) {
        let Some(volume) = self.volumes.get_mut(&step.volume) else {
            return;
        };
        volume.under_way -= 1;
        let is_gone = matches!(code, Code::Ok | Code::NotFound);
        match &step.what {
            What::Attach { node } if code == Code::Ok => {
                volume.attached.insert(node.clone(), true);
            }
            What::Stage { path } if code == Code::Ok => {
                volume.staged.insert(path.clone(), true);
            }
            What::Publish { target, .. } if code == Code::Ok => {
                volume.published.insert(target.clone(), true);
            }
            What::Unpublish { target } if is_gone => _ = volume.published.remove(target),
            What::Unstage { path } if is_gone => _ = volume.staged.remove(path),
            What::Detach { node } if is_gone => _ = volume.attached.remove(node),
            _ => {}
        }
    }
}

impl Volume {
    fn why_not(&self, what: &What) -> Option<&'static str> {
        let is_known = |places: &Places, place: &str| places.get(place) == Some(&true);
        let wrong = [
            (self.under_way > 0, "another call about it is under way"),
            match what {
                What::Attach { node } => (
                    self.attached.keys().any(|other| other != node),
                    "it may be attached to another node",
                ),
                What::Stage { path } if self.staged.keys().any(|other| other != path) => {
                    (true, "it may be staged at another path")
                }
                What::Stage { .. } => (
                    !self.attached.values().any(|known| *known),
                    "it is not attached",
                ),
                What::Publish { staging, .. } => {
                    (!is_known(&self.staged, staging), "it is not staged there")
                }
                What::Unstage { .. } => (!self.published.is_empty(), "it may be published"),
                What::Detach { .. } => (
                    !self.published.is_empty() || !self.staged.is_empty(),
                    "it may be staged or published",
                ),
                What::ExpandOnNode { path } => (
                    !is_known(&self.published, path) && !is_known(&self.staged, path),
                    "it is neither published nor staged there",
                ),
                What::Delete => (!self.attached.is_empty(), "it may be attached"),
                What::Unpublish { .. } => (false, ""),
            },
        ];
        wrong
            .into_iter()
            .find(|(is_wrong, _)| *is_wrong)
            .map(|(_, why)| why)
    }
}
