//! Every case of conformance with Nomad, and every weakness of Nomad's that is not to be had here, is named
//! by the test that shows it.
//!
//! A test names them in its documentation: `Conformance case 7.`, `Conformance cases 5, 7 and 8`,
//! `Weakness W3`. What no test can show stands here, with its reason.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const CASES: u32 = 88;
const WEAKNESSES: u32 = 36;

/// Cases without a test, and why.
const EXCUSED_CASES: [(u32, &str); 7] = [
    (6, "plugins are not deleted: their configuration goes"),
    (17, "plugins show no allocations"),
    (38, "one delete names one volume"),
    (59, "every volume has capabilities"),
    (82, "there are no task drivers"),
    (85, "there are no jobs, and no EBS in a test"),
    (87, "nodes are not drained"),
];

/// Cases where what is promised here differs from what Nomad does, and what is promised.
const OTHERWISE: [(u32, &str); 5] = [
    (
        47,
        "a page is shown whole, since its token goes on behind it",
    ),
    (52, "likewise, for snapshots"),
    (
        65,
        "a node that is gone is fenced on stated evidence, then detached",
    ),
    (71, "likewise: nothing is forgotten by itself"),
    (72, "work is serial for one backing store, not for a plugin"),
];

/// Weaknesses without a test, and why.
const EXCUSED_WEAKNESSES: [(u32, &str); 1] = [(32, "there are no metrics yet")];

#[test]
fn every_conformance_case_is_named_by_a_test_or_excused() {
    let excused = EXCUSED_CASES.iter().chain(&OTHERWISE);
    let excused: BTreeSet<u32> = excused.map(|(case, _)| *case).collect();
    let named = named("conformance case", "");
    let missing: Vec<u32> = (1..=CASES)
        .filter(|case| !named.contains(case) && !excused.contains(case))
        .collect();
    assert!(
        missing.is_empty(),
        "no test names conformance case {missing:?}"
    );
    let needless: Vec<&u32> = named
        .iter()
        .filter(|case| EXCUSED_CASES.iter().any(|(excused, _)| excused == *case))
        .collect();
    assert!(needless.is_empty(), "tested and yet excused: {needless:?}");
    let unknown: Vec<&u32> = named.iter().filter(|case| **case > CASES).collect();
    assert!(
        unknown.is_empty(),
        "there is no conformance case {unknown:?}"
    );
}

#[test]
fn every_weakness_is_named_by_a_test_or_excused() {
    let named = named("weakness", "W");
    let excused = EXCUSED_WEAKNESSES.map(|(weakness, _)| weakness);
    let missing: Vec<u32> = (1..=WEAKNESSES)
        .filter(|weakness| named.contains(weakness) == excused.contains(weakness))
        .collect();
    assert!(
        missing.is_empty(),
        "neither named by a test nor excused, or both: weakness {missing:?}"
    );
    let unknown: Vec<&u32> = named.iter().filter(|it| **it > WEAKNESSES).collect();
    assert!(unknown.is_empty(), "there is no weakness {unknown:?}");
}

#[test]
fn only_the_documentation_of_tests_names_anything() {
    let source = "/// Conformance cases 1, 2 and\n/// 3. Weakness W4.\n#[test]\nfn a() {}\n\
                  /// Conformance case 5.\nfn b() {}\n// Conformance case 6.\n#[test]\nfn c() {}\n\
                  /// Case 7.\n#[tokio::test]\nfn d() {}\n";
    let texts = documentation(source);
    let cases: Vec<u32> = texts
        .iter()
        .flat_map(|text| numbers(text, "conformance case", ""))
        .collect();
    assert_eq!(cases, [1, 2, 3]);
    let weaknesses: Vec<u32> = texts
        .iter()
        .flat_map(|text| numbers(text, "weakness", "W"))
        .collect();
    assert_eq!(weaknesses, [4]);
}

/// The numbers that the tests of this package name behind a word, as in `Weakness W7`.
fn named(word: &str, mark: &str) -> BTreeSet<u32> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        sources(&package.join(folder), &mut files);
    }
    assert!(files.len() > 100, "the sources are not where they were");
    files
        .iter()
        .flat_map(|file| documentation(&std::fs::read_to_string(file).unwrap()))
        .flat_map(|text| numbers(&text, word, mark))
        .collect()
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, files),
            false if path.extension().is_some_and(|it| it == "rs") => files.push(path),
            false => {}
        }
    }
}

/// The documentation of each test in a source.
fn documentation(source: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut text = String::new();
    for line in source.lines().map(str::trim) {
        if let Some(more) = line.strip_prefix("///") {
            text.push_str(more);
        } else if line.starts_with("#[test") || line.starts_with("#[tokio::test") {
            texts.push(std::mem::take(&mut text));
        } else if !line.starts_with("#[") {
            text.clear();
        }
    }
    texts
}

/// The numbers in a text behind a word or its plural: `1`, `1 and 2`, `1, 2 and 3`.
fn numbers(text: &str, word: &str, mark: &str) -> Vec<u32> {
    let number = format!("{mark}[0-9]+");
    let several = format!(r"(?i:{word}(?:s|es)?) ({number}(?:(?:,| and|, and) {number})*)");
    let (several, number) = (
        regex::Regex::new(&several).unwrap(),
        regex::Regex::new("[0-9]+").unwrap(),
    );
    let found = several.captures_iter(text).map(|found| found[1].to_owned());
    found
        .flat_map(|found| {
            let numbers = number.find_iter(&found);
            numbers
                .map(|digits| digits.as_str().parse().unwrap())
                .collect::<Vec<u32>>()
        })
        .collect()
}
