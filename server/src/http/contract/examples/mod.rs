//! Check 4, examples: what the document shows, as things that can be tried.
//!
//! Two kinds stand in the document:
//!
//! - `x-examples` of an operation are [`Case`]s: a request, malformed ones included, and the answer
//!   to it. Each runs on a fresh server, after the cases that it names as `given`:
//!
//!   ```yaml
//!   x-examples:
//!     - name: takes_a_snapshot
//!       summary: A snapshot of a volume that exists
//!       given: [{ operation: create_volume, case: creates_a_volume }]
//!       request: { query: { namespace: default }, body: { Snapshots: [{ SourceVolumeID: db }] } }
//!       status: 200
//!       body: { Snapshots: [{ SourceVolumeID: db }] } # of objects the keys named, arrays whole
//!       answer: { Content-Type: application/json }    # headers
//!     - name: deletes_it
//!       given: [{ operation: create_snapshots, case: takes_a_snapshot }]
//!       request: { query: { id: "{{create_snapshots/takes_a_snapshot: /Snapshots/0/ID}}" } }
//!       status: 200
//!     - name: refuses_a_body_that_is_no_json
//!       request: { raw: "nonsense" }
//!       status: 400
//!       message: "invalid character 'o' in literal null (expecting 'u')"
//!     - name: waits_for_the_driver
//!       driver: { refuses: { code: Unavailable, message: it restarts } } # or `announces`, `hangs`, `gone`
//!       request: { query: { wait: 100ms }, body: { Snapshots: [{ SourceVolumeID: db }] } }
//!       status: 503
//!   ```
//! - OpenAPI's own `example` and `examples` are values; [`shown`] holds each against its schema, and
//!   [`failures`] are those that should be the answer to some case, word for word.
//!
//! Whoever runs the cases brings server and client: [`plan`] says what to send in which order,
//! [`Case::request`] how, and [`judge`] whether the answer is the one that the document shows.
mod answers;
mod case;
mod driver;
mod judge;
mod shown;

pub use answers::Answers;
pub use case::{Case, Example, Given, Sent};
pub use driver::Driver;
pub use judge::judge;
pub use shown::{failures, shown};

use super::{
    document::{Document, Operation, elements, text},
    validator::Problem,
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Every case of the document, by operation, in the order written.
///
/// # Errors
/// What is wrong with cases: unknown keys, parameters or statuses that the operation does not have,
/// names used twice, `given` that leads nowhere or in a circle, `{{references}}` to what was not
/// run before.
pub fn cases(document: &Document) -> Result<Vec<Case>, Vec<Problem>> {
    let mut cases = vec![];
    let mut problems = vec![];
    for operation in document.operations() {
        for written in elements(&operation.object["x-examples"]) {
            match Example::deserialize(written) {
                Ok(example) => cases.push(Case::of(&operation, example)),
                Err(error) => problems.push(Problem {
                    place: format!("{}/{}", operation.id, text(&written["name"])),
                    problem: error.to_string(),
                }),
            }
        }
    }
    if problems.is_empty() {
        problems = problems_of(document, &cases);
    }
    match problems.is_empty() {
        true => Ok(cases),
        false => Err(problems),
    }
}

/// What to run for a case, in order: the cases that it is given, theirs before them, each once, and
/// the case itself at last.
#[must_use]
pub fn plan<'c>(cases: &'c [Case], case: &'c Case) -> Vec<&'c Case> {
    let mut plan = vec![];
    // Cases that `cases` let pass have no circle.
    _ = follow(cases, case, &mut vec![], &mut plan);
    plan
}

/// Operations that no case shows to succeed, or none to fail.
///
/// `unable_to_fail` names operations that cannot fail, each with the reason; a name there that
/// does not belong there is a problem too, so the list cannot go stale.
#[must_use]
pub fn uncovered(
    document: &Document,
    cases: &[Case],
    unable_to_fail: &[(&str, &str)],
) -> Vec<Problem> {
    let mut problems = vec![];
    let mut told = |operation: &str, problem: String| {
        problems.push(Problem {
            place: operation.to_owned(),
            problem,
        });
    };
    for operation in document.operations() {
        let shows = |success: bool| {
            cases.iter().any(|case| {
                case.operation == operation.id && (case.example.status < 400) == success
            })
        };
        let excused = unable_to_fail.iter().any(|(id, _)| *id == operation.id);
        if !shows(true) {
            told(operation.id, "no example shows it succeed".into());
        }
        if !shows(false) && !excused {
            told(operation.id, "no example shows it fail".into());
        }
        if shows(false) && excused {
            told(
                operation.id,
                "listed as unable to fail, yet an example shows it fail".into(),
            );
        }
    }
    for (id, reason) in unable_to_fail {
        if document.operation(id).is_none() {
            told(
                id,
                format!("listed as unable to fail ({reason}), but there is no such operation"),
            );
        }
    }
    problems
}

/// A status that no case can bring about, and why.
pub struct Unable<'t> {
    /// The status, as it stands in the document.
    pub status: &'t str,
    /// The operations of which this is true; none are all.
    pub operations: &'t [&'t str],
    /// Why.
    pub reason: &'t str,
}

/// Statuses that the document lists and no case shows, operation by operation.
///
/// What `unable` names that is shown all the same, or listed nowhere, is a problem too, so the list
/// cannot go stale.
#[must_use]
pub fn unshown(document: &Document, cases: &[Case], unable: &[Unable<'_>]) -> Vec<Problem> {
    let mut problems = vec![];
    let mut met = vec![false; unable.len()];
    for operation in document.operations() {
        for status in operation.responses.keys() {
            let is_shown = cases.iter().any(|case| {
                case.operation == operation.id && case.example.status.to_string() == *status
            });
            let excuse = unable.iter().position(|it| {
                let is_of_all = it.operations.is_empty();
                it.status == *status && (is_of_all || it.operations.contains(&operation.id))
            });
            if let Some(excuse) = excuse {
                met[excuse] = true;
            }
            let problem = match (is_shown, excuse) {
                (false, None) => format!("no example shows its status {status}"),
                (true, Some(excuse)) => format!(
                    "listed as unable to have {status} ({}), yet an example shows it",
                    unable[excuse].reason
                ),
                _ => continue,
            };
            problems.push(Problem {
                place: operation.id.to_owned(),
                problem,
            });
        }
    }
    for (unable, met) in unable.iter().zip(met) {
        if !met {
            problems.push(Problem {
                place: String::new(),
                problem: format!(
                    "no operation has the status {} that {:?} are listed as unable to have",
                    unable.status, unable.operations
                ),
            });
        }
    }
    problems
}

fn problems_of(document: &Document, cases: &[Case]) -> Vec<Problem> {
    let mut problems = vec![];
    let mut names = BTreeSet::new();
    for case in cases {
        let mut told = |problem: String| {
            problems.push(Problem {
                place: case.to_string(),
                problem,
            });
        };
        if !names.insert(case.to_string()) {
            told("another case has this name".into());
        }
        if let Some(operation) = document.operation(&case.operation) {
            case.misfits(&operation).into_iter().for_each(&mut told);
        }
        given_problems(cases, case).into_iter().for_each(&mut told);
    }
    problems
}

fn given_problems(cases: &[Case], case: &Case) -> Vec<String> {
    let mut problems: Vec<String> = case
        .example
        .given
        .iter()
        .filter(|given| find(cases, given).is_none())
        .map(|given| format!("given {given} is no case"))
        .collect();
    let mut plan = vec![];
    if follow(cases, case, &mut vec![], &mut plan).is_err() {
        problems.push("its givens lead back to it".into());
    }
    let before: BTreeSet<String> = plan
        .iter()
        .filter(|given| !std::ptr::eq(**given, case))
        .map(ToString::to_string)
        .collect();
    let unknown = case
        .refers_to()
        .into_iter()
        .filter(|case| !before.contains(case));
    problems.extend(unknown.map(|case| format!("it refers to {case}, which it is not given")));
    problems
}

/// A case that is, by way of others, given itself.
struct Circle;

/// Appends to `plan` what `case` is given and then itself; `above` are the cases under way.
fn follow<'c>(
    cases: &'c [Case],
    case: &'c Case,
    above: &mut Vec<&'c Case>,
    plan: &mut Vec<&'c Case>,
) -> Result<(), Circle> {
    if above.iter().any(|other| std::ptr::eq(*other, case)) {
        return Err(Circle);
    }
    if plan.iter().any(|other| std::ptr::eq(*other, case)) {
        return Ok(());
    }
    above.push(case);
    for given in case
        .example
        .given
        .iter()
        .filter_map(|given| find(cases, given))
    {
        follow(cases, given, above, plan)?;
    }
    above.pop();
    plan.push(case);
    Ok(())
}

fn find<'c>(cases: &'c [Case], given: &Given) -> Option<&'c Case> {
    cases
        .iter()
        .find(|case| case.operation == given.operation && case.example.name == given.case)
}
