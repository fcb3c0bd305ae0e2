//! The ways in which somebody else's text may show a secret value.
//!
//! - As it is, trimmed, or escaped as in a quoted string; whatever its length, so a value of one or two
//!   bytes takes such letters out of every word.
//! - Each line of at least 8 bytes, if it has many.
//! - From 8 bytes on: in base64 of either alphabet, even within a longer text that was encoded (as
//!   `user:password` is); percent-encoded as in a URL; in hexadecimal.
//! - Any piece of at least 12 bytes in a row of all these: a text that was cut.
//!
//! What is shorter than that and encoded or cut is not found.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::HashSet;
use std::fmt::Write;
use zeroize::Zeroizing;

/// Shorter lines of a value of many lines are not looked for by themselves.
const LEAST_LINE_BYTES: usize = 8;
/// Shorter values are not looked for encoded.
const LEAST_ENCODED_BYTES: usize = 8;
/// Shorter pieces are not looked for.
const PIECE_BYTES: usize = 12;

/// Where a value shows in a text: beginnings and ends, which may overlap.
pub(super) fn in_text(value: &str, text: &str) -> Vec<(usize, usize)> {
    let all = appearances(value);
    let whole = all
        .iter()
        .flat_map(|appearance| occurrences(text, appearance));
    whole.chain(pieces(&all, text)).collect()
}

/// The ways in which a driver may print a value; none is blank.
fn appearances(value: &str) -> Vec<Zeroizing<String>> {
    let quoted = Zeroizing::new(serde_json::Value::from(value).to_string());
    let lines = value.lines().map(str::trim);
    let mut all: Vec<Zeroizing<String>> = [value, value.trim(), &quoted[1..quoted.len() - 1]]
        .into_iter()
        .chain(lines.filter(|line| line.len() >= LEAST_LINE_BYTES))
        .filter(|appearance| !appearance.trim().is_empty())
        .map(|appearance| Zeroizing::new(appearance.to_owned()))
        .collect();
    for value in [value, value.trim()] {
        if value.len() >= LEAST_ENCODED_BYTES {
            all.extend(encoded(value));
        }
    }
    all
}

fn encoded(value: &str) -> Vec<Zeroizing<String>> {
    let in_url = utf8_percent_encode(value, UNSAFE_IN_URLS).to_string();
    let mut forms = vec![
        hexadecimal(value.as_bytes()),
        hexadecimal(value.as_bytes()).to_uppercase(),
        in_lower_case(&in_url),
        in_url,
    ];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.push(engine.encode(value));
        // Within a longer text the first letters also encode what is before, the last what follows.
        for before in 0..3 {
            let longer = Zeroizing::new([&[0; 3][..before], value.as_bytes()].concat());
            let letters = Zeroizing::new(engine.encode(&*longer));
            let (from, to) = ((before * 8).div_ceil(6), longer.len() * 8 / 6);
            forms.push(letters[from..to].to_owned());
        }
    }
    forms.into_iter().map(Zeroizing::new).collect()
}

/// All but what RFC 3986 calls unreserved.
const UNSAFE_IN_URLS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Percent-encoded text with its digits in lower case.
fn in_lower_case(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        lower.push('%');
        lower.push_str(&digits.to_lowercase());
        lower.push_str(rest);
    }
    lower
}

/// Where any piece of these stands.
fn pieces(all: &[Zeroizing<String>], text: &str) -> Vec<(usize, usize)> {
    let windows: HashSet<&[u8]> = all
        .iter()
        .flat_map(|appearance| appearance.as_bytes().windows(PIECE_BYTES))
        .collect();
    if windows.is_empty() {
        return Vec::new();
    }
    let within = text.as_bytes().windows(PIECE_BYTES).enumerate();
    within
        .filter(|(_, window)| windows.contains(window))
        .map(|(start, _)| {
            // Outwards to whole characters.
            let whole = |at: &usize| text.is_char_boundary(*at);
            let from = (0..=start).rev().find(whole).unwrap_or(0);
            let to = (start + PIECE_BYTES..text.len()).find(whole);
            (from, to.unwrap_or(text.len()))
        })
        .collect()
}

/// Where `value` begins and ends in `text`, overlapping occurrences included.
fn occurrences(text: &str, value: &str) -> Vec<(usize, usize)> {
    let step = value.chars().next().map_or(1, char::len_utf8);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(value).map(|offset| from + offset) {
        found.push((start, start + value.len()));
        from = start + step;
    }
    found
}
