//! The state machine of a claim.

use serde::{Deserialize, Serialize};

/// How far a claim is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It is admitted. Its volume may or may not be at its target path: NodePublishVolume may have
    /// been tried.
    Taken,
    /// The driver said that the volume is at its target path.
    Published,
    /// It is known that the volume is not at its target path, and will not be.
    Unpublished,
}

/// What can happen to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// NodePublishVolume is done.
    Published,
    /// NodeUnpublishVolume is done, or nothing was ever published, or the node is fenced.
    Unpublished,
    /// Its node was booted anew: nothing is mounted there any more. The driver of one that is
    /// leaving is asked all the same, so that it cleans up.
    Rebooted,
}

/// The event cannot happen to a claim in this stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impossible;

impl Stage {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Taken => "taken",
            Stage::Published => "published",
            Stage::Unpublished => "unpublished",
        }
    }

    /// What becomes of a claim; `leaving`: its release was asked, or it failed for good.
    pub fn next(self, leaving: bool, event: Event) -> Result<Stage, Impossible> {
        match (self, event) {
            (Stage::Taken, Event::Published) if !leaving => Ok(Stage::Published),
            (Stage::Taken | Stage::Published, Event::Unpublished) if leaving => {
                Ok(Stage::Unpublished)
            }
            (Stage::Taken | Stage::Published, Event::Rebooted) if leaving => Ok(self),
            (Stage::Taken | Stage::Published, Event::Rebooted) => Ok(Stage::Taken),
            (Stage::Taken, Event::Published | Event::Unpublished)
            | (Stage::Published, Event::Published | Event::Unpublished)
            | (Stage::Unpublished, Event::Published | Event::Unpublished | Event::Rebooted) => {
                Err(Impossible)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_in_every_stage() {
        use Stage::{Published, Taken, Unpublished};
        let events = [Event::Published, Event::Unpublished, Event::Rebooted];
        for (stage, leaving, expected) in [
            (Taken, false, [Ok(Published), Err(Impossible), Ok(Taken)]),
            (Taken, true, [Err(Impossible), Ok(Unpublished), Ok(Taken)]),
            (
                Published,
                false,
                [Err(Impossible), Err(Impossible), Ok(Taken)],
            ),
            (
                Published,
                true,
                [Err(Impossible), Ok(Unpublished), Ok(Published)],
            ),
            (Unpublished, false, [Err(Impossible); 3]),
            (Unpublished, true, [Err(Impossible); 3]),
        ] {
            let happens = events.map(|event| stage.next(leaving, event));
            assert_eq!(happens, expected, "{stage:?}, leaving: {leaving}");
        }
    }

    #[test]
    fn words_stay_what_they_are_in_a_row() {
        for stage in [Stage::Taken, Stage::Published, Stage::Unpublished] {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
        }
    }
}
