//! What the cases of a plan were answered, for later requests to say:
//! `{{operation_id/case: /pointer}}`.
use super::Case;
use serde_json::Value;
use std::collections::BTreeMap;

/// Answers by case. Begin each plan with none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers(BTreeMap<String, Value>);

/// A place in the answer to a case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference<'t> {
    /// `operation_id/case`.
    pub case: &'t str,
    /// A JSON pointer into its answer.
    pub pointer: &'t str,
}

impl Answers {
    pub(super) fn insert(&mut self, case: &Case, answer: Value) {
        self.0.insert(case.to_string(), answer);
    }

    /// The value with every reference in it replaced. A string that is nothing but one becomes the
    /// value it refers to, of whatever type.
    ///
    /// # Errors
    /// When a reference leads nowhere.
    pub(super) fn fill_value(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => match whole_reference(text) {
                Some(reference) => self.find(&reference).cloned(),
                None => self.fill(text).map(Value::from),
            },
            Value::Array(members) => members.iter().map(|m| self.fill_value(m)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(key, member)| Ok((key.clone(), self.fill_value(member)?)))
                .collect(),
            plain => Ok(plain.clone()),
        }
    }

    /// The text with every reference in it replaced.
    ///
    /// # Errors
    /// When a reference leads nowhere.
    pub(super) fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = text.to_owned();
        for (written, reference) in references(text) {
            filled = filled.replace(written, &plain(self.find(&reference)?));
        }
        Ok(filled)
    }

    fn find(&self, reference: &Reference<'_>) -> Result<&Value, String> {
        let Reference { case, pointer } = reference;
        let answer = self.0.get(*case);
        let answer = answer.ok_or_else(|| format!("nothing is known of the answer to {case}"))?;
        answer
            .pointer(pointer)
            .ok_or_else(|| format!("the answer to {case} has no {pointer}: {answer}"))
    }
}

/// The references in a text, each with how it is written there.
pub(super) fn references(text: &str) -> Vec<(&str, Reference<'_>)> {
    let starts = text.match_indices("{{").map(|(start, _)| &text[start..]);
    starts
        .filter_map(|rest| {
            let written = &rest[..rest.find("}}")? + 2];
            let (case, pointer) = written[2..written.len() - 2].split_once(':')?;
            let (case, pointer) = (case.trim(), pointer.trim());
            (case.contains('/') && pointer.starts_with('/'))
                .then_some((written, Reference { case, pointer }))
        })
        .collect()
}

/// A plain value as it stands in a URL, a header or a text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn whole_reference(text: &str) -> Option<Reference<'_>> {
    references(text)
        .into_iter()
        .find(|(written, _)| *written == text)
        .map(|(_, reference)| reference)
}
