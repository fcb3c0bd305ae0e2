use std::{fmt, time::Duration};

/// A duration as the API writes it, in Go's way: `30s`, `500ms`.
///
/// Every parameter that takes one takes a [`Duration`] too.
///
/// ```
/// use saddlebag_client::GoDuration;
/// use std::time::Duration;
///
/// assert_eq!(GoDuration::from(Duration::from_secs(90)).to_string(), "90s");
/// assert_eq!(GoDuration::from(Duration::from_millis(1500)).to_string(), "1500ms");
/// assert_eq!(GoDuration::from(Duration::from_nanos(7)).to_string(), "7ns");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(Duration);

impl From<Duration> for GoDuration {
    fn from(duration: Duration) -> Self {
        GoDuration(duration)
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.as_nanos();
        if nanoseconds.is_multiple_of(1_000_000_000) {
            write!(f, "{}s", self.0.as_secs())
        } else if nanoseconds.is_multiple_of(1_000_000) {
            write!(f, "{}ms", self.0.as_millis())
        } else {
            write!(f, "{nanoseconds}ns")
        }
    }
}

impl serde::Serialize for GoDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
