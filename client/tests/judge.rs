//! Judges JSON by schemas of the document.

use boon::{Compiler, Draft, Schemas};
use serde_json::{Map, Value, json};

/// What a reference refers to; anything else is itself.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => resolve(document, document.pointer(&reference[1..]).unwrap()),
        None => value,
    }
}

/// A schema of OpenAPI 3.0 as JSON Schema 2020-12, which knows no `nullable`.
fn json_schema(schema: &Value) -> Value {
    match schema {
        Value::Array(schemas) => schemas.iter().map(json_schema).collect(),
        Value::Object(keys) => {
            let schema: Map<String, Value> = keys
                .iter()
                .filter(|(key, _)| !["nullable", "example"].contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), json_schema(value)))
                .collect();
            if keys.get("nullable") == Some(&json!(true)) {
                json!({ "anyOf": [{ "type": "null" }, schema] })
            } else {
                schema.into()
            }
        }
        other => other.clone(),
    }
}

/// Judges values by schemas of the document.
pub struct Judge<'a> {
    document: &'a Value,
    schemas: Value,
}

impl<'a> Judge<'a> {
    /// One that knows every schema of the document.
    pub fn new(document: &'a Value) -> Self {
        let schemas = json_schema(&document["components"]["schemas"]);
        Judge { document, schemas }
    }

    /// Panics, naming the place, unless the value is of the schema.
    pub fn assert_valid(&self, schema: &Value, value: &Value, place: &str) {
        let mut schema = json_schema(schema);
        schema["components"] = json!({ "schemas": self.schemas });
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.add_resource("document:schema", schema).unwrap();
        let mut schemas = Schemas::new();
        let whole = compiler.compile("document:schema", &mut schemas).unwrap();
        let judged = schemas.validate(value, whole);
        assert!(
            judged.is_ok(),
            "{place} is not of its schema: {:#}",
            judged.unwrap_err()
        );
    }

    /// Judges every example of a media type, header or parameter, and tells how many there are.
    pub fn assert_examples_valid(&self, holder: &Value, place: &str) -> usize {
        let single = holder.get("example");
        let named = holder["examples"].as_object().into_iter().flatten();
        let named = named.map(|(_, example)| &resolve(self.document, example)["value"]);
        let examples: Vec<&Value> = single.into_iter().chain(named).collect();
        for example in &examples {
            self.assert_valid(&holder["schema"], example, place);
        }
        examples.len()
    }
}
