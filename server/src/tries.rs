//! What came of trying: how often, why not yet, and when again.

use crate::error::Error;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The tries of one step. A step that is done leaves none behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tries {
    /// How often the step under way was tried.
    pub attempts: u32,
    /// Why the last of them did not do it.
    pub trouble: Option<Trouble>,
}

/// Why a step is not done yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Trouble {
    /// What was said, with Nomad's text for it.
    pub error: Error,
    /// The gRPC code by name, as in `Unavailable`; none if the driver was not asked.
    pub code: Option<String>,
    /// When the step is tried again.
    pub next_try: Timestamp,
}

impl Tries {
    /// Whether a try is due.
    pub fn are_due(&self, now: Timestamp) -> bool {
        self.next_try().is_none_or(|time| time <= now)
    }

    /// When the next try is due; `None`: at once.
    pub fn next_try(&self) -> Option<Timestamp> {
        self.trouble.as_ref().map(|trouble| trouble.next_try)
    }

    /// Makes the next try due now. Whether that changed anything.
    pub fn kick(&mut self, now: Timestamp) -> bool {
        match &mut self.trouble {
            Some(trouble) if trouble.next_try > now => {
                trouble.next_try = now;
                true
            }
            _ => false,
        }
    }
}
