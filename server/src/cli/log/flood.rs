//! A flood of warnings is told as a count.
//!
//! Of the warnings and errors that one place of the program logs, so many are logged within [`WINDOW`]; of
//! more, the log says at its end how many there were. What a client can do again and again fills no disk.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// How long warnings of one place are counted together.
const WINDOW: Duration = Duration::from_secs(10);

/// The target of what says how many there were, which is always logged.
const TOLD: &str = "saddlebag::flood";

/// Lets so many warnings of each place pass. Clones count together.
#[derive(Clone)]
pub(super) struct Flood {
    most: usize,
    window: Duration,
    counted: Arc<Mutex<HashMap<Identifier, Counted>>>,
    has_begun: Arc<Notify>,
}

/// The warnings of one place since a window began.
struct Counted {
    since: Instant,
    logged: usize,
    kept_back: usize,
    /// What the first that was kept back said.
    message: String,
}

impl Flood {
    /// So many of each place within a window.
    pub fn of_at_most(most: usize) -> Self {
        Self {
            most,
            window: WINDOW,
            counted: Arc::default(),
            has_begun: Arc::default(),
        }
    }

    /// Tells, for ever, how many were kept back.
    pub async fn tell(self) {
        loop {
            let ended = self.first_end();
            match ended {
                Some(end) => sleep_until(end).await,
                None => self.has_begun.notified().await,
            }
            for told in self.ended(Instant::now()) {
                tracing::warn!(
                    target: TOLD,
                    "{} more like this within {} s: {}",
                    told.kept_back,
                    self.window.as_secs(),
                    told.message,
                );
            }
        }
    }

    /// When the first window ends in which some were kept back.
    fn first_end(&self) -> Option<Instant> {
        let counted = self.lock();
        let floods = counted.values().filter(|counted| counted.kept_back > 0);
        floods.map(|counted| counted.since + self.window).min()
    }

    /// Takes out the windows that have ended, and gives those in which some were kept back.
    fn ended(&self, now: Instant) -> Vec<Counted> {
        let mut counted = self.lock();
        let ended = counted.extract_if(|_, counted| counted.since + self.window <= now);
        let ended = ended.map(|(_, counted)| counted);
        ended.filter(|counted| counted.kept_back > 0).collect()
    }

    /// Whether this one is logged.
    fn admits(&self, event: &Event<'_>, now: Instant) -> bool {
        let mut counted = self.lock();
        let new = || Counted {
            since: now,
            logged: 0,
            kept_back: 0,
            message: String::new(),
        };
        let counted = counted
            .entry(event.metadata().callsite())
            .or_insert_with(new);
        // One in which some were kept back is told of first.
        if counted.since + self.window <= now && counted.kept_back == 0 {
            *counted = new();
        }
        if counted.logged < self.most {
            counted.logged += 1;
            return true;
        }
        if counted.kept_back == 0 {
            event.record(&mut Message(&mut counted.message));
            self.has_begun.notify_one();
        }
        counted.kept_back += 1;
        false
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Identifier, Counted>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Flood {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        *metadata.level() > Level::WARN
            || metadata.target() == TOLD
            || self.admits(event, Instant::now())
    }
}

/// Takes the message of an event.
struct Message<'m>(&'m mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use tracing_subscriber::layer::SubscriberExt;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn of_a_flood_some_are_logged_and_then_how_many_more_there_were() {
        let lines = Lines::default();
        let flood = Flood {
            window: Duration::from_secs(2),
            ..Flood::of_at_most(2)
        };
        let written = lines.clone();
        let subscriber = tracing_subscriber::registry().with(flood.clone()).with(
            tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(move || written.clone()),
        );
        let _logging = tracing::subscriber::set_default(subscriber);
        let telling = tokio::spawn(flood.tell());
        for number in 0..50 {
            tracing::warn!("the disk {number} is slow");
            tracing::info!("information {number}");
        }
        tracing::error!("something else");
        let text = || String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        // That a line was written tells nobody.
        let deadline = Instant::now() + Duration::from_secs(30);
        while counts(&text()).iter().sum::<usize>() < 50 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        telling.abort();
        let (text, counts) = (text(), counts(&text()));
        assert_eq!(counts.iter().sum::<usize>(), 50, "{text}");
        assert!(counts.iter().any(|count| *count > 1), "{text}");
        assert_eq!(text.matches("information").count(), 50);
        assert!(text.contains("something else"));
    }

    /// For how many warnings about a slow disk each line about them stands.
    fn counts(text: &str) -> Vec<usize> {
        let slow = text.lines().filter(|line| line.contains("is slow"));
        let count = |line: &str| match line.split_once(" more like this") {
            Some((before, _)) => before.rsplit(' ').next().unwrap().parse().unwrap(),
            None => 1,
        };
        slow.map(count).collect()
    }
}
