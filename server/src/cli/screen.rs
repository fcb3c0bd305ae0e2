//! How answers are shown: for people on a terminal, exactly otherwise.

use crate::cli::failure::{Exit, Failure};
use crate::cli::say;
use crate::clock::Clock;
use jiff::Timestamp;
use serde::Serialize;
use std::io::{IsTerminal, stdout};

/// Where answers are shown: standard output.
///
/// On a terminal sizes have units and times are told from now; elsewhere sizes are bytes and times are RFC 3339.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    is_terminal: bool,
    now: Timestamp,
}

impl Screen {
    /// Standard output as it is.
    pub fn new() -> Self {
        Self {
            is_terminal: stdout().is_terminal(),
            now: Clock::default().now(),
        }
    }

    /// The same, with sizes and times in full wherever they are shown.
    #[must_use]
    pub fn exact(self, exact: bool) -> Self {
        Self {
            is_terminal: self.is_terminal && !exact,
            ..self
        }
    }

    /// Shows a text.
    pub fn show(&self, text: &str) {
        say(stdout(), text);
    }

    /// Shows an answer as JSON, indented.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn show_json(&self, answer: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(answer).map_err(|error| {
            Failure::new(Exit::Failed, format!("the answer is no JSON: {error}"), &[])
        })?;
        self.show(&format!("{text}\n"));
        Ok(())
    }

    /// A size in bytes; 0 is unknown.
    pub fn size(&self, bytes: i64) -> String {
        match bytes {
            0 => "unknown".to_owned(),
            bytes if self.is_terminal => human_size(bytes),
            bytes => bytes.to_string(),
        }
    }

    /// A time; nothing is told as `-`.
    pub fn time(&self, time: Option<Timestamp>) -> String {
        match time {
            None => "-".to_owned(),
            Some(time) if self.is_terminal => human_time(time, self.now),
            Some(time) => whole_seconds(time).to_string(),
        }
    }

    /// A time in nanoseconds since 1970, of which 0 is none.
    pub fn nanoseconds(&self, nanoseconds: i64) -> String {
        let time = Timestamp::from_nanosecond(nanoseconds.into()).ok();
        self.time(time.filter(|_| nanoseconds != 0))
    }
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// `10 GiB`, `1.5 MiB`, `300 B`.
pub(super) fn human_size(bytes: i64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let number = format!("{size:.1}");
    format!("{} {}", number.trim_end_matches(".0"), UNITS[unit])
}

/// `5m ago`, `in 4s`, `now`.
pub(super) fn human_time(time: Timestamp, now: Timestamp) -> String {
    match time.as_second() - now.as_second() {
        0 => "now".to_owned(),
        left if left > 0 => format!("in {}", human_seconds(left)),
        gone => format!("{} ago", human_seconds(-gone)),
    }
}

fn human_seconds(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86400, seconds % 86400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_keeps_them_short() {
        for (bytes, told) in [
            (1, "1 B"),
            (1023, "1023 B"),
            (1 << 20, "1 MiB"),
            (3 << 19, "1.5 MiB"),
            (10 << 30, "10 GiB"),
            (i64::MAX, "8 EiB"),
        ] {
            assert_eq!(human_size(bytes), told);
        }
    }

    #[test]
    fn times_are_told_from_now() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (offset, told) in [
            (0, "now"),
            (4, "in 4s"),
            (-59, "59s ago"),
            (-125, "2m5s ago"),
            (-7_300, "2h1m ago"),
            (-180_000, "2d2h ago"),
        ] {
            let time = Timestamp::from_second(1_000_000 + offset).unwrap();
            assert_eq!(human_time(time, now), told);
        }
    }
}
