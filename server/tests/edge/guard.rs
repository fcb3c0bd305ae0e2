//! Which requests a web page of another origin could make, and which it could not.

use axum::http::{HeaderMap, HeaderName, Uri};
use saddlebag::http::edge::{Guard, Reason};

/// What the guard says, by the headers that are there.
fn admitted(target: &str, lines: &[(&str, &str)]) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    let guard = Guard::new(["Volumes.Example.org.", "not a name"]);
    let uri: Uri = target.parse().unwrap();
    match guard.admit(&uri, &headers) {
        Ok(()) => true,
        Err(refusal) => {
            assert_eq!(refusal.reason, Reason::ForeignOrigin);
            assert!(refusal.message.contains(" is "), "{refusal}");
            false
        }
    }
}

#[test]
fn only_addresses_and_names_of_this_server_are_answered() {
    for (host, expected) in [
        ("127.0.0.1:4646", true),
        ("127.0.0.1", true),
        ("192.168.7.9:80", true),
        ("[::1]:4646", true),
        ("[::1]", true),
        ("[2001:DB8::1]:4646", true),
        ("localhost:4646", true),
        ("LocalHost", true),
        ("localhost.", true),
        ("localhost:", true),
        ("volumes.example.org:4646", true),
        ("VOLUMES.example.ORG", true),
        ("volumes.example.org.:4646", true),
        ("localhost.evil.com", false),
        ("evil.localhost", false),
        ("evil.com:4646", false),
        ("127.0.0.1.evil.com:4646", false),
        ("127.0.0.1.nip.io", false),
        ("rebind.it:4646", false),
        ("xvolumes.example.org", false),
        ("volumes.example.org.evil.com", false),
        ("volumes.example.org..", false),
        ("2130706433", false),
        ("0x7f.0.0.1", false),
        ("localhost:4646:80", false),
        ("localhost:+80", false),
        ("localhost:99999", false),
        ("evil.com@localhost", false),
        ("localhost/evil", false),
        ("::1", false),
        ("[::1", false),
        ("[::1]x", false),
        ("[evil]:80", false),
        (".", false),
        ("not a name", false),
    ] {
        assert_eq!(
            admitted("/v1/volumes", &[("Host", host)]),
            expected,
            "{host}"
        );
    }
}

#[test]
fn an_origin_is_the_one_that_is_asked_or_foreign() {
    for (host, origin, expected) in [
        ("localhost:4646", "http://localhost:4646", true),
        ("LOCALHOST:4646", "http://localhost:4646", true),
        ("localhost:4646", "HTTP://LocalHost.:4646", true),
        ("127.0.0.1:4646", "http://127.0.0.1:4646", true),
        ("[::1]:4646", "http://[0:0:0:0:0:0:0:1]:4646", true),
        ("localhost", "http://localhost", true),
        ("localhost", "http://localhost:80", true),
        ("localhost:80", "http://localhost", true),
        ("volumes.example.org", "https://volumes.example.org", true),
        (
            "volumes.example.org:443",
            "https://volumes.example.org",
            true,
        ),
        ("localhost:4646", "http://localhost:4647", false),
        ("localhost:4646", "http://localhost", false),
        ("localhost:4646", "http://127.0.0.1:4646", false),
        ("localhost:443", "http://localhost", false),
        ("localhost:4646", "http://evil.com", false),
        ("localhost:4646", "http://localhost.evil.com:4646", false),
        ("localhost:4646", "http://evil.com:4646", false),
        ("localhost:4646", "null", false),
        ("localhost:4646", "", false),
        ("localhost:4646", "localhost:4646", false),
        ("localhost:4646", "ftp://localhost:4646", false),
        ("localhost:4646", "http://localhost:4646/", false),
        ("localhost:4646", "http://evil.com@localhost:4646", false),
        ("localhost:4646", "chrome-extension://abcdef", false),
    ] {
        let lines = [("Host", host), ("Origin", origin)];
        assert_eq!(admitted("/v1/volumes", &lines), expected, "{host} {origin}");
    }
}

#[test]
fn a_browser_that_says_it_comes_from_elsewhere_is_refused() {
    for (site, expected) in [
        ("same-origin", true),
        ("none", true),
        ("cross-site", false),
        ("same-site", false),
        ("Same-Origin", false),
        ("", false),
    ] {
        let lines = [("Host", "localhost:4646"), ("Sec-Fetch-Site", site)];
        assert_eq!(admitted("/docs/", &lines), expected, "{site}");
    }
}

#[test]
fn what_is_no_browser_needs_no_header() {
    assert!(admitted("/v1/volumes", &[]));
    assert!(admitted("/v1/volumes", &[("Host", "")]));
    assert!(!admitted(
        "/v1/volumes",
        &[("Origin", "http://localhost:4646")]
    ));
    assert!(!admitted(
        "/v1/volumes",
        &[("Host", ""), ("Origin", "null")]
    ));
}

#[test]
fn a_header_that_stands_twice_is_believed_neither_time() {
    let host = ("Host", "localhost");
    assert!(!admitted("/", &[host, host]));
    let origin = ("Origin", "http://localhost");
    assert!(!admitted("/", &[host, origin, origin]));
    let site = ("Sec-Fetch-Site", "none");
    assert!(!admitted("/", &[host, site, site]));
}

#[test]
fn the_target_counts_before_the_host() {
    let host = [("Host", "localhost")];
    assert!(!admitted("http://evil.com/v1/volumes", &host));
    assert!(admitted("http://localhost/v1/volumes", &host));
}
