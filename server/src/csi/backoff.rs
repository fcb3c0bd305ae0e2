//! Waiting longer and longer between tries.

use rand::random_range;
use std::time::Duration;

/// Pauses that double from a first to a longest one, each shortened by up to a quarter at random so
/// that many who wait do not try together.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            next: first.min(most),
        }
    }

    /// How long to wait before the next try.
    pub(super) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.most);
        pause.mul_f64(random_range(0.75..=1.0))
    }

    /// What was tried has worked: the next pause is the first one again.
    pub(super) fn reset(&mut self) {
        self.next = self.first.min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        for longest in [1, 2, 4, 5, 5] {
            let longest = Duration::from_secs(longest);
            let pause = backoff.pause();
            assert!(
                pause <= longest && pause >= longest.mul_f64(0.74),
                "{pause:?}"
            );
        }
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_secs(1));
    }
}
