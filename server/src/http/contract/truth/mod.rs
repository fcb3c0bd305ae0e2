//! Check 3, truth: what goes over the wire against the document, while it goes.
//!
//! - An answer must be one that the document tells: its status, its content type, its headers,
//!   its body, every property of it.
//! - A request that breaks the document must not be answered 2xx. A refusal is always right.
//! - What is not known is not judged: a body that was streamed past the bound of
//!   [`layer`], the body of an answer to `HEAD`.
//! - Schemas are compiled when they are first met and shared by all who use them, so a server
//!   that checks nothing pays nothing.
mod copied;
mod layer;
mod ledger;
mod request;
mod response;

pub use layer::{BODY_BOUND, Layer, OnViolation, UNROUTED, Watched, layer};
pub use ledger::Ledger;

use super::{
    document::{Document, DocumentError, Operation},
    schema::{Reading, json_schema},
    validator::{Problem, Validator, is_confidential_name, shown},
};
use axum::http::{HeaderMap, StatusCode};
use saddlebag_client::operations;
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// Which operation answered. The router puts it into the extensions of each response, since
/// routing happens inside the layer that checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Routed {
    /// Upper case.
    pub method: &'static str,
    /// The path template of the document.
    pub path: &'static str,
}

impl From<operations::Operation> for Routed {
    fn from(operation: operations::Operation) -> Self {
        Self {
            method: operation.method(),
            path: operation.path(),
        }
    }
}

/// What is known of a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// The path parameters, decoded.
    pub path: &'a [(String, String)],
    /// The query parameters, decoded, in order.
    pub query: &'a [(String, String)],
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The body, if it is known; empty if there was none.
    pub body: Option<&'a [u8]>,
}

/// What is known of a response.
#[derive(Debug, Clone, Copy)]
pub struct ResponseParts<'a> {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The body, if it is known; empty if there is none.
    pub body: Option<&'a [u8]>,
}

/// Something on the wire that the document does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The `operationId`, or method and path of what the document has no operation for.
    pub operation: String,
    /// Where, as `response 200 application/json / [0] / ID`.
    pub place: String,
    /// What is wrong, with the value; secrets and tokens are never in it.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.operation, self.place, self.problem)
    }
}

/// The document as judge of requests and responses.
#[derive(Debug)]
pub struct Truth {
    document: Document,
    /// By what the schema says, so that operations share the compiled form of what they share.
    validators: Mutex<HashMap<(String, Reading), Compiled>>,
}

type Compiled = Result<Arc<Validator>, Problem>;

impl Truth {
    /// Judges by this document.
    #[must_use]
    pub fn new(document: Document) -> Self {
        Self {
            document,
            validators: Mutex::default(),
        }
    }

    /// Judges by `openapi.yaml`. All servers of a process share one judge, since reading the document
    /// takes longer than starting a server.
    ///
    /// # Errors
    /// When the document is not sound, which its tests rule out.
    pub fn of_the_contract() -> Result<Arc<Self>, &'static DocumentError> {
        static TRUTH: LazyLock<Result<Arc<Truth>, DocumentError>> = LazyLock::new(|| {
            let document = Document::parse(saddlebag_client::DOCUMENT)?;
            Ok(Arc::new(Truth::new(document)))
        });
        TRUTH.as_ref().map(Arc::clone)
    }

    /// The document that it judges by.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Every way in which the exchange breaks the document; none if it is true.
    #[must_use]
    pub fn check(
        &self,
        routed: Routed,
        request: &RequestParts<'_>,
        response: &ResponseParts<'_>,
    ) -> Vec<Violation> {
        let mut violations = self.check_head(routed, response);
        violations.extend(self.check_bodies(routed, request, response));
        violations
    }

    /// What is wrong with status, content type and headers of a response.
    #[must_use]
    pub fn check_head(&self, routed: Routed, response: &ResponseParts<'_>) -> Vec<Violation> {
        self.judge(routed, |exchange| exchange.head(response))
    }

    /// What is wrong with the body of a response, and with answering 2xx to this request.
    #[must_use]
    pub fn check_bodies(
        &self,
        routed: Routed,
        request: &RequestParts<'_>,
        response: &ResponseParts<'_>,
    ) -> Vec<Violation> {
        self.judge(routed, |exchange| {
            exchange.body(response);
            if response.status.is_success() {
                exchange.accepted(request);
            }
        })
    }

    fn judge(&self, routed: Routed, judge: impl FnOnce(&mut Exchange<'_>)) -> Vec<Violation> {
        let Some(operation) = self.document.route(routed.method, routed.path) else {
            return vec![Violation {
                operation: format!("{} {}", routed.method, routed.path),
                place: "operation".into(),
                problem: "the document has no such operation".into(),
            }];
        };
        let mut exchange = Exchange {
            truth: self,
            operation,
            violations: vec![],
        };
        judge(&mut exchange);
        exchange.violations
    }

    fn validator(&self, schema: &Value, reading: Reading) -> Compiled {
        let key = (schema.to_string(), reading);
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        validators
            .entry(key)
            .or_insert_with(|| Validator::new(&self.document, schema, reading).map(Arc::new))
            .clone()
    }
}

/// One exchange under judgement.
struct Exchange<'t> {
    truth: &'t Truth,
    operation: Operation<'t>,
    violations: Vec<Violation>,
}

impl Exchange<'_> {
    fn told(&mut self, place: &str, problem: impl Into<String>) {
        self.violations.push(Violation {
            operation: self.operation.id.to_owned(),
            place: place.to_owned(),
            problem: problem.into(),
        });
    }

    /// Judges a JSON value.
    fn value(&mut self, place: &str, schema: &Value, reading: Reading, value: &Value) {
        let problems = match self.truth.validator(schema, reading) {
            Ok(validator) => validator.problems(value),
            Err(unusable) => vec![unusable],
        };
        for Problem {
            place: inner,
            problem,
        } in problems
        {
            match inner.as_str() {
                "" => self.told(place, problem),
                inner => self.told(&format!("{place} / {inner}"), problem),
            }
        }
    }

    /// Judges the text of a parameter or header: it may be meant as a string, a number or a truth
    /// value, and is right if the schema accepts one of them.
    fn text(&mut self, place: &str, name: &str, schema: &Value, reading: Reading, text: &str) {
        let validator = match self.truth.validator(schema, reading) {
            Ok(validator) => validator,
            Err(unusable) => return self.told(place, unusable.problem),
        };
        let as_text = Value::from(text);
        let as_plain = serde_json::from_str(text)
            .ok()
            .filter(|value: &Value| value.is_number() || value.is_boolean());
        let as_go_reads = match reading {
            Reading::Request => go_bool(text).or_else(|| go_integer(text)),
            Reading::ShownRequest | Reading::Answer => None,
        };
        let mut meanings = [Some(as_text.clone()), as_plain, as_go_reads]
            .into_iter()
            .flatten();
        if meanings.any(|value| validator.accepts(&value)) {
            return;
        }
        let value = match is_confidential_name(name) {
            true => "(hidden)".to_owned(),
            false => shown(&as_text),
        };
        let schema = json_schema(&self.truth.document, schema, reading);
        self.told(place, format!("{value} is not what {schema} demands"));
    }
}

/// An integer as Go's `strconv.ParseInt`, and so Nomad, reads it: `+1` and `01` are 1.
fn go_integer(text: &str) -> Option<Value> {
    text.parse().map(|number: i64| number.into()).ok()
}

/// A truth value as Go's `strconv.ParseBool`, and so Nomad, reads it.
fn go_bool(text: &str) -> Option<Value> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true.into()),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false.into()),
        _ => None,
    }
}
