//! What is logged, and how it looks.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people: one line each.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// What is logged: `info`, or by module `info,saddlebag::work=debug`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogLevel(String);

impl LogLevel {
    /// The filter that lets this pass.
    pub fn filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WORDS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        for part in text.split(',') {
            // A filter takes any other word for the name of a module.
            let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
            if !WORDS.contains(&level.trim().to_ascii_lowercase().as_str()) {
                return Err(format!(
                    "{level:?} is no level: use {}; for some modules, \"info,saddlebag::work=debug\"",
                    WORDS.join(", ")
                ));
            }
        }
        EnvFilter::builder()
            .parse(text)
            .map_err(|error| format!("{text:?} is no log level: {error}"))?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for LogLevel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<LogLevel> for String {
    fn from(level: LogLevel) -> Self {
        level.0
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_known_words_and_anything_else_is_told() {
        for text in ["info", "WARN", "off", "info,saddlebag::work=debug"] {
            assert_eq!(text.parse::<LogLevel>().unwrap().to_string(), text);
        }
        for text in ["", "verbose", "info,saddlebag::work=loud", "info,hyper"] {
            let error = text.parse::<LogLevel>().unwrap_err();
            assert!(error.contains("use off, error, warn"), "{error}");
        }
    }
}
