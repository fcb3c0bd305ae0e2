//! The state machine of an operation.

use crate::error::Error;
use crate::operation::Outcome;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Progress {
    /// Nothing was tried.
    Intended,
    /// The last try had no clear end; there will be another.
    Waiting(Trouble),
    /// The driver did it.
    Done(Outcome),
    /// The driver refused, or what it did cannot be kept.
    Failed(Error),
    /// An operator gave it up, for this reason.
    Abandoned(String),
}

/// Why the last try had no clear end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Trouble {
    /// What a waiting client is told.
    pub error: Error,
    /// Whether all that was lacking was a healthy controller: the next try is due as soon as there is
    /// one, and not before.
    pub lacks_controller: bool,
    /// When the next one is due otherwise.
    pub next_try: Timestamp,
}

/// What can happen to an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A try ended without a clear answer.
    Unclear(Trouble),
    /// The driver did it.
    Done(Outcome),
    /// The driver refused, or what it did cannot be kept.
    Refused(Error),
    /// An operator gives it up.
    GivenUp(String),
    /// An operator wants the next try now.
    Kicked(Timestamp),
}

/// The operation has ended: nothing can happen to it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Progress {
    /// Whether nothing will happen to it any more.
    pub fn has_ended(&self) -> bool {
        match self {
            Progress::Intended | Progress::Waiting(_) => false,
            Progress::Done(_) | Progress::Failed(_) | Progress::Abandoned(_) => true,
        }
    }

    /// Whether a try is due. `has_controller` says whether there is a healthy controller to ask.
    pub fn is_due(&self, now: Timestamp, has_controller: impl FnOnce() -> bool) -> bool {
        match self {
            Progress::Intended => true,
            Progress::Waiting(trouble) if trouble.lacks_controller => has_controller(),
            Progress::Waiting(trouble) => trouble.next_try <= now,
            Progress::Done(_) | Progress::Failed(_) | Progress::Abandoned(_) => false,
        }
    }

    /// What becomes of it.
    pub fn next(self, event: Event) -> Result<Progress, Refused> {
        if self.has_ended() {
            return Err(Refused);
        }
        Ok(match event {
            Event::Unclear(trouble) => Progress::Waiting(trouble),
            Event::Done(outcome) => Progress::Done(outcome),
            Event::Refused(error) => Progress::Failed(error),
            Event::GivenUp(reason) => Progress::Abandoned(reason),
            Event::Kicked(now) => match self {
                Progress::Waiting(trouble) => Progress::Waiting(Trouble {
                    next_try: now,
                    ..trouble
                }),
                other => other,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;

    fn trouble(lacks_controller: bool, at: i64) -> Trouble {
        Trouble {
            error: Fault::Internal.into(),
            lacks_controller,
            next_try: Timestamp::from_second(at).unwrap(),
        }
    }

    #[test]
    fn every_event_in_every_state() {
        let now = Timestamp::from_second(100).unwrap();
        let error = || Error::from(Fault::JobNotFound);
        let events = || {
            [
                Event::Unclear(trouble(true, 9)),
                Event::Done(Outcome::Nothing),
                Event::Refused(error()),
                Event::GivenUp("gone".to_owned()),
                Event::Kicked(now),
            ]
        };
        let ends = || {
            [
                Ok(Progress::Waiting(trouble(true, 9))),
                Ok(Progress::Done(Outcome::Nothing)),
                Ok(Progress::Failed(error())),
                Ok(Progress::Abandoned("gone".to_owned())),
            ]
        };
        let expected = |last: Progress| ends().into_iter().chain([Ok(last)]).collect::<Vec<_>>();
        let happens = |from: Progress| {
            events()
                .into_iter()
                .map(|event| from.clone().next(event))
                .collect::<Vec<_>>()
        };

        assert_eq!(happens(Progress::Intended), expected(Progress::Intended));
        assert_eq!(
            happens(Progress::Waiting(trouble(false, 5))),
            expected(Progress::Waiting(trouble(false, 100)))
        );
        for ended in [
            Progress::Done(Outcome::Nothing),
            Progress::Failed(error()),
            Progress::Abandoned("gone".to_owned()),
        ] {
            assert_eq!(happens(ended), vec![Err(Refused); 5]);
        }
    }

    #[test]
    fn a_waiting_operation_is_due_at_its_time_and_not_before() {
        let waiting = Progress::Waiting(trouble(false, 5));
        assert!(!waiting.is_due(Timestamp::from_second(4).unwrap(), || true));
        assert!(waiting.is_due(Timestamp::from_second(5).unwrap(), || false));
    }

    #[test]
    fn an_operation_without_a_controller_is_due_when_there_is_one_and_not_before() {
        let waiting = Progress::Waiting(trouble(true, 5));
        assert!(!waiting.is_due(Timestamp::from_second(6).unwrap(), || false));
        assert!(waiting.is_due(Timestamp::from_second(4).unwrap(), || true));
    }
}
