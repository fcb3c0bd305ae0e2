//! Values that nobody may see by accident.
//!
//! - Memory that held a secret is overwritten when it is dropped.
//! - A secret has no `Display`, no `Serialize` and no `PartialEq`, and its `Debug` shows nothing:
//!   whoever wants the value says [`Secret::expose`], which a reviewer can search for.
//! - A text that came from elsewhere is cleaned by [`Secrets::redact`].
//!
//! One limit: a call's message to a driver holds plain copies of its secrets until it is sent.

use std::{collections::BTreeMap, collections::HashMap, fmt};
use zeroize::Zeroizing;

/// What stands where a secret was.
pub const REDACTED: &str = "[REDACTED]";

/// Shorter lines of a secret of many lines are not looked for by themselves.
const LEAST_LINE_BYTES: usize = 8;

/// One confidential value.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps this value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself: for a driver's call and for encryption, nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// The secrets of one call, by key.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, Secret>);

/// What a controller hands to the node side at publish (CSI `publish_context`). Drivers put
/// credentials in it, so it is treated as secrets are.
pub type PublishContext = Secrets;

impl Secrets {
    /// None.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Takes over values that were parsed from a request, or decrypted.
    pub fn from_plain(plain: impl IntoIterator<Item = (String, String)>) -> Self {
        plain
            .into_iter()
            .map(|(key, value)| (key, Secret::new(value)))
            .collect()
    }

    /// Plain copies, to be encrypted for the store. They are overwritten when dropped.
    pub fn to_plain_for_encryption(&self) -> BTreeMap<String, Zeroizing<String>> {
        self.iter()
            .map(|(key, secret)| (key.to_owned(), Zeroizing::new(secret.expose().to_owned())))
            .collect()
    }

    /// Plain copies, for a message to a driver.
    pub(super) fn to_message(&self) -> HashMap<String, String> {
        self.iter()
            .map(|(key, secret)| (key.to_owned(), secret.expose().to_owned()))
            .collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The secret of a key.
    pub fn get(&self, key: &str) -> Option<&Secret> {
        self.0.get(key)
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(key, secret)| (key.as_str(), secret))
    }

    /// These secrets with `over` laid on top: where both have a key, the value of `over` counts.
    /// (Nomad: a volume's stored secrets overlaid by the request's.)
    pub fn merged_with(&self, over: &Secrets) -> Secrets {
        let mut merged = self.clone();
        merged.0.extend(over.0.clone());
        merged
    }

    /// `text` with every occurrence of every value replaced by [`REDACTED`]. Occurrences that
    /// overlap or touch become one. A value is also found trimmed, escaped as in a quoted string,
    /// and, if it has many lines, by each line of at least 8 bytes.
    pub fn redact(&self, text: &str) -> String {
        let mut hidden: Vec<(usize, usize)> = self
            .iter()
            .flat_map(|(_, secret)| appearances(secret.expose()))
            .flat_map(|value| occurrences(text, &value))
            .collect();
        hidden.sort_unstable();

        let mut shown = String::with_capacity(text.len());
        let mut at = 0;
        let mut hiding = false;
        for (start, end) in hidden {
            if start > at || !hiding {
                shown.push_str(&text[at..start.max(at)]);
                shown.push_str(REDACTED);
                hiding = true;
            }
            at = at.max(end);
        }
        shown.push_str(&text[at..]);
        shown
    }
}

/// The ways in which a driver may print a value; none is blank.
fn appearances(value: &str) -> Vec<Zeroizing<String>> {
    let quoted = Zeroizing::new(serde_json::Value::from(value).to_string());
    let lines = value.lines().map(str::trim);
    [value, value.trim(), &quoted[1..quoted.len() - 1]]
        .into_iter()
        .chain(lines.filter(|line| line.len() >= LEAST_LINE_BYTES))
        .filter(|appearance| !appearance.trim().is_empty())
        .map(|appearance| Zeroizing::new(appearance.to_owned()))
        .collect()
}

/// Where `value` begins and ends in `text`, overlapping occurrences included.
fn occurrences(text: &str, value: &str) -> Vec<(usize, usize)> {
    let step = value.chars().next().map_or(1, char::len_utf8);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(value).map(|offset| from + offset) {
        found.push((start, start + value.len()));
        from = start + step;
    }
    found
}

impl FromIterator<(String, Secret)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(secrets: I) -> Self {
        Self(secrets.into_iter().collect())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[&str]) -> Secrets {
        Secrets::from_plain(
            values
                .iter()
                .enumerate()
                .map(|(n, value)| (format!("key-{n}"), (*value).to_owned())),
        )
    }

    #[test]
    fn every_value_is_replaced_wherever_it_stands() {
        for (values, text, shown) in [
            (&["hunter2"][..], "no hunter2, no", "no [REDACTED], no"),
            (&["hunter2"], "hunter2hunter2", "[REDACTED]"),
            (&["hunter2", "hunter23"], "is hunter23!", "is [REDACTED]!"),
            (&["abca", "cabd"], "x abcabd y", "x [REDACTED] y"),
            (&["aa"], "baaab", "b[REDACTED]b"),
            (&["RED", "ACT"], "RED ACT", "[REDACTED] [REDACTED]"),
            (&["", " "], "not a thing", "not a thing"),
            (&["é"], "café é", "caf[REDACTED] [REDACTED]"),
            (&["key\n"], "bad key.", "bad [REDACTED]."),
            (&["a\"b"], r#"bad "a\"b""#, r#"bad "[REDACTED]""#),
            (
                &["BEGIN KEY\nMIIEpAIBAA\nend"],
                "at MIIEpAIBAA",
                "at [REDACTED]",
            ),
            (&[], "as it was", "as it was"),
            (&["x"], "", ""),
        ] {
            assert_eq!(
                secrets(values).redact(text),
                shown,
                "{values:?} in {text:?}"
            );
        }
    }

    #[test]
    fn what_is_laid_on_top_counts() {
        let below = Secrets::from_plain([
            ("user".to_owned(), "old".to_owned()),
            ("zone".to_owned(), "a".to_owned()),
        ]);
        let above = Secrets::from_plain([("user".to_owned(), "new".to_owned())]);
        let merged = below.merged_with(&above);
        let plain: Vec<_> = merged.iter().map(|(key, s)| (key, s.expose())).collect();
        assert_eq!(plain, [("user", "new"), ("zone", "a")]);
    }

    #[test]
    fn debug_shows_neither_values_nor_keys() {
        let shown = format!("{:?} {:#?}", secrets(&["hunter2"]), Secret::new("hunter2"));
        assert_eq!(shown, "[REDACTED] [REDACTED]");
    }
}
