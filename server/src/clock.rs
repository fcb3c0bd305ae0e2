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
            tokio::select! {
                () = tokio::time::sleep(left.min(LOOK_AGAIN)) => {}
                _ = moved.changed() => {}
            }
        }
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
