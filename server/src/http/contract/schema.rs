//! From OpenAPI 3.0 schemas to JSON Schema 2020-12, the one dialect that validators speak.
//!
//! - The outcome stands alone: it carries, as `$defs`, the components that it needs and no other,
//!   so that recursion works and a small schema compiles into a small validator.
//! - What a schema demands depends on who sends the value, so each conversion is for one
//!   [`Reading`].
//! - What has no meaning for a value (examples, prose, discriminators, `x-…`) is left out.
use super::document::{Document, elements, entries, text};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Who sent the value, and so how closely it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reading {
    /// A client's request, as Nomad takes it: keys in any case, unknown ones ignored, `readOnly`
    /// ones with any value. The value goes through [`as_nomad_reads`] first.
    Request,
    /// A request that the document shows: keys as written, unknown ones are mistakes.
    ShownRequest,
    /// An answer of ours: every property is one that the document names (unless it says
    /// `additionalProperties`), `writeOnly` ones are absent.
    Answer,
}

/// Whether a schema describes all of a value, or is one of several that do so together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Whole,
    Part,
}

/// What `schema`, a schema of `document`, demands of a value, as JSON Schema 2020-12.
#[must_use]
pub fn json_schema(document: &Document, schema: &Value, reading: Reading) -> Value {
    let mut conversion = Conversion {
        document,
        reading,
        named: BTreeSet::new(),
        waiting: vec![],
    };
    let mut converted = conversion.convert(schema, Position::Whole);
    let mut definitions = Map::new();
    while let Some(reference) = conversion.waiting.pop() {
        let component = document.root().pointer(&reference[1..]);
        let component = component.unwrap_or(&Value::Null);
        let definition = conversion.convert(component, Position::Part);
        definitions.insert(definition_name(reference), definition);
    }
    if let (Value::Object(keywords), false) = (&mut converted, definitions.is_empty()) {
        keywords.insert("$defs".into(), definitions.into());
    }
    converted
}

/// A request's value as Nomad reads it, which [`Reading::Request`] wants: its keys in lower case,
/// and no members that are null, which is the same as no value. Of keys that differ in case only,
/// one is kept.
#[must_use]
pub fn as_nomad_reads(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(key, member)| (key.to_lowercase(), as_nomad_reads(member)))
            .collect(),
        Value::Array(members) => members.into_iter().map(as_nomad_reads).collect(),
        plain => plain,
    }
}

struct Conversion<'d> {
    document: &'d Document,
    reading: Reading,
    named: BTreeSet<&'d str>,
    waiting: Vec<&'d str>,
}

impl<'d> Conversion<'d> {
    fn convert(&mut self, schema: &'d Value, position: Position) -> Value {
        if !schema.is_object() {
            return schema.as_bool().unwrap_or(true).into();
        }
        let mut converted = match schema["$ref"].as_str() {
            Some(reference) => self.reference(reference),
            None => self.keywords(schema),
        };
        if position == Position::Whole
            && self.reading != Reading::Request
            && self.names_properties(schema)
        {
            converted.insert("unevaluatedProperties".into(), false.into());
        }
        if schema["nullable"] == true && is_composed(schema) {
            return json!({ "if": { "not": { "type": "null" } }, "then": converted });
        }
        converted.into()
    }

    fn reference(&mut self, reference: &'d str) -> Map<String, Value> {
        if self.named.insert(reference) {
            self.waiting.push(reference);
        }
        let target = format!("#/$defs/{}", definition_name(reference));
        Map::from_iter([("$ref".to_owned(), target.into())])
    }

    fn keywords(&mut self, schema: &'d Value) -> Map<String, Value> {
        let nullable = schema["nullable"] == true;
        let mut converted = Map::new();
        for (keyword, value) in entries(schema) {
            let value = match keyword {
                "type" if nullable && !is_composed(schema) => json!([value, "null"]),
                "enum" if nullable => elements(value).chain([&Value::Null]).cloned().collect(),
                "properties" => self.properties(value),
                "required" => self.required(schema),
                "items" | "additionalProperties" => self.convert(value, Position::Whole),
                "not" => self.convert(value, Position::Part),
                "allOf" | "anyOf" | "oneOf" => elements(value)
                    .map(|member| self.convert(member, Position::Part))
                    .collect(),
                "format" if schema["type"] == "integer" && !is_exact(value) => continue,
                "format" if schema["type"] != "string" && schema["type"] != "integer" => continue,
                "type" | "enum" | "format" | "pattern" | "multipleOf" | "minLength"
                | "maxLength" | "minItems" | "maxItems" | "uniqueItems" | "minProperties"
                | "maxProperties" => value.clone(),
                _ => continue,
            };
            converted.insert(keyword.into(), value);
        }
        converted.extend(bounds(schema));
        converted
    }

    fn properties(&mut self, properties: &'d Value) -> Value {
        entries(properties)
            .map(|(name, property)| {
                let converted = match self.reading {
                    Reading::Answer if property["writeOnly"] == true => false.into(),
                    Reading::Request | Reading::ShownRequest if property["readOnly"] == true => {
                        true.into()
                    }
                    _ => self.convert(property, Position::Whole),
                };
                (self.key(name), converted)
            })
            .collect()
    }

    /// Who sends the value cannot be required to send what is not his to send.
    fn required(&self, schema: &Value) -> Value {
        let others = match self.reading {
            Reading::Answer => "writeOnly",
            Reading::Request | Reading::ShownRequest => "readOnly",
        };
        elements(&schema["required"])
            .map(text)
            .filter(|name| schema["properties"][*name][others] != true)
            .map(|name| self.key(name))
            .collect()
    }

    fn key(&self, name: &str) -> String {
        match self.reading {
            Reading::Request => name.to_lowercase(),
            Reading::ShownRequest | Reading::Answer => name.to_owned(),
        }
    }

    fn names_properties(&self, schema: &Value) -> bool {
        let schema = self.document.resolve(schema);
        schema.get("properties").is_some()
            || ["allOf", "anyOf", "oneOf"]
                .into_iter()
                .flat_map(|keyword| elements(&schema[keyword]))
                .any(|member| self.names_properties(member))
    }
}

/// `minimum` and `maximum`, with 3.0's booleans beside them turned into numbers, and those that an
/// integer's format implies. Those of 64 bits are not here: validators compare bounds as `f64`, which
/// cannot tell them from what is just past them, so these formats are checked as such.
fn bounds(schema: &Value) -> Vec<(String, Value)> {
    let (least, greatest) = match text(&schema["format"]) {
        _ if schema["type"] != "integer" => (Value::Null, Value::Null),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "uint32" => (0.into(), u32::MAX.into()),
        _ => (Value::Null, Value::Null),
    };
    let bound = |keyword: &str, exclusive: &str, implied: Value| {
        let stated = schema.get(keyword).cloned();
        let keyword = if schema[exclusive] == true {
            exclusive
        } else {
            keyword
        };
        (keyword.to_owned(), stated.unwrap_or(implied))
    };
    let mut bounds = vec![
        bound("minimum", "exclusiveMinimum", least),
        bound("maximum", "exclusiveMaximum", greatest),
    ];
    bounds.retain(|(_, limit)| !limit.is_null());
    bounds
}

/// Whether a format of integers is checked by itself, exactly.
fn is_exact(format: &Value) -> bool {
    matches!(text(format), "int64" | "uint64")
}

fn is_composed(schema: &Value) -> bool {
    ["allOf", "anyOf", "oneOf"]
        .iter()
        .any(|keyword| schema.get(keyword).is_some())
}

fn definition_name(reference: &str) -> String {
    reference
        .trim_start_matches("#/components/schemas/")
        .replace(['#', '/'], ".")
}
