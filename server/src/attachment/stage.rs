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
    /// It is known that it is not staged, or who fenced the node vouches for that
    /// ([`super::Attachment::left`]). ControllerUnpublishVolume may have been tried.
    Unstaged,
    /// The controller detached it while somebody vouched that the node does not use it. It holds nothing
    /// any more; the Node service is still to be asked to take down what may be left.
    Detached,
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
    /// ControllerUnpublishVolume is done, and the node is not known to have done its part.
    Severed,
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
            Stage::Detached => "detached",
        }
    }

    /// What becomes of an attachment; `leaving`: no claim needs it, or it failed for good.
    pub fn next(self, leaving: bool, event: Event) -> Result<Next, Impossible> {
        match (self, event) {
            (Stage::Wanted, Event::Attached) if !leaving => Ok(Next::At(Stage::Attached)),
            (Stage::Attached, Event::Staged) if !leaving => Ok(Next::At(Stage::Staged)),
            (Stage::Attached | Stage::Staged | Stage::Unstaged, Event::Unstaged) if leaving => {
                Ok(Next::At(Stage::Unstaged))
            }
            (Stage::Wanted | Stage::Unstaged, Event::Detached) if leaving => Ok(Next::Gone),
            (Stage::Unstaged, Event::Severed) if leaving => Ok(Next::At(Stage::Detached)),
            (Stage::Detached, Event::Unstaged | Event::Rebooted) if leaving => Ok(Next::Gone),
            (Stage::Attached | Stage::Staged, Event::Rebooted) => Ok(Next::At(Stage::Attached)),
            (Stage::Unstaged, Event::Rebooted) if leaving => Ok(Next::At(Stage::Unstaged)),
            (Stage::Wanted | Stage::Attached | Stage::Staged | Stage::Unstaged, Event::Fenced)
                if leaving =>
            {
                Ok(Next::At(Stage::Unstaged))
            }
            (
                Stage::Wanted | Stage::Attached | Stage::Staged | Stage::Unstaged | Stage::Detached,
                Event::Attached
                | Event::Staged
                | Event::Unstaged
                | Event::Detached
                | Event::Severed
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
        let (unstaged, detached, gone) = (at(Stage::Unstaged), at(Stage::Detached), Ok(Next::Gone));
        let events = [
            Event::Attached,
            Event::Staged,
            Event::Unstaged,
            Event::Detached,
            Event::Severed,
            Event::Rebooted,
            Event::Fenced,
        ];
        for (stage, leaving, expected) in [
            (Stage::Wanted, false, [attached, no, no, no, no, no, no]),
            (
                Stage::Attached,
                false,
                [no, staged, no, no, no, attached, no],
            ),
            (Stage::Staged, false, [no, no, no, no, no, attached, no]),
            (Stage::Unstaged, false, [no; 7]),
            (Stage::Detached, false, [no; 7]),
            (Stage::Wanted, true, [no, no, no, gone, no, no, unstaged]),
            (
                Stage::Attached,
                true,
                [no, no, unstaged, no, no, attached, unstaged],
            ),
            (
                Stage::Staged,
                true,
                [no, no, unstaged, no, no, attached, unstaged],
            ),
            (
                Stage::Unstaged,
                true,
                [no, no, unstaged, gone, detached, unstaged, unstaged],
            ),
            (Stage::Detached, true, [no, no, gone, no, no, gone, no]),
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
            Stage::Detached,
        ] {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
        }
    }
}
