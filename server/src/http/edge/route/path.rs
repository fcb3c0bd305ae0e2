//! A request's path as Go's router sees it: cleaned first, then percent-decoded, then split.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The path without empty, `.` and `..` segments; a slash at its end stays. `None` if it has none.
///
/// Escapes are not looked into: `%2e%2e` and `%2F` are parts of a segment here.
pub(super) fn clean(path: &str) -> Option<String> {
    if is_clean(path) {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let mut cleaned = String::with_capacity(path.len());
    for segment in &kept {
        cleaned.push('/');
        cleaned.push_str(segment);
    }
    if kept.is_empty() || path.ends_with('/') {
        cleaned.push('/');
    }
    Some(cleaned)
}

fn is_clean(path: &str) -> bool {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let mut segments = inner.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if segment == "." || segment == ".." || (segment.is_empty() && !last) {
            return false;
        }
    }
    true
}

/// Why a path cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// A `%` is not followed by two hexadecimal digits.
    Escape,
    /// The bytes are no UTF-8. No id can hold such bytes, so the path names nothing.
    Utf8,
}

/// The path with its percent-escapes decoded. Borrowed if it has none.
pub(super) fn decode(path: &str) -> Result<Cow<'_, str>, Undecodable> {
    if !path.contains('%') {
        return Ok(Cow::Borrowed(path));
    }
    if !has_whole_escapes(path) {
        return Err(Undecodable::Escape);
    }
    percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| Undecodable::Utf8)
}

/// Whether each `%` is followed by two hexadecimal digits.
pub(in crate::http::edge) fn has_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let after = after.as_bytes();
        after.len() >= 2 && after[..2].iter().all(u8::is_ascii_hexdigit)
    })
}
