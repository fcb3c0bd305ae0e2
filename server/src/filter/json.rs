//! Finding values in encoded JSON without decoding it. The bytes are what this server encoded, so they are
//! compact and right; should they not be, nothing is found.

use std::borrow::Cow;

/// What kind of value these bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean(bool),
    Number,
    Text,
    List,
    Object,
}

/// The kind of a value.
pub(super) fn kind(value: &[u8]) -> Kind {
    match value.first() {
        Some(b'"') => Kind::Text,
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::List,
        Some(b't') => Kind::Boolean(true),
        Some(b'f') => Kind::Boolean(false),
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

/// The value of an object's key.
pub(super) fn member<'j>(object: &'j [u8], name: &str) -> Option<&'j [u8]> {
    Members::of(object)
        .find(|(key, _)| is_text(key, name))
        .map(|(_, value)| value)
}

/// Whether a string, quotes included, is this text.
pub(super) fn is_text(string: &[u8], text: &str) -> bool {
    let inner = match string {
        [b'"', inner @ .., b'"'] => inner,
        other => other,
    };
    let begins_otherwise = match (inner.first(), text.as_bytes().first()) {
        (Some(first), Some(wanted)) => first != wanted && *first != b'\\',
        _ => false,
    };
    // what is escaped is longer than its text
    !begins_otherwise
        && (inner == text.as_bytes()
            || (inner.len() > text.len() && inner.contains(&b'\\') && self::text(string) == text))
}

/// What a string says.
pub(super) fn text(string: &[u8]) -> Cow<'_, str> {
    match serde_json::from_slice::<Cow<'_, str>>(string) {
        Ok(text) => text,
        Err(_) => Cow::Borrowed(""),
    }
}

/// The keys, quotes included, and values of an object.
pub(super) struct Members<'j>(&'j [u8]);

impl<'j> Members<'j> {
    pub fn of(object: &'j [u8]) -> Self {
        match object {
            [b'{', members @ ..] => Self(members),
            _ => Self(&[]),
        }
    }
}

impl<'j> Iterator for Members<'j> {
    type Item = (&'j [u8], &'j [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = take(self.0)?;
        let [b':', rest @ ..] = rest else {
            return None;
        };
        let (value, rest) = take(rest)?;
        self.0 = past_comma(rest);
        Some((key, value))
    }
}

/// The elements of a list.
pub(super) struct Elements<'j>(&'j [u8]);

impl<'j> Elements<'j> {
    pub fn of(list: &'j [u8]) -> Self {
        match list {
            [b'[', elements @ ..] => Self(elements),
            _ => Self(&[]),
        }
    }
}

impl<'j> Iterator for Elements<'j> {
    type Item = &'j [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let (element, rest) = take(self.0)?;
        self.0 = past_comma(rest);
        Some(element)
    }
}

/// What follows a comma; nothing if there is none.
fn past_comma(rest: &[u8]) -> &[u8] {
    match rest {
        [b',', next @ ..] => next,
        _ => &[],
    }
}

/// The first value, and what follows it.
fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = match bytes.first()? {
        b'"' => string_end(bytes, 0)?,
        b'{' | b'[' => nested_end(bytes)?,
        b'}' | b']' => return None,
        _ => {
            let end = |byte: &u8| matches!(byte, b',' | b'}' | b']');
            bytes.iter().position(end).unwrap_or(bytes.len())
        }
    };
    Some(bytes.split_at(end))
}

/// Where the string that begins at `start` ends.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        let stop = |byte: &u8| matches!(byte, b'"' | b'\\');
        at += bytes.get(at..)?.iter().position(stop)?;
        match bytes[at] {
            b'"' => return Some(at + 1),
            _ => at += 2, // what is escaped
        }
    }
}

fn nested_end(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    loop {
        let stop = |byte: &u8| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']');
        at += bytes.get(at..)?.iter().position(stop)?;
        match bytes[at] {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            _ => depth -= 1,
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &[u8] = br#"{"a":{"}":"]"},"b\"c":[1,[2],{}],"d":-5,"e":null,"f":"","g":true}"#;

    #[test]
    fn members_are_found_past_whatever_stands_before_them() {
        let found = |name| member(ROW, name).map(|it| std::str::from_utf8(it).unwrap());
        assert_eq!(found("a"), Some(r#"{"}":"]"}"#));
        assert_eq!(found("b\"c"), Some("[1,[2],{}]"));
        assert_eq!(found("d"), Some("-5"));
        assert_eq!(found("e"), Some("null"));
        assert_eq!(found("f"), Some("\"\""));
        assert_eq!(found("g"), Some("true"));
        assert_eq!(found("h"), None);
    }

    #[test]
    fn elements_come_one_by_one() {
        let list = member(ROW, "b\"c").unwrap();
        let elements: Vec<&[u8]> = Elements::of(list).collect();
        assert_eq!(elements, [&b"1"[..], b"[2]", b"{}"]);
        assert_eq!(Elements::of(b"[]").count(), 0);
        assert_eq!(Members::of(b"{}").count(), 0);
    }

    #[test]
    fn nothing_is_found_in_what_is_cut_short() {
        for end in 0..ROW.len() {
            for (key, value) in Members::of(&ROW[..end]) {
                assert!(key.len() + value.len() <= end);
            }
        }
    }
}
