//! Walking through a body: each step says what it expects, and where it was if that is not there.

use super::{place::Place, value::Value};
use crate::csi::{Reference, Secrets};
use crate::http::edge::{Refusal, refuse::quoted};
use std::{borrow::Cow, collections::BTreeMap};

/// One value of a body, and where it is.
#[derive(Clone, Copy)]
pub struct Node<'n> {
    value: &'n Value<'n>,
    place: Place<'n>,
}

impl<'n> Node<'n> {
    pub(super) fn root(value: &'n Value<'n>) -> Self {
        let place = Place::Body;
        Self { value, place }
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// Its fields.
    pub fn object(self) -> Result<Object<'n>, Refusal> {
        match self.value {
            Value::Object(entries) => Ok(Object {
                entries,
                place: self.place,
            }),
            _ => Err(self.expected("an object")),
        }
    }

    /// Its fields; none if it is `null`, as Go reads the outermost value.
    pub fn object_or_null(self) -> Result<Object<'n>, Refusal> {
        match self.value {
            Value::Null => Ok(Object {
                entries: &[],
                place: self.place,
            }),
            _ => self.object(),
        }
    }

    /// Its entries, all of them strings. Of two equal keys the last counts.
    pub fn map(self) -> Result<BTreeMap<String, String>, Refusal> {
        let Value::Object(entries) = self.value else {
            return Err(self.expected("an object of strings"));
        };
        let entry = |(key, value): &'n (Cow<'n, str>, Value<'n>)| {
            let place = Place::Entry(&self.place, key);
            let text = Node { value, place }.text()?;
            Ok((key.clone().into_owned(), text))
        };
        entries.iter().map(entry).collect()
    }

    /// It as a string.
    pub fn text(self) -> Result<String, Refusal> {
        match self.value {
            Value::Text(text) => Ok(text.clone().into_owned()),
            _ => Err(self.expected("a string")),
        }
    }

    fn boolean(self) -> Result<bool, Refusal> {
        match self.value {
            Value::Boolean(value) => Ok(*value),
            _ => Err(self.expected_scalar("true or false")),
        }
    }

    fn integer(self, what: &str) -> Result<i64, Refusal> {
        match self.value {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
        .ok_or_else(|| self.expected_scalar(what))
    }

    /// A refusal that names what kind of thing is here, and nothing of it.
    fn expected(self, what: &str) -> Refusal {
        let found = kind(self.value);
        Refusal::malformed(format!("{}: expected {what}, got {found}", self.place))
    }

    /// A refusal that repeats a string or number that is here.
    fn expected_scalar(self, what: &str) -> Refusal {
        let found = match self.value {
            Value::Number(number) => format!("the number {number}"),
            Value::Text(text) => format!("the string {}", quoted(text)),
            other => kind(other).to_owned(),
        };
        Refusal::malformed(format!("{}: expected {what}, got {found}", self.place))
    }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Boolean(true) => "true",
        Value::Boolean(false) => "false",
        Value::Number(_) => "a number",
        Value::Text(_) => "a string",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The fields of an object. A field that is absent or `null` reads as nothing.
///
/// # Errors
///
/// Each method that reads a field fails with [`crate::http::edge::Reason::Malformed`] if something
/// else is there.
#[derive(Clone, Copy)]
pub struct Object<'n> {
    entries: &'n [(Cow<'n, str>, Value<'n>)],
    place: Place<'n>,
}

impl<'n> Object<'n> {
    /// Whether it has no entry at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it has a field of this name, `null` or not.
    pub fn has(&self, name: &str) -> bool {
        self.last(name).is_some()
    }

    fn last(&self, name: &str) -> Option<&'n Value<'n>> {
        let mut latest_first = self.entries.iter().rev();
        latest_first.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Reads a field if it is there and not `null`.
    pub fn child<T>(
        &self,
        name: &str,
        read: impl FnOnce(Node<'_>) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        let place = Place::Field(&self.place, name);
        match self.last(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(Node { value, place }).map(Some),
        }
    }

    /// A string; `""` if absent.
    pub fn text(&self, name: &str) -> Result<String, Refusal> {
        Ok(self.child(name, |node| node.text())?.unwrap_or_default())
    }

    /// A string, if there is one.
    pub fn optional_text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.child(name, |node| node.text())
    }

    /// A string that is not empty.
    pub fn filled_text(&self, name: &str) -> Result<Option<String>, Refusal> {
        Ok(self.optional_text(name)?.filter(|text| !text.is_empty()))
    }

    /// A number of bytes; 0 if absent.
    pub fn bytes(&self, name: &str) -> Result<i64, Refusal> {
        let bytes = self.child(name, |node| node.integer("an integer (bytes)"))?;
        Ok(bytes.unwrap_or_default())
    }

    /// A boolean; false if absent.
    pub fn boolean(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.child(name, |node| node.boolean())?.unwrap_or_default())
    }

    /// A map of strings.
    pub fn map(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Refusal> {
        self.child(name, |node| node.map())
    }

    /// A map of strings of which a refusal tells neither keys nor values, and which nobody prints.
    pub fn secrets(&self, name: &str) -> Result<Option<Secrets>, Refusal> {
        self.child(name, |node| {
            let place = node.place;
            let map = node.map().map_err(|_| match node.value {
                Value::Object(_) => Refusal::malformed(format!(
                    "{place}: expected an object of strings, got one with something else in it"
                )),
                _ => node.expected("an object of strings"),
            });
            map.map(Secrets::from_plain)
        })
    }

    /// A map of references to secrets.
    pub fn references(&self, name: &str) -> Result<Option<BTreeMap<String, Reference>>, Refusal> {
        self.child(name, |node| {
            let Value::Object(entries) = node.value else {
                return Err(node.expected("an object"));
            };
            let entry = |(key, value): &(Cow<'_, str>, Value<'_>)| {
                let place = Place::Entry(&node.place, key);
                let from = Node { value, place }.object()?;
                let given = [
                    from.filled_text("File")?
                        .map(|path| Reference::File(path.into())),
                    from.filled_text("Env")?.map(Reference::Env),
                    from.filled_text("Credential")?.map(Reference::Credential),
                ];
                let mut given = given.into_iter().flatten();
                match (given.next(), given.next()) {
                    (Some(reference), None) => Ok((key.clone().into_owned(), reference)),
                    _ => Err(Refusal::malformed(format!(
                        "{place}: expected one of File, Env and Credential"
                    ))),
                }
            };
            entries.iter().map(entry).collect()
        })
    }

    /// A list of strings.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        self.list(name, |node| node.text())
    }

    /// A list, each item of which is read by `each`, `null` ones too.
    pub fn list<T>(
        &self,
        name: &str,
        mut each: impl FnMut(Node<'_>) -> Result<T, Refusal>,
    ) -> Result<Option<Vec<T>>, Refusal> {
        self.child(name, |node| {
            let Value::List(items) = node.value else {
                return Err(node.expected("a list"));
            };
            let read = |(index, value)| {
                let place = Place::Item(&node.place, index);
                each(Node { value, place })
            };
            items.iter().enumerate().map(read).collect()
        })
    }
}
