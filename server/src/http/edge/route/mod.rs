//! From a method and a path to the operation that answers: Nomad's front door, route by route.
//!
//! What may be relied on, beside the templates themselves:
//!
//! - a path is cleaned (`//`, `.` and `..` are answered by a redirect), then percent-decoded, then
//!   split: an id with a slash can be addressed nowhere but at the end of a `{*rest}`;
//! - raw `[` and `]` need no escape; an id may be empty where Nomad's handlers answer for it;
//! - `/v1/volume/csi/…` and `/v1/plugin/csi/…` answer 404 or 405 exactly where Nomad does, and a
//!   second segment after a plugin's id is ignored;
//! - `HEAD` is 405 on every route but `/v1/volumes` without `type`, where it is `GET`'s;
//! - a route costs no allocation unless its path has escapes.

mod params;
mod path;
mod tree;

use super::{Query, Redirect, Refusal};
use axum::http::Method;
use params::Spans;
pub use params::{MOST_PARAMETERS, Params};
pub(super) use path::has_whole_escapes;
use path::{Undecodable, clean, decode};
use std::fmt;
use tree::Node;

/// Below this, Nomad splits the rest of the path itself.
const VOLUME: &str = "/v1/volume/csi/";
/// Below this too.
const PLUGIN: &str = "/v1/plugin/csi/";
/// Templates of the document whose last parameter takes the rest of the path, slashes included.
const TAKES_REST: [(&str, &str); 1] = [("/v1/job/{job_id}", "/v1/job/{*job_id}")];
/// The list of a job's allocations, whose id may have slashes; any other path below a job is the job's id.
const JOB_ALLOCATIONS: (&str, &str, &str) =
    ("/v1/job/{job_id}/allocations", "/v1/job/", "/allocations");
/// Where `/` leads.
const HOME: &str = "/docs/";

/// One operation of the document: `{name}` stands for a segment, a last `{*name}` for the rest.
#[derive(Clone, Debug)]
pub struct Route<T> {
    /// The method, exactly.
    pub method: Method,
    /// The path's template, as in the document.
    pub template: String,
    /// What answers.
    pub value: T,
}

/// Two routes that exclude each other, or a template that cannot be routed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The route that found no place.
    pub route: String,
    /// Why.
    pub because: &'static str,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot route `{}`: {}", self.route, self.because)
    }
}

impl std::error::Error for Clash {}

/// Where a request leads.
#[derive(Debug)]
pub enum Routed<'r, 'p, T> {
    /// To this operation.
    Found {
        /// What answers.
        value: &'r T,
        /// What the path holds at the template's open places.
        params: Params<'r, 'p>,
    },
    /// To another path.
    Redirect(Redirect),
    /// Nowhere: 404.
    NotFound {
        /// Nomad's text; where it is empty, the answer has no body and no content type.
        text: &'static str,
    },
    /// To a path that has other methods: 405, `Invalid method`, with `Allow`.
    MethodNotAllowed {
        /// The methods it has; none where Nomad answers 405 for a path that it does not know.
        allow: Vec<Method>,
    },
    /// The path cannot be read: 400.
    Malformed(Refusal),
}

/// All operations, found by method and path.
pub struct Router<T> {
    root: Node<T>,
    job_allocations: Node<T>,
}

impl<T> Router<T> {
    /// A router over these operations.
    ///
    /// # Errors
    ///
    /// If two of them have one method and one path, or a template has more than
    /// [`MOST_PARAMETERS`] open places.
    pub fn new(routes: impl IntoIterator<Item = Route<T>>) -> Result<Self, Clash> {
        let (mut root, mut job_allocations) = (Node::new(), Node::new());
        for Route {
            method,
            template,
            value,
        } in routes
        {
            let (tree, template) = match template == JOB_ALLOCATIONS.0 {
                true => (&mut job_allocations, "/{*job_id}"),
                false => (&mut root, template.as_str()),
            };
            let template = TAKES_REST
                .iter()
                .find(|(document, _)| *document == template)
                .map_or(template, |(_, rest)| rest);
            tree.plant(method.clone(), template, value)
                .map_err(|because| Clash {
                    route: format!("{method} {template}"),
                    because,
                })?;
        }
        root.allow_empty_below(VOLUME);
        root.allow_empty_below(PLUGIN);
        Ok(Self {
            root,
            job_allocations,
        })
    }

    /// Where a request leads, by its method and its path and query as they stand on the wire.
    pub fn route<'r, 'p>(
        &'r self,
        method: &Method,
        path: &'p str,
        query: Option<&str>,
    ) -> Routed<'r, 'p, T> {
        if !path.starts_with('/') {
            return Routed::NotFound { text: "" };
        }
        if path == "/" {
            return Routed::Redirect(Redirect::to(HOME, query));
        }
        let decoded = match decode(path) {
            Ok(decoded) => decoded,
            Err(Undecodable::Escape) => {
                return Routed::Malformed(Refusal::malformed(
                    "the path has a `%` that is not followed by two hexadecimal digits",
                ));
            }
            Err(Undecodable::Utf8) => return resource_not_found(),
        };
        if let Some(cleaned) = clean(path) {
            return Routed::Redirect(self.redirect(cleaned, query));
        }
        let Some((node, spans)) = self.find(&decoded) else {
            return self.unknown_path(method, &decoded);
        };
        if node.wants_slash() {
            return Routed::Redirect(Redirect::to(&format!("{path}/"), query));
        }
        if !node.is_route() {
            return self.unknown_path(method, &decoded);
        }
        match node.endpoint(&answering_method(method, &decoded, query)) {
            Some(endpoint) => Routed::Found {
                value: &endpoint.value,
                params: Params::new(&endpoint.names, decoded, spans),
            },
            None if changes(method) && segments_below(VOLUME, &decoded) == 2 => {
                resource_not_found()
            }
            None => Routed::MethodNotAllowed {
                allow: node.methods(),
            },
        }
    }

    /// The place of a decoded path. What follows a plugin's id in a second segment is ignored.
    fn find(&self, decoded: &str) -> Option<(&Node<T>, Spans)> {
        let (_, above, below) = JOB_ALLOCATIONS;
        let id = decoded.strip_prefix(above);
        if let Some(id) = id.and_then(|rest| rest.strip_suffix(below)) {
            let (node, _) = self.job_allocations.find("/id")?;
            let mut spans = Spans::default();
            spans.push(above.len()..above.len() + id.len());
            return Some((node, spans));
        }
        self.root.find(decoded).or_else(|| {
            let (id, _) = decoded.strip_prefix(PLUGIN)?.split_once('/')?;
            let is_ignored = segments_below(PLUGIN, decoded) == 2;
            let plugin = &decoded[..PLUGIN.len() + id.len()];
            is_ignored.then(|| self.root.find(plugin)).flatten()
        })
    }

    /// To the cleaned path, in one step with the slash that it may want.
    fn redirect(&self, mut cleaned: String, query: Option<&str>) -> Redirect {
        let wants_slash = decode(&cleaned)
            .is_ok_and(|decoded| matches!(self.find(&decoded), Some((n, _)) if n.wants_slash()));
        if wants_slash {
            cleaned.push('/');
        }
        Redirect::to(&cleaned, query)
    }

    /// What a path without a route is answered, by the family that it belongs to.
    fn unknown_path<'p>(&self, method: &Method, decoded: &str) -> Routed<'_, 'p, T> {
        if decoded.starts_with(VOLUME) {
            let is_action = segments_below(VOLUME, decoded) == 2;
            return match is_action && !changes(method) {
                true => Routed::MethodNotAllowed { allow: Vec::new() },
                false => resource_not_found(),
            };
        }
        if decoded.starts_with(PLUGIN) {
            let allow = self.root.find(PLUGIN).map(|(node, _)| node.methods());
            return match allow {
                Some(allow) if !allow.contains(method) => Routed::MethodNotAllowed { allow },
                _ => resource_not_found(),
            };
        }
        Routed::NotFound { text: "" }
    }
}

fn resource_not_found<'r, 'p, T>() -> Routed<'r, 'p, T> {
    Routed::NotFound {
        text: "resource not found",
    }
}

/// How many segments a decoded path has below this prefix; none if it is elsewhere.
fn segments_below(prefix: &str, decoded: &str) -> usize {
    decoded
        .strip_prefix(prefix)
        .map_or(0, |rest| rest.split('/').count())
}

/// Whether Nomad looks at the action behind a volume's id before it judges this method.
fn changes(method: &Method) -> bool {
    *method == Method::PUT || *method == Method::DELETE
}

/// The method whose endpoint answers: its own, but for the one route where `HEAD` is `GET`'s.
fn answering_method(method: &Method, decoded: &str, query: Option<&str>) -> Method {
    let is_head_of_list = *method == Method::HEAD && decoded == "/v1/volumes";
    match is_head_of_list && !Query::parse(query).has("type") {
        true => Method::GET,
        false => method.clone(),
    }
}
