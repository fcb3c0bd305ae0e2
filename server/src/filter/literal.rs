//! What a value is compared with: a text that is read as what the value is.

use regex::{Regex, RegexBuilder};

/// The most memory that a compiled pattern may take, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// A literal, and what it is read as. Failures are told when a value asks for that reading.
#[derive(Debug)]
pub(super) struct Literal {
    pub text: String,
    integer: Result<i128, &'static str>,
    pattern: Option<Result<Regex, String>>,
}

impl Literal {
    pub fn new(text: String) -> Self {
        Self {
            integer: integer(&text),
            pattern: None,
            text,
        }
    }

    /// A literal that values are matched with.
    pub fn pattern(text: String) -> Self {
        let pattern = RegexBuilder::new(&text)
            .size_limit(LARGEST_PATTERN)
            .build()
            .map_err(|error| {
                let told = error.to_string();
                let why = told.lines().last().unwrap_or_default();
                let why = why.strip_prefix("error: ").unwrap_or(why);
                format!("failed to compile regular expression {text:?}: {why}")
            });
        Self {
            pattern: Some(pattern),
            ..Self::new(text)
        }
    }

    /// Whether a text is found by the pattern.
    pub fn is_found_in(&self, text: &str) -> Result<bool, String> {
        match &self.pattern {
            Some(Ok(pattern)) => Ok(pattern.is_match(text)),
            Some(Err(why)) => Err(why.clone()),
            None => Ok(false),
        }
    }

    /// As Go's `strconv.ParseBool` reads it.
    pub fn boolean(&self) -> Result<bool, String> {
        match self.text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(self.unreadable("ParseBool", SYNTAX)),
        }
    }

    /// As Go's `strconv.ParseInt` reads it, in the base that its prefix says, or as `ParseUint` does.
    pub fn integer(&self, is_unsigned: bool) -> Result<i128, String> {
        let (function, range) = match is_unsigned {
            true => ("ParseUint", 0..=i128::from(u64::MAX)),
            false => ("ParseInt", i128::from(i64::MIN)..=i128::from(i64::MAX)),
        };
        match self.integer {
            Ok(integer) if range.contains(&integer) => Ok(integer),
            Ok(integer) if is_unsigned && integer < 0 => Err(self.unreadable(function, SYNTAX)),
            Ok(_) => Err(self.unreadable(function, RANGE)),
            Err(why) => Err(self.unreadable(function, why)),
        }
    }

    fn unreadable(&self, function: &str, why: &str) -> String {
        let text = &self.text;
        format!(
            "error getting match value in expression: strconv.{function}: parsing {text:?}: {why}"
        )
    }
}

const SYNTAX: &str = "invalid syntax";
const RANGE: &str = "value out of range";

fn integer(text: &str) -> Result<i128, &'static str> {
    let (is_negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let bases = [("0x", 16), ("0b", 2), ("0o", 8)];
    let based = bases
        .iter()
        .find_map(|(prefix, base)| Some((lower.strip_prefix(prefix)?, *base)));
    let (digits, base) = match based {
        Some(found) => found,
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (lower.as_str(), 10),
    };
    let is_digit = |byte: char| byte.is_digit(base);
    if digits.is_empty() || !digits.chars().all(is_digit) {
        return Err(SYNTAX);
    }
    let magnitude = i128::from_str_radix(digits, base).map_err(|_| RANGE)?;
    Ok(if is_negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_go_reads_them() {
        for (text, integer) in [
            ("5", 5),
            ("-5", -5),
            ("+5", 5),
            ("0", 0),
            ("0x1f", 31),
            ("0B101", 5),
            ("0o17", 15),
            ("017", 15),
            ("-9223372036854775808", i128::from(i64::MIN)),
        ] {
            assert_eq!(Literal::new(text.to_owned()).integer(false), Ok(integer));
        }
        for (text, is_unsigned, why) in [
            ("", false, SYNTAX),
            ("-", false, SYNTAX),
            ("1.5", false, SYNTAX),
            ("0x", false, SYNTAX),
            ("089", false, SYNTAX),
            ("9223372036854775808", false, RANGE),
            ("99999999999999999999999999999999999999999999", false, RANGE),
            ("-1", true, SYNTAX),
            ("18446744073709551616", true, RANGE),
        ] {
            let refused = Literal::new(text.to_owned()).integer(is_unsigned);
            assert!(refused.unwrap_err().ends_with(why), "{text}");
        }
    }
}
