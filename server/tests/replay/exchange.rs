//! What was recorded: a request, and what a real Nomad answered.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The recorded files, each one sequence on one fresh server.
pub const FILES: [(&str, &str); 3] = [
    ("open", include_str!("recorded/open.jsonl")),
    ("claims", include_str!("recorded/claims.jsonl")),
    ("acl", include_str!("recorded/acl.jsonl")),
];

/// One request and its answer.
#[derive(Debug, Deserialize)]
pub struct Exchange {
    /// Where in the file.
    #[serde(skip)]
    pub line: usize,
    pub section: String,
    pub name: String,
    pub request: Request,
    pub response: Response,
}

#[derive(Debug, Deserialize)]
pub struct Request {
    pub method: String,
    /// With the query.
    pub path: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    body: Option<Value>,
    /// A body that is not JSON: one character for each byte.
    raw: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Response {
    /// None where the server closed the connection instead.
    pub status: Option<u16>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub json: Option<Value>,
    pub text: Option<String>,
}

impl Request {
    /// The body as text, if there is one.
    pub fn body(&self) -> Option<String> {
        match (&self.body, &self.raw) {
            (Some(json), _) => Some(json.to_string()),
            (None, raw) => raw.clone(),
        }
    }

    /// The same as the bytes that were sent.
    pub fn bytes(&self, body: &str) -> Vec<u8> {
        match self.raw {
            Some(_) => body.chars().map(|byte| byte as u8).collect(),
            None => body.as_bytes().to_vec(),
        }
    }

    /// What the body says, if it is JSON.
    pub fn json(&self) -> &Value {
        self.body.as_ref().unwrap_or(&Value::Null)
    }
}

impl Exchange {
    /// Every exchange of a file, in order.
    pub fn all(file: &str) -> Vec<Self> {
        let lines = file.lines().enumerate();
        lines
            .map(|(at, line)| Self {
                line: at + 1,
                ..serde_json::from_str(line).unwrap()
            })
            .collect()
    }

    /// The path without the query.
    pub fn route(&self) -> &str {
        let path = &self.request.path;
        path.split_once('?').map_or(path, |(route, _)| route)
    }

    /// Whether it asks this: a method, and a path that begins so.
    pub fn asks(&self, method: &str, path: &str) -> bool {
        self.request.method == method && self.request.path.starts_with(path)
    }

    /// Whether the query holds this.
    pub fn has(&self, parameter: &str) -> bool {
        let query = self.request.path.split_once('?').map(|(_, query)| query);
        query.is_some_and(|query| query.split('&').any(|it| it.starts_with(parameter)))
    }

    /// What was answered as text; empty if it was JSON.
    pub fn text(&self) -> &str {
        self.response.text.as_deref().unwrap_or_default()
    }
}
