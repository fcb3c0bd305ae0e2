//! Filter expressions: which of the rows of a list are shown.
//!
//! ```text
//! ID matches "^pg" and not (Schedulable == false or Parameters.tier == "gold")
//! any RequestedCapabilities as it { it.AttachmentMode == "block-device" }
//! ```
//!
//! - The language is the one that Nomad's lists take (go-bexpr): `==`, `!=`, `in`, `contains`, `matches`,
//!   `is empty`, `is nil`, each also with `not`, joined by `and`, `or`, `not` and parentheses, and `any` and
//!   `all` over lists and maps. A selector is `A.B`, `A["k"]`, `A.0` or the JSON pointer `"/A/B"`.
//! - An expression is compiled once ([`Filter::compile`]) and asked of each row ([`Filter::shows`]). It sees
//!   the JSON that clients see, found in the encoded bytes without decoding them: no secret is in there.
//! - A key that a map does not have is equal to nothing and empty. A field that a row cannot have is an error,
//!   in Nomad's words, and only if a row is looked at.
//! - Whatever the text, compiling and asking end, within memory that the text bounds.

mod cursor;
mod evaluate;
mod expression;
mod grammar;
mod json;
mod literal;

use expression::Expression;
use std::borrow::Cow;

/// A compiled expression.
#[derive(Debug)]
pub struct Filter(Expression);

/// A row, by its fields.
pub trait Fields {
    /// The JSON of a field; `None` if such rows have none of that name.
    fn field(&self, name: &str) -> Option<Cow<'_, [u8]>>;
}

/// A row that is one JSON object.
impl Fields for [u8] {
    fn field(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        json::member(self, name).map(Cow::Borrowed)
    }
}

impl Filter {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Where the text is not one, and what could stand there.
    pub fn compile(text: &str) -> Result<Self, String> {
        grammar::parse(text).map(Self)
    }

    /// Whether a row is shown.
    ///
    /// # Errors
    ///
    /// The expression asks for what such a row does not have, or compares it with what it cannot be.
    pub fn shows(&self, row: &(impl Fields + ?Sized)) -> Result<bool, String> {
        let field = |name: &str| row.field(name);
        evaluate::holds(&self.0, &field)
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use crate::mangled::assert_linear;

    #[test]
    fn a_long_expression_costs_no_more_than_its_length() {
        let row = br#"{"ID":"a","Context":{"pool":"x"},"Capacity":1,"Topologies":[null]}"#;
        for shape in [
            ("ID == a", " and ID == a", ""),
            ("ID == a", " or not ID == b", " and"),
            ("", "(", "ID == a"),
            ("", "not ", "ID == a"),
            ("", "any Context as k, _ { ", "k == a"),
            ("ID == \"", "\\\"", ""),
            ("ID == \"", "\\n", "\""),
            ("Context", ".a", " is empty"),
            ("\"", "/a", "\" is empty"),
            ("ID matches `", "a*", "`"),
            ("Capacity == ", "9", ""),
            ("", "\n ", "ID"),
        ] {
            assert_linear(100, shape, |text| {
                if let Ok(filter) = Filter::compile(text) {
                    let _ = filter.shows(&row[..]);
                }
            });
        }
    }
}
