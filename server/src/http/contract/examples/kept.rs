//! What earlier answers of a plan told, for later requests to say: `{{name}}`.
use serde_json::Value;
use std::collections::BTreeMap;

/// Values by name. Begin each plan with an empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept(BTreeMap<String, String>);

impl Kept {
    pub(super) fn insert(&mut self, name: &str, value: &Value) {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.0.insert(name.to_owned(), text);
    }

    /// The text with every known `{{name}}` replaced by its value.
    pub(super) fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), value)
        })
    }

    /// The value with every string in it filled.
    pub(super) fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.fill(text).into(),
            Value::Array(members) => members
                .iter()
                .map(|member| self.fill_value(member))
                .collect(),
            Value::Object(members) => members
                .iter()
                .map(|(key, member)| (key.clone(), self.fill_value(member)))
                .collect(),
            plain => plain.clone(),
        }
    }
}

/// The names between double braces in a text.
pub(super) fn names_in(text: &str) -> Vec<String> {
    text.split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .map(|(name, _)| name.to_owned())
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect()
}
