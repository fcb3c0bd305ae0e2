//! Templates as a tree of segments: finding a path's route costs one step a segment.

use super::params::{MOST_PARAMETERS, Spans};
use axum::http::Method;

/// One place of the tree: what may follow it, and what is there.
pub(super) struct Node<T> {
    literals: Vec<(Box<str>, Node<T>)>,
    parameter: Option<Box<Node<T>>>,
    /// Takes whatever follows, slashes included.
    rest: Option<Box<Node<T>>>,
    /// Whether the parameter may be empty.
    empty_parameter: bool,
    endpoints: Vec<Endpoint<T>>,
}

/// One method at one place.
pub(super) struct Endpoint<T> {
    pub(super) method: Method,
    pub(super) names: Box<[Box<str>]>,
    pub(super) value: T,
}

impl<T> Node<T> {
    pub(super) fn new() -> Self {
        Self {
            literals: Vec::new(),
            parameter: None,
            rest: None,
            empty_parameter: false,
            endpoints: Vec::new(),
        }
    }

    /// Plants a route; says why not where there is no room for it.
    pub(super) fn plant(
        &mut self,
        method: Method,
        template: &str,
        value: T,
    ) -> Result<(), &'static str> {
        let Some(inner) = template.strip_prefix('/') else {
            return Err("a template begins with `/`");
        };
        let mut node = self;
        let mut names: Vec<Box<str>> = Vec::new();
        let mut rest_taken = false;
        for segment in inner.split('/') {
            if rest_taken {
                return Err("nothing can follow the rest of a path");
            }
            let name = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
            node = match name {
                None => node.literal_mut(segment),
                Some(name) => {
                    rest_taken = name.starts_with('*');
                    names.push(name.trim_start_matches('*').into());
                    let below = match rest_taken {
                        true => &mut node.rest,
                        false => &mut node.parameter,
                    };
                    below.get_or_insert_with(|| Box::new(Node::new()))
                }
            };
        }
        if names.len() > MOST_PARAMETERS {
            return Err("a template has at most two parameters");
        }
        if node.endpoint(&method).is_some() {
            return Err("this method and path have a route already");
        }
        let names = names.into();
        node.endpoints.push(Endpoint {
            method,
            names,
            value,
        });
        Ok(())
    }

    /// Lets the parameter right below these literals be empty. Does nothing if there is none.
    pub(super) fn allow_empty_below(&mut self, prefix: &str) {
        let mut node = self;
        for segment in prefix.split('/').filter(|segment| !segment.is_empty()) {
            node = node.literal_mut(segment);
        }
        node.empty_parameter = true;
    }

    fn literal_mut(&mut self, literal: &str) -> &mut Node<T> {
        let known = self.literals.iter().position(|(l, _)| &**l == literal);
        let at = known.unwrap_or_else(|| {
            self.literals.push((literal.into(), Node::new()));
            self.literals.len() - 1
        });
        &mut self.literals[at].1
    }

    /// The place of a decoded path. A literal wins over a parameter, and there is no way back.
    pub(super) fn find(&self, path: &str) -> Option<(&Node<T>, Spans)> {
        let mut node = self;
        let mut spans = Spans::default();
        let mut start = 1;
        loop {
            let tail = path.get(start..)?;
            let end = tail.find('/').map_or(path.len(), |slash| start + slash);
            let segment = &path[start..end];
            if let Some((_, below)) = node.literals.iter().find(|(l, _)| &**l == segment) {
                node = below;
            } else if let Some(below) = node.parameter_for(segment) {
                spans.push(start..end);
                node = below;
            } else {
                let below = node.rest.as_deref()?;
                spans.push(start..path.len());
                return Some((below, spans));
            }
            if end == path.len() {
                return Some((node, spans));
            }
            start = end + 1;
        }
    }

    fn parameter_for(&self, segment: &str) -> Option<&Node<T>> {
        let fits = !segment.is_empty() || self.empty_parameter;
        self.parameter.as_deref().filter(|_| fits)
    }

    /// Whether paths below this one exist and this one does not, so that Go answers a redirect to
    /// this path with a slash at its end.
    pub(super) fn wants_slash(&self) -> bool {
        let is_subtree = self.rest.is_some() || (self.empty_parameter && self.parameter.is_some());
        is_subtree && self.endpoints.is_empty()
    }

    /// Whether any method is here.
    pub(super) fn is_route(&self) -> bool {
        !self.endpoints.is_empty()
    }

    pub(super) fn endpoint(&self, method: &Method) -> Option<&Endpoint<T>> {
        self.endpoints.iter().find(|e| e.method == *method)
    }

    /// The methods that are here, in the order they were planted.
    pub(super) fn methods(&self) -> Vec<Method> {
        self.endpoints.iter().map(|e| e.method.clone()).collect()
    }
}
