//! Asking an expression of a row.

use super::expression::{Collection, Comparison, Expression, Operator, Selector};
use super::json::{self, Elements, Kind, Members};
use super::literal::Literal;
use std::borrow::Cow;

/// The fields of a row.
type Row<'r> = dyn Fn(&str) -> Option<Cow<'r, [u8]>> + 'r;

/// Fields that hold a map: any key may be asked of them. Other objects have the keys that they have.
const MAPS: [&str; 16] = [
    "Attributes",
    "CSIControllerPlugins",
    "CSINodePlugins",
    "Context",
    "Drivers",
    "HostVolumes",
    "Links",
    "Meta",
    "Parameters",
    "PastClaims",
    "ReadAllocs",
    "ReadClaims",
    "Secrets",
    "Segments",
    "TaskStates",
    "WriteAllocs",
];
/// Fields that hold an unsigned number.
const UNSIGNED: [&str; 4] = ["CreateIndex", "JobModifyIndex", "JobVersion", "ModifyIndex"];

/// Whether an expression holds for a row.
pub(super) fn holds<'r>(expression: &Expression, row: &Row<'r>) -> Result<bool, String> {
    Scope { row, names: None }.holds(expression)
}

/// Where names are looked up: those of the collections around, then the fields of the row.
#[derive(Clone, Copy)]
struct Scope<'s, 'r> {
    row: &'s Row<'r>,
    names: Option<&'s Named<'s>>,
}

/// A name for an element of a collection.
struct Named<'s> {
    name: &'s str,
    value: &'s [u8],
    /// The last part of the collection's selector, for which it is an element.
    field: &'s str,
    outer: Option<&'s Named<'s>>,
}

/// An element of a collection: its index or key, and its value.
type Element<'v> = (Cow<'v, [u8]>, &'v [u8]);

/// What a selector leads to.
enum Found<'v> {
    Value(Cow<'v, [u8]>),
    /// A map without that key, or something within nothing.
    Missing,
}

impl<'s, 'r> Scope<'s, 'r> {
    fn holds(&self, expression: &Expression) -> Result<bool, String> {
        match expression {
            Expression::Not(inner) => Ok(!self.holds(inner)?),
            Expression::All(terms) => {
                for term in terms {
                    if !self.holds(term)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expression::Any(terms) => {
                for term in terms {
                    if self.holds(term)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Expression::Compare(comparison) => self.compare(comparison),
            Expression::Each(collection) => self.each(collection),
        }
    }

    fn compare(&self, comparison: &Comparison) -> Result<bool, String> {
        let Comparison {
            selector,
            operator,
            negated,
            literal,
        } = comparison;
        let field = selector.0.last().map_or("", String::as_str);
        let holds = match self.find(selector)? {
            Found::Value(value) => compare(&value, *operator, literal, field, selector)?,
            Found::Missing => matches!(operator, Operator::IsEmpty | Operator::IsNil),
        };
        Ok(holds != *negated)
    }

    fn each(&self, collection: &Collection) -> Result<bool, String> {
        let value = match self.find(&collection.selector)? {
            Found::Value(value) => value,
            Found::Missing => return Ok(collection.all),
        };
        let elements: Box<dyn Iterator<Item = Element<'_>> + '_> = match json::kind(&value) {
            Kind::List => {
                let index = |at: usize| Cow::Owned(at.to_string().into_bytes());
                let elements = Elements::of(&value).enumerate();
                Box::new(elements.map(move |(at, element)| (index(at), element)))
            }
            Kind::Object => {
                Box::new(Members::of(&value).map(|(key, value)| (Cow::Borrowed(key), value)))
            }
            Kind::Null => return Ok(collection.all),
            Kind::Boolean(_) | Kind::Number | Kind::Text => {
                let selector = collection.selector.pointer();
                return Err(format!("{selector} is no list and no map"));
            }
        };
        let is_list = json::kind(&value) == Kind::List;
        for (key, element) in elements {
            // a single name is a list's value, a map's key
            let first = match (collection.value.is_none(), is_list) {
                (true, true) => element,
                _ => &key,
            };
            let field = collection.selector.0.last().map_or("", String::as_str);
            let bound = Named {
                name: collection.name.as_deref().unwrap_or_default(),
                value: first,
                field,
                outer: self.names,
            };
            let second = collection.value.as_ref().and_then(Option::as_deref);
            let bound = Named {
                name: second.unwrap_or_default(),
                value: element,
                field,
                outer: Some(&bound),
            };
            let inner = Scope {
                row: self.row,
                names: Some(&bound),
            };
            if inner.holds(&collection.body)? != collection.all {
                return Ok(!collection.all);
            }
        }
        Ok(collection.all)
    }

    /// The value that a selector leads to.
    fn find(&self, selector: &Selector) -> Result<Found<'s>, String>
    where
        'r: 's,
    {
        let Some((first, rest)) = selector.0.split_first() else {
            return Ok(Found::Missing);
        };
        let mut names = self.names;
        while let Some(named) = names {
            if !named.name.is_empty() && named.name == first {
                return follow(Cow::Borrowed(named.value), named.field, selector, rest);
            }
            names = named.outer;
        }
        match (self.row)(first) {
            Some(value) => follow(value, first, selector, rest),
            None => Err(no_field(selector, 0)),
        }
    }
}

/// Follows the rest of a selector from the value of a field.
fn follow<'v>(
    value: Cow<'v, [u8]>,
    field: &str,
    selector: &Selector,
    rest: &[String],
) -> Result<Found<'v>, String> {
    let mut field = field;
    let mut value = value;
    for (past, part) in rest.iter().enumerate() {
        let at = selector.0.len() - rest.len() + past;
        let next = match json::kind(&value) {
            Kind::Null => return Ok(Found::Missing),
            Kind::Object => match within(&value, |it| json::member(it, part)) {
                Some(next) => next,
                None if MAPS.contains(&field) => return Ok(Found::Missing),
                None => return Err(no_field(selector, at)),
            },
            Kind::List => {
                let Ok(index) = part.parse::<usize>() else {
                    let pointer = selector.pointer();
                    return Err(in_datum(format!(
                        "{pointer} at part {at}: couldn't convert key {part:?} to an index"
                    )));
                };
                match within(&value, |it| Elements::of(it).nth(index)) {
                    Some(next) => next,
                    None => {
                        let (pointer, length) = (selector.pointer(), Elements::of(&value).count());
                        return Err(in_datum(format!(
                            "{pointer} at part {at}: index {index} is out of range (length = {length})"
                        )));
                    }
                }
            }
            Kind::Boolean(_) | Kind::Number | Kind::Text => {
                let (pointer, kind) = (selector.pointer(), kind_of(&value, field));
                return Err(in_datum(format!(
                    "{pointer}: at part {at}, invalid value kind: {kind}"
                )));
            }
        };
        value = next;
        field = part;
    }
    Ok(Found::Value(value))
}

/// A part of a value, which lives as long as the value may.
fn within<'v>(
    value: &Cow<'v, [u8]>,
    part: impl for<'b> Fn(&'b [u8]) -> Option<&'b [u8]>,
) -> Option<Cow<'v, [u8]>> {
    match value {
        Cow::Borrowed(bytes) => part(bytes).map(Cow::Borrowed),
        Cow::Owned(bytes) => part(bytes).map(|it| Cow::Owned(it.to_vec())),
    }
}

fn compare(
    value: &[u8],
    operator: Operator,
    literal: &Literal,
    field: &str,
    selector: &Selector,
) -> Result<bool, String> {
    let kind = json::kind(value);
    match (operator, kind) {
        (Operator::Equal, _) => match equal(value, literal, field)? {
            Some(is_equal) => Ok(is_equal),
            None => {
                Err("unable to find suitable primitive comparison function for matching".into())
            }
        },
        (Operator::Contains, Kind::Text) => Ok(json::text(value).contains(&literal.text)),
        (Operator::Contains, Kind::Object) => Ok(json::member(value, &literal.text).is_some()),
        (Operator::Contains, Kind::List) => {
            for element in Elements::of(value) {
                match equal(element, literal, field)? {
                    Some(true) => return Ok(true),
                    Some(false) => {}
                    None => {
                        return Err(
                            "unable to find suitable primitive comparison function for \"in\" comparison: struct"
                                .into(),
                        );
                    }
                }
            }
            Ok(false)
        }
        (Operator::Contains | Operator::Matches, Kind::Null) => Ok(false),
        (Operator::Contains, _) => {
            let (kind, pointer) = (kind_of(value, field), selector.pointer());
            Err(format!(
                "Cannot perform in/contains operations on type {kind} for selector: {pointer:?}"
            ))
        }
        (Operator::Matches, Kind::Text) => literal.is_found_in(&json::text(value)),
        (Operator::Matches, _) => {
            let kind = kind_of(value, field);
            Err(format!("Value of type {kind} is not convertible to []byte"))
        }
        (Operator::IsEmpty, Kind::Text) => Ok(value == b"\"\""),
        (Operator::IsEmpty, Kind::List | Kind::Object) => Ok(value.len() == 2),
        (Operator::IsEmpty, Kind::Null) => Ok(true),
        (Operator::IsEmpty, _) => {
            let (kind, pointer) = (kind_of(value, field), selector.pointer());
            Err(format!(
                "{pointer} is a {kind}, which is neither empty nor not"
            ))
        }
        (Operator::IsNil, kind) => Ok(kind == Kind::Null),
    }
}

/// Whether a value is equal to a literal, read as what the value is; `None` if nothing is read as that.
fn equal(value: &[u8], literal: &Literal, field: &str) -> Result<Option<bool>, String> {
    Ok(match json::kind(value) {
        Kind::Text => Some(json::is_text(value, &literal.text)),
        Kind::Boolean(value) => Some(literal.boolean()? == value),
        Kind::Number => {
            let number = std::str::from_utf8(value)
                .unwrap_or_default()
                .parse::<i128>();
            let wanted = literal.integer(UNSIGNED.contains(&field))?;
            Some(number == Ok(wanted))
        }
        Kind::Null => Some(false),
        Kind::List | Kind::Object => None,
    })
}

/// What Go calls the kind of a value.
fn kind_of(value: &[u8], field: &str) -> &'static str {
    match json::kind(value) {
        Kind::Null => "ptr",
        Kind::Boolean(_) => "bool",
        Kind::Number if UNSIGNED.contains(&field) => "uint64",
        Kind::Number => "int64",
        Kind::Text => "string",
        Kind::List => "slice",
        Kind::Object if MAPS.contains(&field) => "map",
        Kind::Object => "struct",
    }
}

fn no_field(selector: &Selector, at: usize) -> String {
    let (pointer, name) = (selector.pointer(), &selector.0[at]);
    in_datum(format!(
        "{pointer} at part {at}: couldn't find key: struct field with name {name:?}"
    ))
}

fn in_datum(why: String) -> String {
    format!("error finding value in datum: {why}")
}
