//! What time it is. Everything asks here, so that tests can move time.

use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};

/// A source of the time. Cheap to clone; clones of a moved clock move together.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    moved: Arc<Mutex<SignedDuration>>,
}

impl Clock {
    /// The time now, to the nanosecond.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        let moved = *self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        Timestamp::now()
            .saturating_add(moved)
            .unwrap_or(Timestamp::MAX)
    }

    /// Moves this clock, and every clone of it, by `step` from where it stands.
    pub fn advance(&self, step: SignedDuration) {
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        *moved = moved.saturating_add(step);
    }
}
