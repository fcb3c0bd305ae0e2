//! What time it is. Everything asks here, so that tests can move time.

use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A source of the time. Cheap to clone; clones of a moved clock move together.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Where it stands; nothing for one that goes.
    stopped: Option<Timestamp>,
    /// Whether who waited for a time moves it there.
    follows_waits: bool,
    moved: Arc<watch::Sender<SignedDuration>>,
}

impl Clock {
    /// A clock that stands at the time it is now, unless it is moved.
    pub fn stopped() -> Self {
        Self {
            stopped: Some(system()),
            ..Self::default()
        }
    }

    /// A clock that stands at `time` unless it is moved, and that who waits for a time moves there: after
    /// as long a wait as it would be by a clock that goes.
    pub fn standing_at(time: Timestamp) -> Self {
        Self {
            stopped: Some(time),
            follows_waits: true,
            ..Self::default()
        }
    }

    /// Whether it stands while time goes by.
    pub fn stands(&self) -> bool {
        self.stopped.is_some()
    }

    /// Takes back all moves.
    pub fn begin_anew(&self) {
        self.moved.send_replace(SignedDuration::ZERO);
    }

    /// The time now, to the nanosecond.
    pub fn now(&self) -> Timestamp {
        let moved = *self.moved.borrow();
        self.stopped
            .unwrap_or_else(system)
            .saturating_add(moved)
            .unwrap_or(Timestamp::MAX)
    }

    /// The time when this much will have gone by; the last there is, if that is later.
    pub fn after(&self, step: SignedDuration) -> Timestamp {
        self.now().saturating_add(step).unwrap_or(Timestamp::MAX)
    }

    /// Moves this clock, and every clone of it, by `step` from where it stands.
    pub fn advance(&self, step: SignedDuration) {
        self.moved
            .send_modify(|moved| *moved = moved.saturating_add(step));
    }

    /// Waits for so much time to go by, as somebody who looks around now and then: of a clock that waits
    /// move, this moves nothing, and it ends early when the clock is moved.
    pub async fn pause(&self, step: SignedDuration) {
        if !self.follows_waits {
            return self.until(self.after(step)).await;
        }
        let mut moved = self.moved.subscribe();
        tokio::select! {
            () = tokio::time::sleep(Duration::try_from(step).unwrap_or_default()) => {}
            _ = moved.changed() => {}
        }
    }

    /// Waits until it is `time`, because time goes by or because the clock is moved.
    pub async fn until(&self, time: Timestamp) {
        /// So that a step of the system's own clock is noticed, too.
        const LOOK_AGAIN: Duration = Duration::from_secs(60);
        let mut moved = self.moved.subscribe();
        loop {
            let Ok(left) = Duration::try_from(time.duration_since(self.now())) else {
                return;
            };
            if left.is_zero() {
                return;
            }
            let nap = if self.follows_waits {
                left
            } else {
                left.min(LOOK_AGAIN)
            };
            tokio::select! {
                () = tokio::time::sleep(nap) => self.was_waited_for(time),
                _ = moved.changed() => {}
            }
        }
    }

    fn was_waited_for(&self, time: Timestamp) {
        let Some(start) = self.stopped.filter(|_| self.follows_waits) else {
            return;
        };
        self.moved.send_if_modified(|moved| {
            let waited = time.duration_since(start);
            let is_later = waited > *moved;
            *moved = waited.max(*moved);
            is_later
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn system() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_that_waits_move_is_where_was_waited_for_and_not_where_somebody_looked_around()
    {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::standing_at(start);
        let step = SignedDuration::from_millis(20);
        clock.until(clock.after(step)).await;
        assert_eq!(clock.now(), start + step);
        clock.pause(step).await;
        assert_eq!(clock.now(), start + step);
        clock.begin_anew();
        assert_eq!(clock.now(), start);
    }

    #[tokio::test]
    async fn who_waits_for_a_time_is_woken_when_the_clock_is_moved_past_it() {
        let clock = Clock::stopped();
        let (waiting, hour) = (clock.clone(), SignedDuration::from_hours(1));
        let time = clock.after(hour);
        let woken = tokio::spawn(async move { waiting.until(time).await });
        tokio::task::yield_now().await;
        clock.advance(hour / 2);
        tokio::task::yield_now().await;
        assert!(!woken.is_finished());
        clock.advance(hour / 2);
        let patience = Duration::from_secs(20);
        tokio::time::timeout(patience, woken)
            .await
            .unwrap()
            .unwrap();
    }
}
