//! An OpenAPI document, read once, with its operations at hand.
//!
//! - A [`Document`] that exists is sound: every `$ref` in it is local and leads somewhere, every
//!   operation has an `operationId` of its own. So looking things up cannot fail half way.
//! - It reads 3.0 (ours) and 3.1 (what utoipa writes) alike; what a schema *means* is for
//!   [`schema`](super::schema) and [`compare`](super::compare) to say.
//! - Lookups borrow from the document and copy nothing but keys.
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The methods that an OpenAPI path item may have, lower case as they stand there.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Why a text is no usable document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The text is no YAML, or YAML that JSON cannot say.
    #[error("the document cannot be read: {0}")]
    Unreadable(#[from] yaml_serde::Error),
    /// The text is readable, but no sound OpenAPI document.
    #[error("{place}: {problem}")]
    Unsound {
        /// Where, as a path of keys.
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

/// A sound OpenAPI document.
#[derive(Debug, Clone)]
pub struct Document {
    root: Value,
}

/// One operation: a method on a path.
#[derive(Debug)]
pub struct Operation<'d> {
    /// `operationId`.
    pub id: &'d str,
    /// Upper case.
    pub method: String,
    /// The path template, as `/v1/volume/csi/{volume_id}`.
    pub path: &'d str,
    /// Those of the operation and those of its path item, in document order.
    pub parameters: Vec<Parameter<'d>>,
    /// The request body, if the operation takes one.
    pub body: Option<RequestBody<'d>>,
    /// Responses by status, as written: `200`, `4XX`, `default`.
    pub responses: BTreeMap<&'d str, Response<'d>>,
    /// The operation object itself, for what has no field here.
    pub object: &'d Value,
}

/// One parameter of an operation.
#[derive(Debug)]
pub struct Parameter<'d> {
    /// `path`, `query`, `header` or `cookie`.
    pub location: &'d str,
    /// Its name, as written.
    pub name: &'d str,
    /// Whether a request without it is wrong.
    pub required: bool,
    /// Its schema; null where none is given.
    pub schema: &'d Value,
    /// The parameter object itself.
    pub object: &'d Value,
}

/// The request body of an operation.
#[derive(Debug)]
pub struct RequestBody<'d> {
    /// Whether a request without one is wrong.
    pub required: bool,
    /// What it may be, by content type.
    pub content: BTreeMap<&'d str, MediaType<'d>>,
}

/// One response of an operation.
#[derive(Debug)]
pub struct Response<'d> {
    /// The headers it names, as written.
    pub headers: BTreeMap<&'d str, Header<'d>>,
    /// What its body may be, by content type; empty if it has none.
    pub content: BTreeMap<&'d str, MediaType<'d>>,
}

/// One header of a response.
#[derive(Debug)]
pub struct Header<'d> {
    /// Whether a response without it is wrong.
    pub required: bool,
    /// Its schema; null where none is given.
    pub schema: &'d Value,
    /// The header object itself.
    pub object: &'d Value,
}

/// A body in one content type.
#[derive(Debug)]
pub struct MediaType<'d> {
    /// Its schema; null where none is given.
    pub schema: &'d Value,
    /// The media type object itself.
    pub object: &'d Value,
}

impl Document {
    /// Reads a document from YAML (or JSON, which is YAML too).
    ///
    /// # Errors
    /// When the text is no YAML, or the document is not sound.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        Self::from_value(yaml_serde::from_str(text)?)
    }

    /// Takes a document that was read already, such as the one utoipa writes.
    ///
    /// # Errors
    /// When the document is not sound.
    pub fn from_value(root: Value) -> Result<Self, DocumentError> {
        let document = Self { root };
        document.check_references(&document.root, &mut vec![])?;
        document.check_operation_ids()?;
        Ok(document)
    }

    /// The whole document.
    #[must_use]
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// Every operation, by path, then method.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.routes()
            .map(|(method, path, item, object)| self.operation_at(method, path, item, object))
    }

    /// The operation of this `operationId`.
    #[must_use]
    pub fn operation(&self, id: &str) -> Option<Operation<'_>> {
        self.routes()
            .find(|(.., object)| object["operationId"] == id)
            .map(|(method, path, item, object)| self.operation_at(method, path, item, object))
    }

    /// The operation of this method and path template.
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        self.routes()
            .find(|(m, p, ..)| m.eq_ignore_ascii_case(method) && *p == path)
            .map(|(method, path, item, object)| self.operation_at(method, path, item, object))
    }

    /// What a value stands for: itself, or what its `$ref` leads to.
    #[must_use]
    pub fn resolve<'d>(&'d self, mut value: &'d Value) -> &'d Value {
        while let Some(target) = reference(value).and_then(|pointer| self.root.pointer(pointer)) {
            value = target;
        }
        value
    }

    fn routes(&self) -> impl Iterator<Item = (&'static str, &str, &Value, &Value)> {
        entries(&self.root["paths"]).flat_map(move |(path, item)| {
            let item = self.resolve(item);
            METHODS
                .into_iter()
                .filter_map(move |method| Some((method, path, item, item.get(method)?)))
        })
    }

    fn operation_at<'d>(
        &'d self,
        method: &str,
        path: &'d str,
        item: &'d Value,
        object: &'d Value,
    ) -> Operation<'d> {
        Operation {
            id: text(&object["operationId"]),
            method: method.to_uppercase(),
            path,
            parameters: self.parameters(item, object),
            body: object.get("requestBody").map(|body| {
                let body = self.resolve(body);
                RequestBody {
                    required: body["required"] == true,
                    content: self.content(body),
                }
            }),
            responses: entries(&object["responses"])
                .map(|(status, response)| (status, self.response(response)))
                .collect(),
            object,
        }
    }

    /// An operation's own parameters, then those of its path item that it does not replace.
    fn parameters<'d>(&'d self, item: &'d Value, object: &'d Value) -> Vec<Parameter<'d>> {
        let mut parameters: Vec<Parameter<'d>> = vec![];
        for object in elements(&object["parameters"]).chain(elements(&item["parameters"])) {
            let object = self.resolve(object);
            let parameter = Parameter {
                location: text(&object["in"]),
                name: text(&object["name"]),
                required: object["required"] == true,
                schema: &object["schema"],
                object,
            };
            if !parameters.iter().any(|known| known.same_as(&parameter)) {
                parameters.push(parameter);
            }
        }
        parameters
    }

    fn response<'d>(&'d self, response: &'d Value) -> Response<'d> {
        let response = self.resolve(response);
        Response {
            headers: entries(&response["headers"])
                .map(|(name, object)| {
                    let object = self.resolve(object);
                    let header = Header {
                        required: object["required"] == true,
                        schema: &object["schema"],
                        object,
                    };
                    (name, header)
                })
                .collect(),
            content: self.content(response),
        }
    }

    fn content<'d>(&'d self, holder: &'d Value) -> BTreeMap<&'d str, MediaType<'d>> {
        entries(&holder["content"])
            .map(|(content_type, object)| {
                let object = self.resolve(object);
                let schema = &object["schema"];
                (content_type, MediaType { schema, object })
            })
            .collect()
    }

    fn check_references<'d>(
        &'d self,
        value: &'d Value,
        place: &mut Vec<&'d str>,
    ) -> Result<(), DocumentError> {
        if let Some(problem) = self.problem_of_reference(value) {
            return Err(DocumentError::Unsound {
                place: place.join(" / "),
                problem,
            });
        }
        for (key, child) in entries(value) {
            place.push(key);
            self.check_references(child, place)?;
            place.pop();
        }
        elements(value).try_for_each(|child| self.check_references(child, place))
    }

    fn problem_of_reference(&self, value: &Value) -> Option<String> {
        let target = value.get("$ref")?.as_str()?;
        let mut seen = BTreeSet::new();
        let mut end = value;
        while let Some(next) = end.get("$ref").and_then(Value::as_str) {
            if !seen.insert(next) {
                return Some(format!("`{target}` leads back to itself"));
            }
            match reference(end).and_then(|pointer| self.root.pointer(pointer)) {
                Some(found) => end = found,
                None => return Some(format!("`{next}` leads nowhere in this document")),
            }
        }
        // OpenAPI 3.0 ignores what stands beside a `$ref`, and so do client generators.
        let ignored = entries(value)
            .map(|(key, _)| key)
            .find(|key| !matches!(*key, "$ref" | "description" | "summary"))
            .filter(|_| text(&self.root["openapi"]).starts_with("3.0"))?;
        Some(format!(
            "`{ignored}` beside a $ref means nothing in OpenAPI 3.0: put the $ref into `allOf`"
        ))
    }

    fn check_operation_ids(&self) -> Result<(), DocumentError> {
        let mut seen = BTreeSet::new();
        for (method, path, _, object) in self.routes() {
            let unsound = |problem| DocumentError::Unsound {
                place: format!("paths / {path} / {method} / operationId"),
                problem,
            };
            let id = text(&object["operationId"]);
            if id.is_empty() {
                return Err(unsound("it has none".into()));
            }
            if !seen.insert(id) {
                return Err(unsound(format!("`{id}` names another operation too")));
            }
        }
        Ok(())
    }
}

impl<'d> Operation<'d> {
    /// What the document says about this status: by number, by class (`4XX`), or by `default`.
    #[must_use]
    pub fn response(&self, status: u16) -> Option<&Response<'d>> {
        [
            status.to_string(),
            format!("{}XX", status / 100),
            "default".into(),
        ]
        .iter()
        .find_map(|key| self.responses.get(key.as_str()))
    }

    /// The parameter of this place and name; the names of headers have no case.
    #[must_use]
    pub fn parameter(&self, location: &str, name: &str) -> Option<&Parameter<'d>> {
        self.parameters
            .iter()
            .find(|known| known.is(location, name))
    }
}

impl Parameter<'_> {
    /// Whether this is the parameter of that place and name; the names of headers have no case.
    #[must_use]
    pub fn is(&self, location: &str, name: &str) -> bool {
        self.location == location
            && (self.name == name || location == "header" && self.name.eq_ignore_ascii_case(name))
    }

    fn same_as(&self, other: &Self) -> bool {
        self.is(other.location, other.name)
    }
}

/// The JSON pointer of a `$ref` into the same document.
fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix('#')
}

/// The entries of an object; none of anything else.
pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
}

/// The elements of an array; none of anything else.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A string; the empty one of anything else.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
