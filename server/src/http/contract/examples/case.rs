//! One case: a request that the document shows, and the answer to it.
use super::{
    Answers, Driver, Operation,
    answers::{plain, references},
};
use axum::{body::Bytes, http::Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What needs no escape in a path or query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Headers that every request may have: what it is, what it wants, where it comes from and from whom.
const FREE: [&str; 7] = [
    "accept",
    "authorization",
    "content-type",
    "host",
    "origin",
    "sec-fetch-site",
    "x-nomad-token",
];

/// An example and the operation that it stands at.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The `operationId`.
    pub operation: String,
    /// The operation's method, upper case.
    pub method: String,
    /// The operation's path template.
    pub path: String,
    /// What the document says.
    pub example: Example,
}

/// One entry of `x-examples`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its name, unique within the operation.
    pub name: String,
    /// What it shows, for people.
    #[serde(default)]
    pub summary: String,
    /// The cases that have to be run before.
    #[serde(default)]
    pub given: Vec<Given>,
    /// What the driver does, if it is not to do all that it is asked.
    pub driver: Option<Driver>,
    /// Whether access control is on.
    #[serde(default)]
    pub acl: bool,
    /// What is sent.
    #[serde(default)]
    pub request: Sent,
    /// The status of the answer.
    pub status: u16,
    /// The exact text of the refusal.
    pub message: Option<String>,
    /// What the answer has to contain: objects may have further members, arrays not.
    pub body: Option<Value>,
    /// Response headers, exactly.
    #[serde(default)]
    pub answer: BTreeMap<String, Value>,
}

/// A case that another one builds on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Its `operationId`, which is also what the key may be called.
    #[serde(alias = "operationId")]
    pub operation: String,
    /// Its name.
    pub case: String,
}

/// The request of an example.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sent {
    /// Path parameters: strings, numbers or truth values.
    pub path: BTreeMap<String, Value>,
    /// Query parameters, likewise.
    pub query: BTreeMap<String, Value>,
    /// Headers, likewise.
    pub headers: BTreeMap<String, Value>,
    /// A JSON body.
    pub body: Option<Value>,
    /// A body as it is, where it is not to be JSON.
    pub raw: Option<String>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.operation, self.example.name)
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.operation, self.case)
    }
}

impl Case {
    pub(super) fn of(operation: &Operation<'_>, example: Example) -> Self {
        Self {
            operation: operation.id.to_owned(),
            method: operation.method.clone(),
            path: operation.path.to_owned(),
            example,
        }
    }

    /// The request to a server at `base`, such as `http://127.0.0.1:4646`, with what earlier
    /// answers told filled in.
    ///
    /// # Errors
    /// When a reference leads nowhere in the answers, or `base` or a header makes no request.
    pub fn request(&self, base: &str, answers: &Answers) -> Result<Request<Bytes>, String> {
        let sent = &self.example.request;
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(format!("{base}{}", self.target(answers)?));
        for (name, value) in &sent.headers {
            request = request.header(name, answers.fill(&plain(value))?);
        }
        let said = |name: &str| {
            sent.headers
                .keys()
                .any(|key| key.eq_ignore_ascii_case(name))
        };
        if sent.body.is_some() && !said("content-type") {
            request = request.header("content-type", "application/json");
        }
        let body = match (&sent.body, &sent.raw) {
            (Some(body), _) => answers.fill_value(body)?.to_string(),
            (None, Some(raw)) => answers.fill(raw)?,
            (None, None) => String::new(),
        };
        request
            .body(body.into())
            .map_err(|error| format!("{self} makes no request: {error}"))
    }

    /// Path and query.
    fn target(&self, answers: &Answers) -> Result<String, String> {
        let escaped = |value: &Value| -> Result<String, String> {
            let text = answers.fill(&plain(value))?;
            Ok(utf8_percent_encode(&text, ESCAPED).to_string())
        };
        let sent = &self.example.request;
        let mut target = self.path.clone();
        for (name, value) in &sent.path {
            target = target.replace(&format!("{{{name}}}"), &escaped(value)?);
        }
        for (number, (name, value)) in sent.query.iter().enumerate() {
            target.push(if number == 0 { '?' } else { '&' });
            target += &format!("{}={}", utf8_percent_encode(name, ESCAPED), escaped(value)?);
        }
        Ok(target)
    }

    /// In what the example does not fit its operation.
    pub(super) fn misfits(&self, operation: &Operation<'_>) -> Vec<String> {
        let Example {
            request,
            status,
            message,
            ..
        } = &self.example;
        let mut misfits = vec![];
        for (location, values) in [
            ("path", &request.path),
            ("query", &request.query),
            ("header", &request.headers),
        ] {
            for (name, value) in values {
                let free = location == "header" && FREE.contains(&&*name.to_lowercase());
                if !free && operation.parameter(location, name).is_none() {
                    misfits.push(format!(
                        "the operation has no {location} parameter `{name}`"
                    ));
                }
                if value.is_array() || value.is_object() || value.is_null() {
                    misfits.push(format!("{location} parameter `{name}` is no plain value"));
                }
            }
        }
        for parameter in operation.parameters.iter().filter(|p| p.location == "path") {
            if !request.path.contains_key(parameter.name) {
                misfits.push(format!("path parameter `{}` is missing", parameter.name));
            }
        }
        if request.body.is_some() && request.raw.is_some() {
            misfits.push("it has both `body` and `raw`".into());
        }
        if operation.response(*status).is_none() {
            misfits.push(format!("the operation has no status {status}"));
        }
        if message.is_some() && *status < 400 {
            misfits.push("`message` is the text of a refusal, and this is none".into());
        }
        misfits
    }

    /// The cases, as `operation_id/case`, whose answers this one says something of.
    pub(super) fn refers_to(&self) -> BTreeSet<String> {
        let Example {
            request,
            message,
            body,
            answer,
            ..
        } = &self.example;
        let values = [&request.path, &request.query, &request.headers, answer]
            .into_iter()
            .flat_map(BTreeMap::values)
            .chain(&request.body)
            .chain(body)
            .map(Value::to_string);
        values
            .chain(request.raw.clone())
            .chain(message.clone())
            .flat_map(|text| {
                let cases = references(&text).into_iter();
                cases
                    .map(|(_, reference)| reference.case.to_owned())
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}
