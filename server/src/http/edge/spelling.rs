//! How Go spells booleans, whole numbers and durations.

/// Go's `strconv.ParseBool`.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// An unsigned 64-bit number in decimal; unlike Rust's own, without a `+`.
pub fn unsigned(text: &str) -> Option<u64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// Go's `time.ParseDuration` (`1h2m3.5s`, `500ms`, `-1.5h`, `0`), in nanoseconds. `None` if it is
/// malformed or does not fit. Digits beyond the nanosecond are dropped.
pub fn duration(text: &str) -> Option<i64> {
    let (is_negative, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let nanoseconds = match magnitude {
        "0" => 0,
        terms => sum_of_terms(terms)?,
    };
    match is_negative {
        true => 0i64.checked_sub_unsigned(nanoseconds),
        false => i64::try_from(nanoseconds).ok(),
    }
}

fn sum_of_terms(mut text: &str) -> Option<u64> {
    let mut sum = 0u64;
    loop {
        let (term, rest) = term(text)?;
        sum = sum.checked_add(term)?;
        if rest.is_empty() {
            return Some(sum);
        }
        text = rest;
    }
}

/// The first number with its unit, in nanoseconds, and what follows it.
fn term(text: &str) -> Option<(u64, &str)> {
    let (whole, rest) = split_digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit());
    let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let unit = unit(name)?;
    let whole = match whole {
        "" => 0,
        digits => digits.parse::<u64>().ok()?,
    };
    let sum = whole.checked_mul(unit)?.checked_add(part(fraction, unit))?;
    Some((sum, rest))
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// The nanoseconds of a decimal fraction of a unit; more than 18 digits are beyond the nanosecond.
fn part(digits: &str, unit: u64) -> u64 {
    let mut sum = 0u128;
    let mut scale = 1u128;
    for digit in digits.bytes().take(18) {
        sum = sum * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    // Less than `unit`, so it fits.
    (sum * u128::from(unit) / scale) as u64
}

/// The nanoseconds of a unit. Both micro signs count: U+00B5 and the Greek letter U+03BC.
fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::duration;
    use crate::config::Period;
    use crate::mangled::{assert_linear, texts};

    const WHOLE: [&str; 6] = [
        "1h2m3.5s",
        "500ms",
        "-1.5h",
        "9223372036854775807ns",
        "1h 30m",
        "2 days 3µs",
    ];

    #[test]
    fn a_hundred_thousand_mangled_durations_are_read_or_refused() {
        let (mut read, mut refused) = (0, 0);
        for text in texts(&WHOLE, 40) {
            match duration(&text) {
                // What is less than nothing needs its sign, and loses nothing by it.
                Some(nanoseconds) if nanoseconds < 0 => {
                    assert_eq!(duration(&text[1..]), nanoseconds.checked_neg(), "{text:?}");
                    read += 1;
                }
                Some(_) => read += 1,
                None => refused += 1,
            }
            if let Ok(period) = text.parse::<Period>() {
                assert_eq!(period.to_string().parse(), Ok(period), "{text:?}");
            }
        }
        assert!(read > 1_000 && refused > 10_000, "{read} {refused}");
    }

    #[test]
    fn a_long_duration_costs_no_more_than_its_length() {
        for shape in [
            ("", "1h", ""),
            ("0.", "0", "s"),
            ("", "9", "s"),
            ("-", "1ns", "x"),
        ] {
            assert_linear(1_000, shape, |text| {
                let _ = duration(text);
                let _ = text.parse::<Period>();
            });
        }
    }
}
