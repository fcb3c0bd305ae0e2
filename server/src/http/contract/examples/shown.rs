//! OpenAPI's own `example` and `examples`, each held against its schema.
use crate::http::contract::{
    document::{Document, MediaType, entries},
    schema::Reading,
    validator::{Problem, Validator},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashSet},
    ptr,
};

/// What is wrong with the example values of the document: in parameters, request bodies, responses
/// and their headers, and schemas. A reader takes them for good ones, so they have to be.
#[must_use]
pub fn shown(document: &Document) -> Vec<Problem> {
    let mut review = Review {
        document,
        problems: vec![],
    };
    for operation in document.operations() {
        let id = operation.id;
        for parameter in &operation.parameters {
            let place = format!("{id}: parameter {} {}", parameter.location, parameter.name);
            review.holder(
                &place,
                parameter.object,
                parameter.schema,
                Reading::ShownRequest,
            );
        }
        if let Some(body) = &operation.body {
            review.content(
                &format!("{id}: request"),
                &body.content,
                Reading::ShownRequest,
            );
        }
        for (status, response) in &operation.responses {
            let place = format!("{id}: response {status}");
            review.content(&place, &response.content, Reading::Answer);
            for (name, header) in &response.headers {
                let place = format!("{place} header {name}");
                review.holder(&place, header.object, header.schema, Reading::Answer);
            }
        }
    }
    for (name, schema) in entries(&document.root()["components"]["schemas"]) {
        review.schema(&format!("schema {name}"), schema);
    }
    review.problems
}

/// The examples of failures, as JSON: the place of each, and its value. Those that operations share
/// come once.
#[must_use]
pub fn failures(document: &Document) -> Vec<(String, &Value)> {
    let mut seen = HashSet::new();
    let mut failures = vec![];
    for operation in document.operations() {
        let failed = operation
            .responses
            .iter()
            .filter(|(status, _)| ***status >= *"4");
        for (status, response) in failed {
            let Some(json) = response.content.get("application/json") else {
                continue;
            };
            for (name, example) in entries(&json.object["examples"]) {
                let value = &document.resolve(example)["value"];
                if seen.insert(ptr::from_ref(value)) {
                    let place = format!("{}: response {status} / example {name}", operation.id);
                    failures.push((place, value));
                }
            }
        }
    }
    failures
}

struct Review<'d> {
    document: &'d Document,
    problems: Vec<Problem>,
}

impl<'d> Review<'d> {
    fn content(&mut self, place: &str, content: &BTreeMap<&str, MediaType<'d>>, reading: Reading) {
        for (content_type, media_type) in content {
            let place = format!("{place} {content_type}");
            self.holder(&place, media_type.object, media_type.schema, reading);
        }
    }

    /// Something that has a schema and may have `example` or `examples` beside it.
    fn holder(&mut self, place: &str, object: &'d Value, schema: &'d Value, reading: Reading) {
        if let Some(example) = object.get("example") {
            self.value(&format!("{place} / example"), schema, &[reading], example);
        }
        for (name, example) in entries(&object["examples"]) {
            let place = format!("{place} / example {name}");
            match self.document.resolve(example).get("value") {
                Some(example) => self.value(&place, schema, &[reading], example),
                None => self.told(&place, "", "it has no `value`"),
            }
        }
        self.schema(place, schema);
    }

    /// A schema's own `example`, and those of the schemas in it. Whether it is for requests or
    /// answers is not known here, so either will do.
    fn schema(&mut self, place: &str, schema: &'d Value) {
        if let Some(example) = schema.get("example") {
            let either = [Reading::ShownRequest, Reading::Answer];
            self.value(&format!("{place} / example"), schema, &either, example);
        }
        for (name, property) in entries(&schema["properties"]) {
            self.schema(&format!("{place} / {name}"), property);
        }
        for (keyword, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
            if let Some(inner) = schema.get(keyword) {
                self.schema(&format!("{place}{suffix}"), inner);
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for member in schema[keyword].as_array().into_iter().flatten() {
                self.schema(place, member);
            }
        }
    }

    fn value(&mut self, place: &str, schema: &Value, readings: &[Reading], example: &Value) {
        let mut least: Option<Vec<Problem>> = None;
        for &reading in readings {
            let problems = match Validator::new(self.document, schema, reading) {
                Ok(validator) => validator.problems(example),
                Err(unusable) => vec![unusable],
            };
            if least
                .as_ref()
                .is_none_or(|least| problems.len() < least.len())
            {
                least = Some(problems);
            }
        }
        for problem in least.into_iter().flatten() {
            self.told(place, &problem.place, &problem.problem);
        }
    }

    fn told(&mut self, place: &str, inner: &str, problem: &str) {
        let place = match inner {
            "" => place.to_owned(),
            inner => format!("{place} / {inner}"),
        };
        self.problems.push(Problem {
            place,
            problem: problem.to_owned(),
        });
    }
}
