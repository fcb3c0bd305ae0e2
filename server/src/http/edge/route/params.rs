//! What a path holds at the places that its template leaves open.

use std::{borrow::Cow, ops::Range};

/// The most places that one template may leave open.
pub const MOST_PARAMETERS: usize = 2;

/// Where the open places lie in a decoded path, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans {
    ranges: [Range<usize>; MOST_PARAMETERS],
    count: usize,
}

impl Spans {
    /// Adds the next place. [`super::Router::new`] refuses templates with more than there is room for.
    pub(super) fn push(&mut self, range: Range<usize>) {
        if let Some(free) = self.ranges.get_mut(self.count) {
            *free = range;
            self.count += 1;
        }
    }
}

/// The parameters of a path, percent-decoded. Copies nothing unless the path has escapes.
#[derive(Clone, Debug)]
pub struct Params<'r, 'p> {
    names: &'r [Box<str>],
    path: Cow<'p, str>,
    spans: Spans,
}

impl<'r, 'p> Params<'r, 'p> {
    pub(super) fn new(names: &'r [Box<str>], path: Cow<'p, str>, spans: Spans) -> Self {
        Self { names, path, spans }
    }

    /// The parameter of this name; `""` where the path has an empty id.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|(known, value)| (known == name).then_some(value))
    }

    /// All parameters, in the order of the path.
    pub fn iter(&self) -> impl Iterator<Item = (&'r str, &str)> {
        let values = self.spans.ranges[..self.spans.count].iter();
        let names = self.names.iter().map(|name| &**name);
        names.zip(values.map(|range| &self.path[range.clone()]))
    }
}
