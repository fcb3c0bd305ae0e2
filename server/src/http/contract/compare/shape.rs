//! What a schema says once notation is taken away: 3.0 and 3.1, `$ref` and `allOf`, in one form.
use crate::http::contract::document::{Document, elements, entries, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One schema, one level deep; what is below is still as written.
#[derive(Debug, Default)]
pub(super) struct Shape<'d> {
    /// The types that are allowed, null aside; empty if any is.
    pub types: BTreeSet<&'d str>,
    /// Whether null is allowed.
    pub nullable: bool,
    /// What plain keywords say: format, enum, bounds, pattern.
    pub facts: BTreeMap<&'static str, String>,
    /// What stands in for an absent value; told only by who knows it.
    pub default: Option<&'d Value>,
    /// The properties of an object.
    pub properties: BTreeMap<&'d str, &'d Value>,
    /// Those of them that are always there.
    pub required: BTreeSet<&'d str>,
    /// What further properties are; `None` if they are anything.
    pub additional: Option<&'d Value>,
    /// What the elements of an array are.
    pub items: Option<&'d Value>,
    /// The schemas of which one must fit, if there are several.
    pub alternatives: Vec<&'d Value>,
}

/// Keywords that both versions write alike and that say something about a value.
const PLAIN: [&str; 12] = [
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

impl<'d> Shape<'d> {
    /// The shape of a schema of this document.
    pub fn of(document: &'d Document, schema: &'d Value) -> Self {
        let mut shape = Self::default();
        shape.absorb(document, schema);
        shape.infer_type();
        shape.settle_numbers();
        if shape.is_anything() {
            shape.nullable = true;
        }
        shape
    }

    /// Whether every value fits.
    pub fn is_anything(&self) -> bool {
        self.types.is_empty() && self.facts.is_empty() && self.alternatives.is_empty()
    }

    fn absorb(&mut self, document: &'d Document, schema: &'d Value) {
        if schema.get("$ref").is_some() {
            self.absorb(document, document.resolve(schema));
        }
        self.absorb_type(&schema["type"]);
        self.nullable |= schema["nullable"] == true;
        self.absorb_facts(schema);
        self.default = schema.get("default").or(self.default);
        self.properties.extend(entries(&schema["properties"]));
        self.required
            .extend(elements(&schema["required"]).map(text));
        self.items = schema.get("items").or(self.items);
        if let Some(additional) = schema.get("additionalProperties") {
            let anything = *additional == true
                || additional.is_object() && Self::of(document, additional).is_anything();
            self.additional = (!anything).then_some(additional);
            self.types.insert("object");
        }
        for member in elements(&schema["allOf"]) {
            self.absorb(document, member);
        }
        for keyword in ["oneOf", "anyOf"] {
            self.absorb_alternatives(document, &schema[keyword]);
        }
    }

    fn absorb_type(&mut self, types: &'d Value) {
        for name in types.as_str().into_iter().chain(elements(types).map(text)) {
            match name {
                "null" => self.nullable = true,
                name => _ = self.types.insert(name),
            }
        }
    }

    fn absorb_facts(&mut self, schema: &Value) {
        for keyword in PLAIN {
            if let Some(value) = schema.get(keyword) {
                self.facts.insert(keyword, plain(value));
            }
        }
        for (exclusive, bound) in [
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ] {
            match schema.get(exclusive) {
                Some(Value::Bool(true)) => {
                    let limit = self.facts.remove(bound).unwrap_or_default();
                    self.facts.insert(exclusive, limit);
                }
                Some(limit @ Value::Number(_)) => _ = self.facts.insert(exclusive, plain(limit)),
                _ => {}
            }
        }
        if let Some(values) = schema.get("enum") {
            self.nullable |= elements(values).any(Value::is_null);
            let values: BTreeSet<String> = elements(values)
                .filter(|value| !value.is_null())
                .map(plain)
                .collect();
            self.facts.insert("enum", Vec::from_iter(values).join(", "));
        }
    }

    /// A choice between null and one thing is that thing, nullable.
    fn absorb_alternatives(&mut self, document: &'d Document, alternatives: &'d Value) {
        let (nulls, others): (Vec<_>, Vec<_>) =
            elements(alternatives).partition(|schema| schema["type"] == "null");
        self.nullable |= !nulls.is_empty();
        match others.as_slice() {
            [only] => self.absorb(document, only),
            _ => self.alternatives.extend(others),
        }
    }

    fn infer_type(&mut self) {
        if !self.properties.is_empty() {
            self.types.insert("object");
        }
        if self.items.is_some() {
            self.types.insert("array");
        }
    }

    /// An unsigned format is the signed one from 0 up, which is how utoipa says it; `double` is
    /// what every JSON number is.
    fn settle_numbers(&mut self) {
        let signed = match self.facts.get("format").map(String::as_str) {
            Some("uint64") => "int64",
            Some("uint32") => "int32",
            Some("double" | "float") => {
                self.facts.remove("format");
                return;
            }
            _ => return,
        };
        self.facts.insert("format", signed.to_owned());
        self.facts.entry("minimum").or_insert("0".to_owned());
    }
}

/// A plain value as text; a whole number is written without a fraction.
fn plain(value: &Value) -> String {
    match (value, value.as_f64()) {
        (Value::String(text), _) => text.clone(),
        (Value::Number(number), Some(float)) if number.is_f64() => float.to_string(),
        _ => value.to_string(),
    }
}
