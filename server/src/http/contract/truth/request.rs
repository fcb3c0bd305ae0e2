//! Judges a request that was answered 2xx: was it one that the document allows?
use super::{Exchange, RequestParts};
use crate::http::contract::{document::Parameter, schema::Reading};
use serde::Deserialize as _;
use serde_json::{Value, json};

impl Exchange<'_> {
    /// Tells what the server should have refused.
    pub(super) fn accepted(&mut self, request: &RequestParts<'_>) {
        let before = self.violations.len();
        self.parameters(request);
        if let Some(body) = request.body {
            self.request_body(body);
        }
        for violation in &mut self.violations[before..] {
            violation.problem = format!("accepted invalid input: {}", violation.problem);
        }
    }

    /// An empty value is no number: who takes it says `allowEmptyValue`.
    fn parameters(&mut self, request: &RequestParts<'_>) {
        for parameter in std::mem::take(&mut self.operation.parameters) {
            let Parameter {
                location,
                name,
                required,
                schema,
                object,
            } = parameter;
            let place = format!("request {location} {name}");
            match sent(request, location, name) {
                Some(text) if text.is_empty() && object["allowEmptyValue"] == true => {}
                Some(text) => self.text(&place, name, schema, Reading::Request, &text),
                None if required => self.told(&place, "it is required and was not sent"),
                None => {}
            }
        }
    }

    /// Nomad never looks at a request's content type, ignores what follows the first JSON value, reads
    /// what is no UTF-8 as U+FFFD and `null` as an object without members; the document promises the
    /// same.
    fn request_body(&mut self, body: &[u8]) {
        let Some(documented) = &self.operation.body else {
            return;
        };
        let required = documented.required;
        let Some(schema) = documented.content.get("application/json").map(|m| m.schema) else {
            return;
        };
        let place = "request body";
        if body.trim_ascii().is_empty() {
            if required {
                self.told(place, "it is required and was not sent");
            }
            return;
        }
        let body = String::from_utf8_lossy(body);
        match Value::deserialize(&mut serde_json::Deserializer::from_str(&body)) {
            Ok(Value::Null) => self.value(place, schema, Reading::Request, &json!({})),
            Ok(value) => self.value(place, schema, Reading::Request, &value),
            // The parser's own text may quote the body, and so a secret.
            Err(_) => self.told(place, "it is no JSON"),
        }
    }
}

/// What was sent for a parameter, the first of several; `None` also if it is not known.
fn sent(request: &RequestParts<'_>, location: &str, name: &str) -> Option<String> {
    let first = |pairs: &[(String, String)]| {
        let (_, value) = pairs.iter().find(|(key, _)| key == name)?;
        Some(value.clone())
    };
    match location {
        "path" => first(request.path),
        "query" => first(request.query),
        "header" => {
            let value = request.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        }
        _ => None,
    }
}
