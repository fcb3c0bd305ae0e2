//! What a value does against its schema, in words.
//!
//! The words name the keyword's demand and take the value as the caller shows it: nothing of the
//! value itself is in them, but for the names of keys.
use super::exact::OutOfBounds;
use boon::{ErrorKind, InstanceToken, ValidationError};
use serde_json::Value;
use std::fmt::Display;

/// The violations that a person wants to be told: those at the leaves. Of several schemas of which
/// one should have accepted the value, none is named alone.
///
/// A part that is refused takes with it what its schema knew of the keys beside it: these are told
/// only once it is right.
pub(super) fn all<'e, 's, 'v>(
    error: &'e ValidationError<'s, 'v>,
) -> Vec<&'e ValidationError<'s, 'v>> {
    let (strange, wrong): (Vec<_>, Vec<_>) = leaves(error)
        .into_iter()
        .partition(|violation| matches!(violation.kind, ErrorKind::FalseSchema));
    let beside_wrong = |strange: &&ValidationError<'_, '_>| {
        wrong.iter().any(|wrong| {
            let (strange, wrong) = (place(strange), place(wrong));
            strange
                .split_last()
                .is_some_and(|(_, holder)| wrong.starts_with(holder))
        })
    };
    let strange = strange.into_iter().filter(|it| !beside_wrong(it));
    let mut strange: Vec<_> = strange.collect();
    strange.sort_by_key(|violation| place(violation));
    wrong.into_iter().chain(strange).collect()
}

fn leaves<'e, 's, 'v>(error: &'e ValidationError<'s, 'v>) -> Vec<&'e ValidationError<'s, 'v>> {
    match error.kind {
        ErrorKind::Group
        | ErrorKind::Schema { .. }
        | ErrorKind::Reference { .. }
        | ErrorKind::AllOf => error.causes.iter().flat_map(leaves).collect(),
        _ => vec![error],
    }
}

/// Where in the value, from the outermost key to the innermost.
fn place(violation: &ValidationError<'_, '_>) -> Vec<String> {
    let tokens = violation.instance_location.tokens.iter();
    tokens
        .map(|token| match token {
            InstanceToken::Prop(name) => name.to_string(),
            InstanceToken::Item(index) => index.to_string(),
        })
        .collect()
}

/// A violation as a sentence about the value, which stands in it as `shown`.
pub(super) fn said(kind: &ErrorKind<'_, '_>, shown: &str) -> String {
    match kind {
        ErrorKind::Type { want, .. } => {
            let types: Vec<String> = want.iter().map(quoted).collect();
            let word = if types.len() == 1 { "type" } else { "types" };
            format!("{shown} is not of {word} {}", types.join(", "))
        }
        ErrorKind::Required { want } => {
            let names: Vec<String> = want.iter().map(quoted).collect();
            match &*names {
                [name] => format!("{name} is a required property"),
                names => format!("{} are required properties", names.join(", ")),
            }
        }
        ErrorKind::Enum { want } => format!("{shown} is not one of {}", alternatives(want)),
        ErrorKind::Format { err, .. } if err.is::<OutOfBounds>() => format!("{shown} {err}"),
        ErrorKind::Format { want, .. } => format!("{shown} is not a {}", quoted(want)),
        ErrorKind::Pattern { want, .. } => format!("{shown} does not match {}", quoted(want)),
        ErrorKind::Minimum { want, .. } => {
            format!("{shown} is less than the minimum of {want}")
        }
        ErrorKind::Maximum { want, .. } => {
            format!("{shown} is greater than the maximum of {want}")
        }
        ErrorKind::ExclusiveMinimum { want, .. } => {
            format!("{shown} is less than or equal to the minimum of {want}")
        }
        ErrorKind::ExclusiveMaximum { want, .. } => {
            format!("{shown} is greater than or equal to the maximum of {want}")
        }
        ErrorKind::MultipleOf { want, .. } => format!("{shown} is not a multiple of {want}"),
        ErrorKind::MinLength { want, .. } => {
            format!("{shown} is shorter than {want} characters")
        }
        ErrorKind::MaxLength { want, .. } => format!("{shown} is longer than {want} characters"),
        ErrorKind::MinItems { want, .. } => format!("{shown} has less than {want} items"),
        ErrorKind::MaxItems { want, .. } => format!("{shown} has more than {want} items"),
        ErrorKind::UniqueItems { got: [one, other] } => {
            format!("{shown} has equal items, at {one} and {other}")
        }
        ErrorKind::MinProperties { want, .. } => {
            format!("{shown} has less than {want} properties")
        }
        ErrorKind::MaxProperties { want, .. } => {
            format!("{shown} has more than {want} properties")
        }
        ErrorKind::AdditionalProperties { got } => {
            let names: Vec<String> = got.iter().map(quoted).collect();
            format!(
                "additional properties are not allowed: {}",
                names.join(", ")
            )
        }
        ErrorKind::FalseSchema => format!("{shown} is not allowed here"),
        ErrorKind::Not => format!("{shown} is what it must not be"),
        ErrorKind::AnyOf => format!("{shown} is none of what it may be (anyOf)"),
        ErrorKind::OneOf(None) => format!("{shown} is none of what it may be (oneOf)"),
        ErrorKind::OneOf(Some((one, other))) => {
            format!("{shown} is both of the alternatives {one} and {other} (oneOf)")
        }
        // OpenAPI 3.0 has no other keywords, so no schema of ours can ask for more.
        _ => format!("{shown} is not as its schema demands"),
    }
}

fn quoted(text: impl Display) -> String {
    format!("\"{text}\"")
}

fn alternatives(values: &[Value]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    match &*values {
        [others @ .., last] if !others.is_empty() => {
            format!("{} or {last}", others.join(", "))
        }
        values => values.join(", "),
    }
}
