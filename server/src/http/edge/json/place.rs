//! Where in a body something is.

use crate::http::edge::refuse::quoted;
use std::fmt;

/// A place in a body, as a chain up to the outermost value: naming one costs nothing until it is printed.
#[derive(Clone, Copy)]
pub(super) enum Place<'p> {
    Body,
    /// A field that we know, by our spelling.
    Field(&'p Place<'p>, &'p str),
    /// An item of a list, counted from 0.
    Item(&'p Place<'p>, usize),
    /// An entry of a map, by the client's key.
    Entry(&'p Place<'p>, &'p str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Body => f.write_str("the request body"),
            Place::Field(Place::Body, name) => f.write_str(name),
            Place::Field(parent, name) => write!(f, "{parent}.{name}"),
            Place::Item(parent, index) => write!(f, "{parent}[{index}]"),
            Place::Entry(parent, key) => write!(f, "{parent}[{}]", quoted(key)),
        }
    }
}
