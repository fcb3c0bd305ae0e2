//! What is tried again, by the time of its next try.

use crate::clock::Clock;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Things to be looked at, each at its time: so that the next try of one costs no look at the others.
/// A thing may be there at several times; to look at it when nothing is due does no harm.
pub(super) struct Later<Thing>(BTreeSet<(Timestamp, Thing)>);

impl<Thing: Ord> Default for Later<Thing> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<Thing: Ord> Later<Thing> {
    /// Has a thing looked at when it is `time`.
    pub fn add(&mut self, time: Timestamp, thing: Thing) {
        self.0.insert((time, thing));
    }

    /// Waits for the first time that something is to be looked at; for ever if there is nothing.
    pub async fn wait(&self, clock: &Clock) {
        match self.0.first() {
            Some((time, _)) => clock.until(*time).await,
            None => std::future::pending().await,
        }
    }

    /// Takes what is to be looked at by `now`.
    pub fn take(&mut self, now: Timestamp) -> BTreeSet<Thing> {
        let mut taken = BTreeSet::new();
        while self.0.first().is_some_and(|(time, _)| *time <= now) {
            taken.extend(self.0.pop_first().map(|(_, thing)| thing));
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::Later;
    use crate::clock::Clock;
    use jiff::SignedDuration;
    use std::collections::BTreeSet;

    #[tokio::test]
    async fn each_thing_is_taken_at_its_time_and_once() {
        let clock = Clock::stopped();
        let minutes = |minutes| clock.after(SignedDuration::from_mins(minutes));
        let mut later = Later::default();
        later.add(minutes(2), "second");
        later.add(minutes(1), "first");
        later.add(minutes(1), "also first");
        assert_eq!(later.take(clock.now()), BTreeSet::new());
        clock.advance(SignedDuration::from_mins(1));
        later.wait(&clock).await;
        assert_eq!(later.take(clock.now()), ["also first", "first"].into());
        assert_eq!(later.take(clock.now()), BTreeSet::new());
        clock.advance(SignedDuration::from_mins(1));
        later.wait(&clock).await;
        assert_eq!(later.take(clock.now()), ["second"].into());
    }
}
