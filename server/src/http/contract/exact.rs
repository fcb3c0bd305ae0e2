//! Integers of 64 bits, within their bounds to the last digit.
//!
//! The validator compares bounds as `f64`, to which 2^63 and 2^63 - 1 are the same. So these formats are
//! checked here. What is no number passes: its type is another keyword's matter.
use boon::Format;
use serde_json::Value;
use std::error::Error;

/// The formats whose bounds `f64` cannot tell.
pub(super) const FORMATS: [Format; 2] = [
    Format {
        name: "int64",
        func: |value| within(value, i64::MIN.into(), i64::MAX.into()),
    },
    Format {
        name: "uint64",
        func: |value| within(value, 0, u64::MAX.into()),
    },
];

/// A number is past one of its bounds.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutOfBounds {
    /// It is past the lower one.
    #[error("is less than the minimum of {0}")]
    Less(i128),
    /// It is past the upper one.
    #[error("is greater than the maximum of {0}")]
    Greater(i128),
}

fn within(value: &Value, least: i128, greatest: i128) -> Result<(), Box<dyn Error>> {
    let Value::Number(number) = value else {
        return Ok(());
    };
    let number: i128 = match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(number), ..) => number.into(),
        (_, Some(number), _) => number.into(),
        // Written with an exponent or a fraction of zero; far beyond `i128` it stays beyond.
        (.., Some(number)) => number as i128,
        _ => return Ok(()),
    };
    match number {
        it if it < least => Err(OutOfBounds::Less(least).into()),
        it if it > greatest => Err(OutOfBounds::Greater(greatest).into()),
        _ => Ok(()),
    }
}
