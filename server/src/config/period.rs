//! Lengths of time as people write them.

use jiff::fmt::friendly::{Designator, SpanParser, SpanPrinter};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time as people write it: `30s`, `2m`, `1m 40s`, `250ms`. More than nothing, and at most
/// [`Period::MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(Duration);

impl Period {
    /// The longest: a week.
    pub const MOST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let duration = SpanParser::new()
            .parse_unsigned_duration(text)
            .map_err(|_| format!("{text:?} is not a length of time, such as \"30s\" or \"2m\""))?;
        if duration.is_zero() || duration > Self::MOST {
            return Err(format!(
                "{text:?} is not more than nothing and at most a week"
            ));
        }
        Ok(Self(duration))
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Duration> for Period {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Self {
        period.0
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printer = SpanPrinter::new().designator(Designator::Compact);
        f.write_str(&printer.unsigned_duration_to_string(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_shown_as_people_write_them() {
        for (text, millis, shown) in [
            ("30s", 30_000, "30s"),
            ("100s", 100_000, "1m 40s"),
            ("2m", 120_000, "2m"),
            ("1h 30m", 5_400_000, "1h 30m"),
            ("250 ms", 250, "250ms"),
            ("1.5s", 1_500, "1s 500ms"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(Duration::from(period), Duration::from_millis(millis));
            assert_eq!(period.to_string(), shown);
            assert_eq!(shown.parse(), Ok(period));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "30", "-1s", "0s", "soon", "2 weeks", "1y"] {
            let error = text.parse::<Period>().unwrap_err();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
