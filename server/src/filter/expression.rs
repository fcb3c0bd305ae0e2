//! An expression as it was understood.

use super::literal::Literal;

/// What is asked of a row.
#[derive(Debug)]
pub(super) enum Expression {
    Not(Box<Expression>),
    /// Looked at in their order, until one does not hold.
    All(Vec<Expression>),
    /// Looked at in their order, until one holds.
    Any(Vec<Expression>),
    Compare(Comparison),
    Each(Box<Collection>),
}

/// A value of the row, compared.
#[derive(Debug)]
pub(super) struct Comparison {
    pub selector: Selector,
    pub operator: Operator,
    /// Whether the outcome is turned around.
    pub negated: bool,
    /// What it is compared with, by operators that do.
    pub literal: Literal,
}

/// What is asked of the elements of a list or map.
#[derive(Debug)]
pub(super) struct Collection {
    /// Of all of them, or else of any.
    pub all: bool,
    pub selector: Selector,
    /// What the element is called: a list's value, a map's key.
    pub name: Option<String>,
    /// What its value is called, where two names are given: then the first is the index or key.
    pub value: Option<Option<String>>,
    pub body: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    /// The literal is in the value: a part of a string, an element of a list, a key of a map.
    Contains,
    Matches,
    IsEmpty,
    IsNil,
}

/// Where in the row, name by name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector(pub Vec<String>);

impl Selector {
    /// As a JSON pointer.
    pub fn pointer(&self) -> String {
        self.0.iter().map(|part| format!("/{part}")).collect()
    }
}
