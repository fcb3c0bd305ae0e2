//! Tokens, secrets, and which error body a client reads.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use saddlebag::http::edge::{
    credentials::{ClientToken, header_secrets},
    wants_json,
};

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&str, &str)| {
        let name: HeaderName = name.parse().unwrap();
        (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().map(line) {
        headers.append(name, value);
    }
    headers
}

#[test]
fn a_token_comes_in_its_header_or_as_bearer() {
    for (lines, token) in [
        (vec![], None),
        (vec![("X-Nomad-Token", "a")], Some("a")),
        (vec![("X-Nomad-Token", "\t a ")], Some("a")),
        (
            vec![("X-Nomad-Token", "a"), ("Authorization", "Bearer b")],
            Some("a"),
        ),
        (
            vec![("X-Nomad-Token", ""), ("Authorization", "Bearer b")],
            Some("b"),
        ),
        (vec![("Authorization", "Bearer b")], Some("b")),
        (vec![("Authorization", "bEARER  b c")], Some("b")),
        (vec![("Authorization", "Bearer")], None),
        (vec![("Authorization", "Bearer ")], None),
        (vec![("Authorization", "Basic b")], None),
        (vec![("Authorization", "b")], None),
    ] {
        let found = ClientToken::of(&headers(&lines));
        assert_eq!(found.as_ref().map(ClientToken::expose), token, "{lines:?}");
    }
}

/// The seven rows of conformance case 53, then what else §1.5 says.
#[test]
fn secrets_are_split_at_commas_then_at_the_first_equals_sign() {
    for (sent, expected) in [
        ("", vec![]),
        ("one", vec![]),
        ("one,two", vec![]),
        ("one,two=v2", vec![("two", "v2")]),
        ("one=v1,one=v2", vec![("one", "v2")]),
        ("one=v1,two=v2", vec![("one", "v1"), ("two", "v2")]),
        ("one=v1=x,two=v2", vec![("one", "v1=x"), ("two", "v2")]),
        (" one = v1 ,two=", vec![("one ", " v1 "), ("two", "")]),
        ("=v,a=b,,", vec![("", "v"), ("a", "b")]),
        ("a=%20\\,b=\u{e9}", vec![("a", "%20\\"), ("b", "\u{e9}")]),
    ] {
        let found = header_secrets(&headers(&[("X-Nomad-CSI-Secrets", sent.trim_start())]));
        let found: Vec<_> = found.iter().map(|(k, v)| (k, v.expose())).collect();
        assert_eq!(found, expected, "{sent}");
    }
    let twice = headers(&[
        ("X-Nomad-CSI-Secrets", "a=1"),
        ("X-Nomad-CSI-Secrets", "b=2"),
    ]);
    let found = header_secrets(&twice);
    let found: Vec<_> = found.iter().map(|(k, v)| (k, v.expose())).collect();
    assert_eq!(found, [("a", "1")]);
    assert!(header_secrets(&headers(&[])).is_empty());
}

#[test]
fn what_proves_something_is_never_printed() {
    let headers = headers(&[
        ("X-Nomad-Token", "c4n4ry"),
        ("X-Nomad-CSI-Secrets", "k=c4n4ry"),
    ]);
    let printed = format!(
        "{:?} {:?}",
        ClientToken::of(&headers),
        header_secrets(&headers)
    );
    assert!(!printed.contains("c4n4ry"), "{printed}");
    assert!(printed.contains("[REDACTED]"), "{printed}");
}

#[test]
fn who_accepts_json_reads_json_errors() {
    for (accept, expected) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/*", true),
        ("*/*", true),
        ("*/*;q=0.1", true),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            true,
        ),
        ("text/plain, application/json;q=0.5", true),
        ("text/plain", false),
        ("text/*", false),
        ("application/problem+json", false),
        ("application/json;q=0", false),
        ("application/json;q=0.0, */*", false),
        ("application/json, */*;q=0", true),
        ("*/*; q = 0", false),
        ("*/*;q=much", false),
        ("", false),
    ] {
        let value = HeaderValue::from_static(accept);
        assert_eq!(wants_json(Some(&value)), expected, "{accept}");
    }
    assert!(!wants_json(None));
    assert!(!wants_json(Some(
        &HeaderValue::from_bytes(b"\xff").unwrap()
    )));
}
