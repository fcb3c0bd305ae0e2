//! Queries and what is read from them: `nomad-http.md` §1.10.

use saddlebag::http::edge::{Query, ReadOptions, Reason, WriteOptions, options, spelling};
use std::time::Duration;

fn read(query: &str) -> Result<ReadOptions, String> {
    ReadOptions::read(&Query::parse(Some(query)), "global").map_err(|refusal| refusal.to_string())
}

fn write(query: &str) -> Result<WriteOptions, String> {
    WriteOptions::read(&Query::parse(Some(query)), "global").map_err(|refusal| refusal.to_string())
}

#[test]
fn a_query_is_read_as_go_reads_it() {
    let query = Query::parse(Some(
        "a=1&a=2&b&c=&=x&d=%2B+%c3%a9&e=%zz&f=x;y&A=3&&g=a=b&h=%ff",
    ));
    for (name, value) in [
        ("a", Some("1")),
        ("A", Some("3")),
        ("b", Some("")),
        ("c", Some("")),
        ("", Some("x")),
        ("d", Some("+ \u{e9}")),
        ("e", None),
        ("f", None),
        ("g", Some("a=b")),
        ("h", Some("\u{fffd}")),
        ("i", None),
    ] {
        assert_eq!(query.get(name), value, "{name}");
    }
    assert_eq!(query.filled("b"), None);
    assert_eq!(Query::parse(None), Query::parse(Some("")));
}

#[test]
fn reads_have_nomads_defaults() {
    let defaults = ReadOptions {
        stale: false,
        prefix: String::new(),
        namespace: "default".to_owned(),
        per_page: 0,
        next_token: String::new(),
        reverse: false,
        wait: Duration::from_secs(300),
        index: 0,
    };
    assert_eq!(read(""), Ok(defaults.clone()));
    assert_eq!(
        read("per_page=&index=&wait=&namespace=&region=&reverse=1"),
        Ok(defaults)
    );
}

#[test]
fn reads_take_what_they_are_given() {
    let read = read(
        "stale&prefix=v&namespace=*&per_page=-3&next_token=default.v1&reverse=true&wait=1m30s&index=9223372036854775807&region=global",
    );
    let expected = ReadOptions {
        stale: true,
        prefix: "v".to_owned(),
        namespace: "*".to_owned(),
        per_page: -3,
        next_token: "default.v1".to_owned(),
        reverse: true,
        wait: Duration::from_secs(90),
        index: i64::MAX.unsigned_abs(),
    };
    assert_eq!(read, Ok(expected));
}

#[test]
fn the_first_wrong_parameter_decides_in_nomads_order() {
    let stale = "Expect `true` or `false` for `stale` query string parameter";
    let per_page = "Expect a number for `per_page` query string parameter";
    let reverse = "Expect `true` or `false` for `reverse` query string parameter";
    for (query, text) in [
        ("region=mars&stale=maybe", "No path to region"),
        ("index=x&wait=x&per_page=x&stale=maybe", stale),
        ("stale=yes", stale),
        ("index=x&wait=x&per_page=abc", per_page),
        ("per_page=99999999999", per_page),
        ("per_page=1.5", per_page),
        ("index=x&wait=10", "Invalid wait time"),
        ("index=abc", "Invalid index"),
        ("index=-1", "Invalid index"),
        ("index=%2B1", "Invalid index"),
        ("index=9223372036854775808", "Invalid index"),
        ("index=18446744073709551616", "Invalid index"),
        ("reverse=yes&index=x", "Invalid index"),
        ("reverse=yes", reverse),
    ] {
        assert_eq!(read(query).unwrap_err(), text, "{query}");
    }
    let mars = ReadOptions::read(&Query::parse(Some("region=mars")), "global");
    assert_eq!(mars.unwrap_err().reason, Reason::UnknownRegion);
}

#[test]
fn stale_is_spelt_as_go_spells_booleans() {
    for text in ["1", "t", "T", "true", "TRUE", "True", ""] {
        assert!(read(&format!("stale={text}")).unwrap().stale, "{text}");
    }
    for text in ["0", "f", "F", "false", "FALSE", "False"] {
        assert!(!read(&format!("stale={text}")).unwrap().stale, "{text}");
    }
}

#[test]
fn a_read_waits_from_over_zero_to_five_minutes() {
    for (text, seconds) in [
        ("0", 300.0),
        ("-1s", 300.0),
        ("1h", 300.0),
        ("500ms", 0.5),
        ("5m", 300.0),
    ] {
        let wait = read(&format!("index=1&wait={text}")).unwrap().wait;
        assert_eq!(wait, Duration::from_secs_f64(seconds), "{text}");
    }
}

#[test]
fn changes_wait_two_minutes_unless_told() {
    let defaults = write("stale=maybe&per_page=x&index=x").unwrap();
    assert_eq!(defaults.namespace, None);
    assert_eq!(defaults.idempotency_token, None);
    assert_eq!(defaults.wait, Duration::from_secs(120));
    let given = write("namespace=team&idempotency_token=t&wait=0s").unwrap();
    assert_eq!(given.namespace.as_deref(), Some("team"));
    assert_eq!(given.idempotency_token.as_deref(), Some("t"));
    assert_eq!(given.wait, Duration::ZERO);
    assert_eq!(write("wait=-1s").unwrap().wait, Duration::from_secs(120));
    assert_eq!(write("wait=1h").unwrap().wait, Duration::from_secs(300));
    assert_eq!(write("wait=soon").unwrap_err(), "Invalid wait time");
    assert_eq!(write("region=mars").unwrap_err(), "No path to region");
}

#[test]
fn force_is_a_boolean_of_gos() {
    let force = |query| options::force(&Query::parse(Some(query)));
    assert_eq!(force(""), Ok(false));
    assert_eq!(force("force="), Ok(false));
    assert_eq!(force("force=T"), Ok(true));
    for query in ["force=maybe", "force=2", "force=tRUE"] {
        assert_eq!(force(query).unwrap_err().message, "invalid force value");
    }
}

#[test]
fn pretty_is_on_for_all_but_zero() {
    for (query, is_pretty) in [
        ("pretty", true),
        ("pretty=false", true),
        ("pretty=0", false),
        ("", false),
    ] {
        assert_eq!(Query::parse(Some(query)).is_pretty(), is_pretty, "{query}");
    }
}

#[test]
fn durations_follow_gos_grammar() {
    for (text, nanoseconds) in [
        ("0", 0),
        ("+0", 0),
        ("-0", 0),
        ("1ns", 1),
        ("1.9ns", 1),
        ("1us", 1_000),
        ("1\u{b5}s", 1_000),
        ("1\u{3bc}s", 1_000),
        ("500ms", 500_000_000),
        ("10s", 10_000_000_000),
        ("1.s", 1_000_000_000),
        (".5s", 500_000_000),
        ("1h2m3.5s", 3_723_500_000_000),
        ("-1.5h", -5_400_000_000_000),
        ("+5m", 300_000_000_000),
        ("0.123456789123456789123456789s", 123_456_789),
        ("0.000000000001h", 3),
        ("1s1s", 2_000_000_000),
        ("9223372036854775807ns", i64::MAX),
        ("-9223372036854775808ns", i64::MIN),
    ] {
        assert_eq!(spelling::duration(text), Some(nanoseconds), "{text}");
    }
    for text in [
        "",
        "+",
        "-",
        "10",
        ".",
        ".s",
        "1.",
        "s",
        "1 s",
        " 1s",
        "1s ",
        "1d",
        "1S",
        "1h2",
        "--1s",
        "1e3s",
        "1,5s",
        "9223372036854775808ns",
        "-9223372036854775809ns",
        "99999999999999999999s",
        "2562048h",
        "1s-1s",
    ] {
        assert_eq!(spelling::duration(text), None, "{text}");
    }
}
