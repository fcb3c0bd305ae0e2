//! The query of a request, read as Go reads it.

use super::route::has_whole_escapes;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The parameters of a query, decoded. Names are case-sensitive; the first value of a name wins.
///
/// As in Go, a pair that holds a `;` or a broken escape is skipped. Bytes that are no UTF-8 become U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query<'q> {
    pairs: Vec<(Cow<'q, str>, Cow<'q, str>)>,
}

impl<'q> Query<'q> {
    /// Reads what stands behind the `?`, if anything.
    pub fn parse(query: Option<&'q str>) -> Self {
        let readable = |pair: &&str| !pair.is_empty() && !pair.contains(';');
        let pairs = query
            .unwrap_or_default()
            .split('&')
            .filter(readable)
            .filter_map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((decode(name)?, decode(value)?))
            })
            .collect();
        Self { pairs }
    }

    /// The first value of this name; `""` for a bare `?name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find_map(|(known, value)| (known == name).then_some(&**value))
    }

    /// Every value of this name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.pairs.iter();
        pairs.filter_map(move |(known, value)| (known == name).then_some(&**value))
    }

    /// Every name and value but those of these names.
    pub fn without(&self, names: &[&str]) -> Vec<(&str, &str)> {
        let pairs = self.pairs.iter().map(|(name, value)| (&**name, &**value));
        pairs.filter(|(name, _)| !names.contains(name)).collect()
    }

    /// Whether this name is there, with a value or bare.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The first value of this name, if it is there and not empty: Nomad tells the two apart only
    /// for `stale`, `pretty` and `type`.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether JSON is to be indented: `pretty` is there with any value but `0`.
    pub fn is_pretty(&self) -> bool {
        self.get("pretty").is_some_and(|value| value != "0")
    }
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['+', '%']) {
        return Some(Cow::Borrowed(text));
    }
    if !has_whole_escapes(text) {
        return None;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8_lossy().into_owned();
    Some(Cow::Owned(decoded))
}
