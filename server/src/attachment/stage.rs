//! The state machine of an attachment.

use serde::{Deserialize, Serialize};

/// How far an attachment is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// ControllerPublishVolume may have been tried.
    Wanted,
    /// The controller published the volume to the node. NodeStageVolume may have been tried.
    Attached,
    /// The node staged it.
    Staged,
    /// It is known that it is not staged. ControllerUnpublishVolume may have been tried.
    Unstaged,
}

/// What can happen to an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// ControllerPublishVolume is done.
    Attached,
    /// NodeStageVolume is done.
    Staged,
    /// NodeUnstageVolume is done.
    Unstaged,
    /// ControllerUnpublishVolume is done.
    Detached,
    /// The node was booted anew: nothing is mounted there any more.
    Rebooted,
    /// Somebody with evidence says that the node does not use it any more, whatever it did.
    Fenced,
}

/// What becomes of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is here now.
    At(Stage),
    /// Its row is removed.
    Gone,
}

/// The event cannot happen to an attachment in this stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impossible;

impl Stage {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Wanted => "wanted",
            Stage::Attached => "attached",
            Stage::Staged => "staged",
            Stage::Unstaged => "unstaged",
        }
    }

    /// What becomes of an attachment; `leaving`: no claim needs it, or it failed for good.
    pub fn next(self, leaving: bool, event: Event) -> Result<Next, Impossible> {
        match (self, event) {
            (Stage::Wanted, Event::Attached) if !leaving => Ok(Next::At(Stage::Attached)),
            (Stage::Attached, Event::Staged) if !leaving => Ok(Next::At(Stage::Staged)),
            (Stage::Attached | Stage::Staged, Event::Unstaged) if leaving => {
                Ok(Next::At(Stage::Unstaged))
            }
            (Stage::Wanted | Stage::Unstaged, Event::Detached) if leaving => Ok(Next::Gone),
            (Stage::Attached | Stage::Staged, Event::Rebooted) => Ok(Next::At(Stage::Attached)),
            (_, Event::Fenced) if leaving => Ok(Next::At(Stage::Unstaged)),
            (
                Stage::Wanted | Stage::Attached | Stage::Staged | Stage::Unstaged,
                Event::Attached
                | Event::Staged
                | Event::Unstaged
                | Event::Detached
                | Event::Rebooted
                | Event::Fenced,
            ) => Err(Impossible),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_in_every_stage() {
        let at = |stage| Ok(Next::At(stage));
        let no = Err(Impossible);
        let (attached, staged) = (at(Stage::Attached), at(Stage::Staged));
        let (unstaged, gone) = (at(Stage::Unstaged), Ok(Next::Gone));
        let events = [
            Event::Attached,
            Event::Staged,
            Event::Unstaged,
            Event::Detached,
            Event::Rebooted,
            Event::Fenced,
        ];
        for (stage, leaving, expected) in [
            (Stage::Wanted, false, [attached, no, no, no, no, no]),
            (Stage::Attached, false, [no, staged, no, no, attached, no]),
            (Stage::Staged, false, [no, no, no, no, attached, no]),
            (Stage::Unstaged, false, [no; 6]),
            (Stage::Wanted, true, [no, no, no, gone, no, unstaged]),
            (
                Stage::Attached,
                true,
                [no, no, unstaged, no, attached, unstaged],
            ),
            (
                Stage::Staged,
                true,
                [no, no, unstaged, no, attached, unstaged],
            ),
            (Stage::Unstaged, true, [no, no, no, gone, no, unstaged]),
        ] {
            let happens = events.map(|event| stage.next(leaving, event));
            assert_eq!(happens, expected, "{stage:?}, leaving: {leaving}");
        }
    }

    #[test]
    fn words_stay_what_they_are_in_a_row() {
        for stage in [
            Stage::Wanted,
            Stage::Attached,
            Stage::Staged,
            Stage::Unstaged,
        ] {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
        }
    }
}
