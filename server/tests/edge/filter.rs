//! Filter expressions against a small evaluator of their own, and against garbage.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use saddlebag::filter::Filter;
use serde_json::{Value, json};

/// An expression, as a tree that is written out and asked of a row separately.
#[derive(Clone, Debug)]
enum Tree {
    Not(Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    /// Selector, operator, literal.
    Is(&'static str, &'static str, String),
    /// Whether of all, collection, what has to hold of its element.
    Each(bool, &'static str, &'static str, String),
}

/// Selectors in their spellings, and where they lead.
const SELECTORS: [(&str, &str); 12] = [
    ("ID", "/ID"),
    (r#""/Name""#, "/Name"),
    ("Schedulable", "/Schedulable"),
    ("Capacity", "/Capacity"),
    ("CreateIndex", "/CreateIndex"),
    ("MountOptions.FSType", "/MountOptions/FSType"),
    (r#"Context["pool"]"#, "/Context/pool"),
    ("Context.missing", "/Context/missing"),
    ("Context", "/Context"),
    ("Topologies", "/Topologies"),
    ("RequestedTopologies", "/RequestedTopologies"),
    (
        "RequestedTopologies.Required",
        "/RequestedTopologies/Required",
    ),
];
const OPERATORS: [&str; 12] = [
    "==",
    "!=",
    "contains",
    "not contains",
    "in",
    "not in",
    "matches",
    "not matches",
    "is empty",
    "is not empty",
    "is nil",
    "is not nil",
];

impl Tree {
    fn written(&self) -> String {
        match self {
            Tree::Not(inner) => format!("not ({})", inner.written()),
            Tree::And(one, other) => format!("({}) and ({})", one.written(), other.written()),
            Tree::Or(one, other) => format!("( {} )\nor ({})", one.written(), other.written()),
            Tree::Is(selector, operator, literal) => match *operator {
                "in" | "not in" => format!("{literal:?} {operator} {selector}"),
                "==" | "!=" => format!("{selector}{operator}{literal:?}"),
                word if word.starts_with("is") => format!("{selector} {word}"),
                word => format!("{selector} {word} {literal:?}"),
            },
            Tree::Each(all, selector, part, literal) => {
                let word = if *all { "all" } else { "any" };
                format!("{word} {selector} as it {{ {part} == {literal:?} }}")
            }
        }
    }

    /// Whether it holds; nothing if it cannot be asked.
    fn holds(&self, row: &Value) -> Option<bool> {
        Some(match self {
            Tree::Not(inner) => !inner.holds(row)?,
            Tree::And(one, other) => one.holds(row)? && other.holds(row)?,
            Tree::Or(one, other) => one.holds(row)? || other.holds(row)?,
            Tree::Is(selector, operator, literal) => {
                let (_, pointer) = SELECTORS.iter().find(|(it, _)| it == selector).unwrap();
                let negated = operator.contains("not") || *operator == "!=";
                let operator = operator.replace("not ", "");
                is(row.pointer(pointer), &operator, literal)? != negated
            }
            Tree::Each(all, selector, part, literal) => {
                let elements: Vec<String> = match &row[*selector] {
                    Value::Object(map) => map.keys().cloned().collect(),
                    Value::Array(list) => {
                        let (_, field) = part.split_once('.').unwrap_or(("", "AttachmentMode"));
                        list.iter()
                            .map(|it| it[field].as_str().unwrap().to_owned())
                            .collect()
                    }
                    _ => Vec::new(),
                };
                let mut elements = elements.iter();
                match all {
                    true => elements.all(|it| it == literal),
                    false => elements.any(|it| it == literal),
                }
            }
        })
    }
}

fn is(value: Option<&Value>, operator: &str, literal: &str) -> Option<bool> {
    let Some(value) = value else {
        return Some(matches!(operator, "is empty" | "is nil"));
    };
    match (operator, value) {
        ("==" | "!=", Value::String(text)) => Some(text == literal),
        ("==" | "!=", Value::Bool(value)) => match literal {
            "true" | "1" => Some(*value),
            "false" | "0" => Some(!value),
            _ => None,
        },
        ("==" | "!=", Value::Number(number)) => {
            Some(literal.parse::<i64>().ok()? == number.as_i64().unwrap())
        }
        ("==" | "!=" | "in" | "contains" | "matches", Value::Null) => Some(false),
        ("in" | "contains", Value::String(text)) => Some(text.contains(literal)),
        ("in" | "contains", Value::Object(map)) => Some(map.contains_key(literal)),
        ("in" | "contains", Value::Array(list)) => list.is_empty().then_some(false),
        ("matches", Value::String(text)) => Some(regex::Regex::new(literal).ok()?.is_match(text)),
        ("is empty", Value::String(text)) => Some(text.is_empty()),
        ("is empty", Value::Object(map)) => Some(map.is_empty()),
        ("is empty", Value::Array(list)) => Some(list.is_empty()),
        ("is empty" | "is nil", Value::Null) => Some(true),
        ("is nil", _) => Some(false),
        _ => None,
    }
}

/// A text that is worth comparing with.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ab]{0,2}".prop_map(String::from),
        1 => "[0-3]".prop_map(String::from),
        1 => prop_oneof![Just("true"), Just("false"), Just("^a"), Just("[")].prop_map(String::from),
        1 => "[a\"\\\\\n\té}]{0,3}".prop_map(String::from),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let selectors = proptest::sample::select(&SELECTORS[..]);
    let operators = proptest::sample::select(&OPERATORS[..]);
    let is = (selectors, operators, literal())
        .prop_map(|((selector, _), operator, literal)| Tree::Is(selector, operator, literal));
    let each =
        (any::<bool>(), any::<bool>(), literal()).prop_map(|(all, map, literal)| match map {
            true => Tree::Each(all, "Context", "it", literal),
            false => Tree::Each(all, "RequestedCapabilities", "it.AttachmentMode", literal),
        });
    prop_oneof![4 => is, 1 => each].prop_recursive(4, 20, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            inner.prop_map(|it| Tree::Not(Box::new(it))),
            pair.clone()
                .prop_map(|(a, b)| Tree::And(Box::new(a), Box::new(b))),
            pair.prop_map(|(a, b)| Tree::Or(Box::new(a), Box::new(b))),
        ]
    })
}

fn row() -> impl Strategy<Value = Value> {
    let text = literal;
    let modes = vec(literal(), 0..3);
    let context = btree_map(
        prop_oneof![Just("pool".to_owned()), literal()],
        literal(),
        0..3,
    );
    (text(), text(), any::<bool>(), 0i64..4, text(), context, modes).prop_map(
        |(id, name, schedulable, capacity, fs_type, context, modes)| {
            let modes: Vec<Value> = modes.iter().map(|it| json!({"AttachmentMode": it})).collect();
            json!({
                "ID": id, "Name": name, "Schedulable": schedulable, "Capacity": capacity,
                "CreateIndex": capacity, "MountOptions": {"FSType": fs_type}, "Context": context,
                "RequestedCapabilities": modes, "Topologies": [], "RequestedTopologies": null,
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn an_expression_holds_where_the_small_evaluator_says_so(tree in tree(), row in row()) {
        let text = tree.written();
        let filter = Filter::compile(&text).map_err(TestCaseError::fail)?;
        let shown = filter.shows(row.to_string().as_bytes());
        match tree.holds(&row) {
            Some(holds) => prop_assert_eq!(shown, Ok(holds), "{}", text),
            None => prop_assert!(shown.is_err(), "{text} of {row}: {shown:?}"),
        }
    }
}

/// Whole expressions, pieces of which make the mangled ones.
const WHOLE: [&str; 8] = [
    "not (ID == \"a\\\"b\" and Capacity != -12)\nor Name matches `^[ab]+$`",
    "any Topologies as i, t { t.Segments.zone == \"a\" or i == 0 }",
    "all Context as k, _ { k contains o and not (k is empty) }",
    "\"/Context/pool\" is not nil and Topologies.0.Segments[\"zone\"] is empty",
    "\"pool\" not in Context or x in ID",
    "Capacity == 0x1f or Capacity == 1.5",
    "RequestedTopologies.Required.3 is not empty",
    "Bogus == \"\\u00e9\\x41\\U0001F600\"",
];

#[test]
fn a_hundred_thousand_mangled_texts_make_no_filter_panic() {
    let mut random = StdRng::seed_from_u64(20_261_121);
    let row = br#"{"ID":"a","Context":{"pool":"x"},"Capacity":1,"Topologies":[{"Segments":null}]}"#;
    let (mut understood, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let mut text = String::new();
        for _ in 0..random.random_range(1..4) {
            let whole: Vec<char> = WHOLE[random.random_range(0..WHOLE.len())].chars().collect();
            let from = random.random_range(0..whole.len());
            let to = random.random_range(from..=whole.len());
            let kept = if random.random_bool(0.3) {
                0..whole.len()
            } else {
                from..to
            };
            text.extend(&whole[kept]);
            if random.random_bool(0.2) {
                text.push(random.random());
            }
        }
        match Filter::compile(&text) {
            Ok(filter) => {
                let _ = filter.shows(&row[..]);
                understood += 1;
            }
            Err(why) => {
                assert!(
                    why.contains("expected") || why.contains("deeper"),
                    "{text}: {why}"
                );
                refused += 1;
            }
        }
    }
    assert!(
        understood > 1_000 && refused > 10_000,
        "{understood} {refused}"
    );
}

#[test]
fn what_is_no_expression_is_told_with_its_place() {
    for (text, told) in [
        ("", "line 1, column 1: the expression ends"),
        ("ID = v", "line 1, column 4: found '='"),
        ("Capacity < 5", "line 1, column 10: found '<'"),
        ("ID == v\nand\n x", "line 3, column 3"),
        ("(ID == v", "line 1, column 9: the expression ends"),
        ("ID == 007", "line 1, column 10: the expression ends"),
        ("ID == \"\\q\"", "line 1, column 9: found 'q'"),
        (
            "any X as it { it == 1",
            "line 1, column 22: the expression ends",
        ),
    ] {
        let refused = Filter::compile(text).unwrap_err();
        assert!(refused.starts_with(told), "{text}: {refused}");
    }
    let deep = format!("{}ID == v{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(
        Filter::compile(&deep)
            .unwrap_err()
            .contains("nested deeper")
    );
    let long = vec!["ID == v"; 100_000].join(" or ");
    let filter = Filter::compile(&long).unwrap();
    assert_eq!(filter.shows(&br#"{"ID":"w"}"#[..]), Ok(false));
}

#[test]
fn words_bind_as_nomad_s_do() {
    let row = &br#"{"a":"1","b":"2","c":"3"}"#[..];
    for (text, holds) in [
        ("a == 1 or b == 1 and c == 1", true),
        ("(a == 1 or b == 1) and c == 1", false),
        ("not a == 1 or b == 2", true),
        ("not (a == 1 or b == 2)", false),
        ("not not a == 1", true),
        ("a == `1`", true),
        ("a != 1", false),
        ("notes == 1 or a == 1", true),
    ] {
        let shown = Filter::compile(text).unwrap().shows(row);
        match text.starts_with("notes") {
            true => assert!(
                shown.unwrap_err().contains("\"notes\""),
                "a name may begin with a word"
            ),
            false => assert_eq!(shown, Ok(holds), "{text}"),
        }
    }
}
