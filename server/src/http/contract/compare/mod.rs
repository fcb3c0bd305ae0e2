//! Check 2, shape: what the handlers declare through utoipa against the document, both ways.
//!
//! - Only meaning is compared. Prose, examples, order and notation are not: 3.0's `nullable` is
//!   3.1's `null` type, `uint64` is `int64` from 0 up, an `allOf` is the one object it makes.
//! - What either side has and the other lacks is a difference, and so is what both have and say
//!   differently. utoipa cannot say whether a response header is required, so that is left to
//!   the check on the wire.
//! - A schema that many operations share is compared once; what differs in it is told at the
//!   first operation that shows it.
mod schemas;
mod shape;

use super::document::{
    Document, Header, MediaType, Operation, Parameter, RequestBody, Response, elements, entries,
    text,
};
use schemas::Schemas;
use serde_json::Value;
use std::{collections::BTreeMap, collections::BTreeSet, fmt};

/// One thing that the document and the server say differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The `operationId`, as the document has it.
    pub operation: String,
    /// Where in the operation, as `response 200 application/json / Volumes[] / Capacity / type`.
    pub place: String,
    /// What the document says there.
    pub document: String,
    /// What the server declares there.
    pub declared: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            place,
            document,
            declared,
        } = self;
        write!(
            f,
            "{operation}: {place}: the document says `{document}`, the server declares `{declared}`"
        )
    }
}

/// Every difference between the document and what the server declares; none when they agree.
#[must_use]
pub fn compare(document: &Document, declared: &Document) -> Vec<Difference> {
    let mut comparison = Comparison {
        document,
        declared,
        operation: String::new(),
        schemas: Schemas::new(document, declared),
        differences: vec![],
    };
    comparison.operations();
    comparison.security_schemes();
    comparison.differences
}

/// What one side says about a thing that it lacks.
const ABSENT: &str = "absent";

/// What one side says about a thing that it has and the other lacks.
const PRESENT: &str = "present";

struct Comparison<'d> {
    document: &'d Document,
    declared: &'d Document,
    operation: String,
    schemas: Schemas<'d>,
    differences: Vec<Difference>,
}

impl<'d> Comparison<'d> {
    fn operations(&mut self) {
        for operation in self.document.operations() {
            operation.id.clone_into(&mut self.operation);
            let route = format!("{} {}", operation.method, operation.path);
            match self.declared.route(&operation.method, operation.path) {
                Some(declared) => self.operation(&operation, &declared),
                None => self.told(&route, PRESENT, ABSENT),
            }
        }
        for declared in self.declared.operations() {
            let (method, path) = (&declared.method, declared.path);
            if self.document.route(method, path).is_none() {
                declared.id.clone_into(&mut self.operation);
                self.told(&format!("{method} {path}"), ABSENT, PRESENT);
            }
        }
    }

    fn operation(&mut self, document: &Operation<'d>, declared: &Operation<'d>) {
        self.same("operationId", document.id, declared.id);
        self.same("tags", &tags(document), &tags(declared));
        let is_deprecated = |operation: &Operation<'_>| operation.object["deprecated"] == true;
        self.same(
            "deprecated",
            &is_deprecated(document).to_string(),
            &is_deprecated(declared).to_string(),
        );
        self.parameters(document, declared);
        self.body(document.body.as_ref(), declared.body.as_ref());
        self.both(
            "response",
            &document.responses,
            &declared.responses,
            Self::response,
        );
        self.same(
            "security",
            &security(self.document, document),
            &security(self.declared, declared),
        );
    }

    fn parameters(&mut self, document: &Operation<'d>, declared: &Operation<'d>) {
        self.both(
            "parameter",
            &by_name(&document.parameters),
            &by_name(&declared.parameters),
            |comparison, place, document, declared| {
                comparison.same(
                    &format!("{place} / required"),
                    &document.required.to_string(),
                    &declared.required.to_string(),
                );
                comparison.schema(place, document.schema, declared.schema, Nulls::Unsayable);
            },
        );
    }

    fn body(&mut self, document: Option<&RequestBody<'d>>, declared: Option<&RequestBody<'d>>) {
        let place = "request body";
        match (document, declared) {
            (Some(document), Some(declared)) => {
                self.same(
                    &format!("{place} / required"),
                    &document.required.to_string(),
                    &declared.required.to_string(),
                );
                self.both(
                    place,
                    &document.content,
                    &declared.content,
                    Self::media_type,
                );
            }
            (None, None) => {}
            (document, _) => self.one_has(place, document.is_some()),
        }
    }

    fn response(&mut self, place: &str, document: &Response<'d>, declared: &Response<'d>) {
        self.both(
            place,
            &document.content,
            &declared.content,
            Self::media_type,
        );
        self.both(
            &format!("{place} header"),
            &lower_case(&document.headers),
            &lower_case(&declared.headers),
            |comparison, place, document, declared| {
                comparison.schema(place, document.schema, declared.schema, Nulls::Unsayable);
            },
        );
    }

    fn media_type(&mut self, place: &str, document: &MediaType<'d>, declared: &MediaType<'d>) {
        self.schema(place, document.schema, declared.schema, Nulls::Count);
    }

    fn schema(&mut self, place: &str, document: &'d Value, declared: &'d Value, nulls: Nulls) {
        self.schemas.compare(place, document, declared, nulls);
        for (place, document, declared) in self.schemas.take() {
            self.told(&place, &document, &declared);
        }
    }

    fn security_schemes(&mut self) {
        "every operation".clone_into(&mut self.operation);
        let schemes = |document: &'d Document| -> BTreeMap<&'d str, &'d Value> {
            entries(&document.root()["components"]["securitySchemes"]).collect()
        };
        self.both(
            "security scheme",
            &schemes(self.document),
            &schemes(self.declared),
            |comparison, place, document, declared| {
                for key in ["type", "in", "name", "scheme"] {
                    comparison.same(
                        &format!("{place} / {key}"),
                        text(&document[key]),
                        text(&declared[key]),
                    );
                }
            },
        );
    }

    /// Compares what both have, and tells what only one of them has.
    fn both<K: Ord + fmt::Display, T>(
        &mut self,
        place: &str,
        document: &BTreeMap<K, T>,
        declared: &BTreeMap<K, T>,
        compare: impl Fn(&mut Self, &str, &T, &T),
    ) {
        for (key, documented) in document {
            let place = format!("{place} {key}");
            match declared.get(key) {
                Some(declared) => compare(self, &place, documented, declared),
                None => self.one_has(&place, true),
            }
        }
        for key in declared.keys().filter(|key| !document.contains_key(key)) {
            self.one_has(&format!("{place} {key}"), false);
        }
    }

    fn one_has(&mut self, place: &str, document_does: bool) {
        match document_does {
            true => self.told(place, PRESENT, ABSENT),
            false => self.told(place, ABSENT, PRESENT),
        }
    }

    fn same(&mut self, place: &str, document: &str, declared: &str) {
        if document != declared {
            self.told(place, document, declared);
        }
    }

    fn told(&mut self, place: &str, document: &str, declared: &str) {
        self.differences.push(Difference {
            operation: self.operation.clone(),
            place: place.to_owned(),
            document: document.to_owned(),
            declared: declared.to_owned(),
        });
    }
}

/// Whether null can be said where a schema stands: in JSON it can, in a URL or a header not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Nulls {
    Count,
    Unsayable,
}

fn by_name<'p, 'd>(parameters: &'p [Parameter<'d>]) -> BTreeMap<String, &'p Parameter<'d>> {
    parameters
        .iter()
        .map(|parameter| {
            let name = match parameter.location {
                "header" => parameter.name.to_lowercase(),
                _ => parameter.name.to_owned(),
            };
            (format!("{} {name}", parameter.location), parameter)
        })
        .collect()
}

fn lower_case<'h, 'd>(
    headers: &'h BTreeMap<&'d str, Header<'d>>,
) -> BTreeMap<String, &'h Header<'d>> {
    headers
        .iter()
        .map(|(name, header)| (name.to_lowercase(), header))
        .collect()
}

/// The tags in order, `none` if there are none.
fn tags(operation: &Operation<'_>) -> String {
    let tags: Vec<&str> = elements(&operation.object["tags"]).map(text).collect();
    match tags.is_empty() {
        true => "none".to_owned(),
        false => tags.join(", "),
    }
}

/// Who may call: `NomadToken or Bearer`; `anyone` where nothing is asked.
fn security(document: &Document, operation: &Operation<'_>) -> String {
    let own = operation.object.get("security");
    let ways: BTreeSet<String> = elements(own.unwrap_or(&document.root()["security"]))
        .map(|requirement| {
            let parts: Vec<String> = entries(requirement)
                .map(|(scheme, scopes)| match elements(scopes).next() {
                    None => scheme.to_owned(),
                    Some(_) => format!("{scheme} {scopes}"),
                })
                .collect();
            match parts.is_empty() {
                true => "anyone".to_owned(),
                false => parts.join(" and "),
            }
        })
        .collect();
    match ways.is_empty() {
        true => "anyone".to_owned(),
        false => Vec::from_iter(ways).join(" or "),
    }
}
