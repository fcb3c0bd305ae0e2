//! Values with their places, as any of the formats gives them.

use super::place::{Place, Problem};
use std::collections::BTreeMap;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    /// A number, as it was written.
    Number(String),
    Bool(bool),
    Null,
    List(Vec<Node>),
    /// What is between braces; a key may be there several times.
    Object(Vec<Entry>),
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub place: Place,
    pub value: Value,
}

/// A key with its value, or a block with its body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub place: Place,
    pub key: String,
    pub node: Node,
}

/// A key without what its spellings differ in: `plugin_id` and `PluginID` are `pluginid`.
pub(crate) fn normal(key: &str) -> String {
    let letters = key.chars().filter(|c| !"_-".contains(*c));
    letters.flat_map(char::to_lowercase).collect()
}

/// `: did you mean …?` if one of these is near to what was written, else what there is.
pub(crate) fn suggestion(written: &str, known: &[&str]) -> String {
    const LONGEST: usize = 64; // to compare costs memory for each pair of letters
    let wanted = normal(written);
    let near = known
        .iter()
        .filter(|_| wanted.len() <= LONGEST)
        .map(|known| (strsim::damerau_levenshtein(&wanted, &normal(known)), known))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4);
    match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("it has to be one of {}", known.join(", ")),
    }
}

impl Entry {
    /// The refusal of this entry's key.
    pub fn unknown(&self, of: &str, known: &[&str]) -> Problem {
        let (key, suggestion) = (&self.key, suggestion(&self.key, known));
        Problem::at(
            self.place,
            format!("`{key}` is not a key of {of}: {suggestion}"),
        )
    }

    /// The objects of a block, or of a list of blocks.
    pub fn blocks(&self) -> Result<Vec<&[Entry]>, Problem> {
        match &self.node.value {
            Value::Null => Ok(Vec::new()),
            Value::List(items) => items.iter().map(|item| item.object(&self.key)).collect(),
            _ => Ok(vec![self.node.object(&self.key)?]),
        }
    }
}

/// The first entry of each normal key is noted, and a second one refused.
pub(crate) fn refuse_repeated(entries: &[Entry], may_repeat: &[&str]) -> Result<(), Problem> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        let key = normal(&entry.key);
        if may_repeat.contains(&key.as_str()) {
            continue;
        }
        if let Some(line) = seen.insert(key, entry.place.line) {
            return Err(Problem::at(
                entry.place,
                format!(
                    "`{}` is given a second time; the first is in line {line}",
                    entry.key
                ),
            ));
        }
    }
    Ok(())
}

impl Node {
    /// Something is wrong with this value.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::at(self.place, message)
    }

    /// Text, or a number or truth value as text.
    pub fn text(&self) -> Result<String, Problem> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string()),
            other => Err(self.problem(format!("text is needed here, not {}", other.kind()))),
        }
    }

    /// Text, unless it is null or empty.
    pub fn optional_text(&self) -> Result<Option<String>, Problem> {
        match &self.value {
            Value::Null => Ok(None),
            _ => Ok(Some(self.text()?).filter(|text| !text.is_empty())),
        }
    }

    /// A list of texts.
    pub fn texts(&self) -> Result<Vec<String>, Problem> {
        match &self.value {
            Value::Null => Ok(Vec::new()),
            Value::List(items) => items.iter().map(Node::text).collect(),
            other => Err(self.problem(format!(
                "a list is needed here, such as [\"noatime\"], not {}",
                other.kind()
            ))),
        }
    }

    /// What is between braces.
    pub fn object(&self, what: &str) -> Result<&[Entry], Problem> {
        match &self.value {
            Value::Object(entries) => Ok(entries),
            other => Err(self.problem(format!(
                "`{what}` is a block with keys and values, not {}",
                other.kind()
            ))),
        }
    }
}

/// The texts of a map that may be written as one block, several, or a list of them.
pub(crate) fn texts_by_key(
    entry: &Entry,
    into: &mut BTreeMap<String, String>,
) -> Result<(), Problem> {
    for entry in entry.blocks()?.into_iter().flatten() {
        let value = entry.node.text()?;
        if into.insert(entry.key.clone(), value).is_some() {
            return Err(Problem::at(
                entry.place,
                format!("`{}` is given a second time", entry.key),
            ));
        }
    }
    Ok(())
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "text",
            Value::Number(_) => "a number",
            Value::Bool(_) => "a truth value",
            Value::Null => "null",
            Value::List(_) => "a list",
            Value::Object(_) => "a block",
        }
    }
}
