//! Values that try a schema: its least and its greatest, one beyond, and what it does not take at all.
//!
//! - Made-up text begins with a word of ours, so that what comes of it can be found again.
//! - Whether a value is right is not said here: the document's own validator knows.
use crate::http::contract::document::Document;
use serde_json::{Map, Value, json};

/// Longer than anything that the API names, in characters.
const OVER_LONG: usize = 5000;

/// A value and what is particular about it.
pub type Particular<T> = (String, T);

/// What a schema says, once references and compositions of one are followed.
pub fn plain<'d>(document: &'d Document, schema: &'d Value) -> &'d Value {
    let schema = document.resolve(schema);
    match schema["allOf"].as_array().and_then(|all| all.first()) {
        Some(only) => plain(document, only),
        None => schema,
    }
}

/// Values for a part of a JSON body that has this schema.
pub fn json_values(document: &Document, schema: &Value, own: &str) -> Vec<Particular<Value>> {
    let schema = plain(document, schema);
    let mut values: Vec<Particular<Value>> = match schema["type"].as_str() {
        Some("string") => strings(schema, own)
            .into_iter()
            .map(|(name, text)| (name, text.into()))
            .chain(wrong(&[json!(5), json!(true), json!([]), json!({})]))
            .collect(),
        Some("integer") => integers(schema)
            .into_iter()
            .chain(wrong(&[json!(1.5), json!("1"), json!(-1e19), json!([])]))
            .collect(),
        Some("boolean") => wrong(&[json!(true), json!(false), json!("true"), json!(1)]).collect(),
        Some("array") => arrays(schema),
        Some("object") => objects(schema),
        _ => wrong(&[json!(5), json!({ "any": [null] })]).collect(),
    };
    values.push(("null".to_owned(), Value::Null));
    values
}

/// Texts for a parameter that has this schema.
pub fn texts(document: &Document, schema: &Value, own: &str) -> Vec<Particular<String>> {
    let schema = plain(document, schema);
    let named = |texts: &[&str]| -> Vec<Particular<String>> {
        texts.iter().map(|text| particular(text)).collect()
    };
    match schema["type"].as_str() {
        Some("integer") => {
            let bounds = integers(schema).into_iter();
            bounds
                .map(|(name, number)| (name, number.to_string()))
                .chain(named(&[
                    "",
                    "abc",
                    "1.5",
                    "+1",
                    "0x1",
                    "99999999999999999999",
                ]))
                .collect()
        }
        Some("boolean") => named(&["", "true", "false", "1", "F", "maybe", "2"]),
        Some("string") if schema["pattern"].is_string() => named(&[
            "",
            "0",
            "1ms",
            "1.5s",
            "1s20ms",
            "-1s",
            "10",
            "abc",
            "1 s",
            "9999999999h",
        ]),
        _ => strings(schema, own),
    }
}

/// A text that says itself what is particular about it.
fn particular(text: &str) -> Particular<String> {
    match text {
        "" => ("empty".to_owned(), String::new()),
        text => (format!("`{text}`"), text.to_owned()),
    }
}

fn strings(schema: &Value, own: &str) -> Vec<Particular<String>> {
    let mut values: Vec<Particular<String>> = schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(particular)
        .collect();
    values.extend([
        particular(""),
        ("made up".to_owned(), own.to_owned()),
        (
            "over-long".to_owned(),
            format!("{own}{}", "x".repeat(OVER_LONG)),
        ),
        (
            "control characters".to_owned(),
            format!("{own}\u{1}\u{7f}\n"),
        ),
        ("beyond ASCII".to_owned(), format!("{own}-ä✓𝄞")),
        ("quotes".to_owned(), format!("{own}\"'`\\")),
    ]);
    values
}

/// The bounds of an integer, and one beyond each as far as JSON numbers tell it.
fn integers(schema: &Value) -> Vec<Particular<Value>> {
    let (least, greatest) = match schema["format"].as_str() {
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    };
    let least = schema["minimum"].as_i64().unwrap_or(least);
    let greatest = schema["maximum"].as_i64().unwrap_or(greatest);
    let beyond = match greatest {
        i64::MAX => json!(i64::MAX as u64 + 1),
        greatest => json!(greatest + 1),
    };
    let mut values = vec![
        ("the least".to_owned(), json!(least)),
        ("the greatest".to_owned(), json!(greatest)),
        ("one beyond the greatest".to_owned(), beyond),
        ("zero".to_owned(), json!(0)),
    ];
    if let Some(below) = least.checked_sub(1) {
        values.push(("one below the least".to_owned(), json!(below)));
    }
    values
}

fn arrays(schema: &Value) -> Vec<Particular<Value>> {
    let mut values: Vec<_> =
        wrong(&[json!([]), json!([null]), json!([5]), json!("x"), json!({})]).collect();
    if let Some(most) = schema["maxItems"].as_u64() {
        let more = vec![json!({}); most as usize + 1];
        values.push((format!("{} items", more.len()), more.into()));
    }
    values
}

fn objects(schema: &Value) -> Vec<Particular<Value>> {
    let mut values: Vec<_> = wrong(&[json!({}), json!("x"), json!([]), json!(5)]).collect();
    if schema["additionalProperties"].is_object() {
        values.extend(wrong(&[
            json!({ "": "" }),
            json!({ "key": 5 }),
            json!({ "key": null }),
            json!({ "key\u{1}": "value" }),
        ]));
    }
    values
}

/// Values that say themselves what is particular about them, right or wrong.
fn wrong(values: &[Value]) -> impl Iterator<Item = Particular<Value>> {
    values
        .iter()
        .map(|value| (value.to_string(), value.clone()))
}

/// A key or an index on the way into a body.
#[derive(Clone)]
pub enum Step {
    /// A member of an object.
    Key(String),
    /// The first element of an array.
    First,
}

/// The body with the value at a place replaced, or removed; what leads there is made.
pub fn with(body: &Value, at: &[Step], value: Option<Value>) -> Value {
    let Some((step, rest)) = at.split_first() else {
        return value.unwrap_or(Value::Null);
    };
    match step {
        Step::Key(key) => {
            let mut members = body.as_object().cloned().unwrap_or_else(Map::new);
            match (rest, &value) {
                ([], None) => {
                    members.remove(key);
                }
                _ => {
                    let inner = members.get(key).cloned().unwrap_or(Value::Null);
                    members.insert(key.clone(), with(&inner, rest, value));
                }
            }
            members.into()
        }
        Step::First => {
            let mut items = body.as_array().cloned().unwrap_or_default();
            let first = items.first().cloned().unwrap_or(Value::Null);
            let first = with(&first, rest, value);
            match items.first_mut() {
                Some(there) => *there = first,
                None => items.push(first),
            }
            items.into()
        }
    }
}

/// Every place in a body of this schema, each with its schema; objects before what is in them.
pub fn places<'d>(document: &'d Document, schema: &'d Value) -> Vec<(Vec<Step>, &'d Value)> {
    /// Deeper than any body of the API.
    const DEPTH: usize = 8;
    let schema = plain(document, schema);
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), schema)];
    while let Some((at, schema)) = open.pop() {
        let below = |step: Step| [at.as_slice(), &[step]].concat();
        let mut inner: Vec<(Vec<Step>, &Value)> = Vec::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            inner.push((below(Step::Key(name.clone())), property));
        }
        if schema["type"] == "array" {
            inner.push((below(Step::First), &schema["items"]));
        }
        for (at, schema) in inner {
            if at.len() < DEPTH {
                open.push((at.clone(), plain(document, schema)));
            }
            found.push((at, schema));
        }
    }
    found
}

/// A place as a person reads it: `Volumes[0] / ID`.
pub fn named(at: &[Step]) -> String {
    let mut name = String::new();
    for step in at {
        match step {
            Step::First => name += "[0]",
            Step::Key(key) if name.is_empty() => name += key,
            Step::Key(key) => name += &format!(" / {key}"),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_body_is_replaced_removed_or_made() {
        let body = json!({ "Volumes": [{ "ID": "a", "Name": "b" }] });
        let key = |key: &str| Step::Key(key.to_owned());
        let id = [key("Volumes"), Step::First, key("ID")];
        assert_eq!(
            with(&body, &id, Some(json!(5))),
            json!({ "Volumes": [{ "ID": 5, "Name": "b" }] })
        );
        assert_eq!(
            with(&body, &id, None),
            json!({ "Volumes": [{ "Name": "b" }] })
        );
        let deep = [key("Meta"), key("a")];
        assert_eq!(
            with(&json!({}), &deep, Some(json!(1))),
            json!({ "Meta": { "a": 1 } })
        );
        assert_eq!(named(&id), "Volumes[0] / ID");
    }

    #[test]
    fn integers_are_tried_at_their_bounds_and_beyond() {
        let document = Document::parse("{openapi: 3.0.3, paths: {}}").unwrap();
        let schema = json!({ "type": "integer", "format": "int64", "minimum": 0 });
        let texts: Vec<String> = texts(&document, &schema, "own")
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        for text in [
            "0",
            "-1",
            "9223372036854775807",
            "9223372036854775808",
            "",
            "abc",
        ] {
            assert!(texts.iter().any(|it| it == text), "{text}: {texts:?}");
        }
    }
}
