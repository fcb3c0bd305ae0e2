//! Check 4 of the contract: what the document shows is what happens.
//!
//! Every case below `x-examples` runs on a server of its own, after the cases that it is given.

use crate::server::{PATIENCE, TestServer};
use crate::world::World;
use bytes::Bytes;
use futures::StreamExt;
use regex::Regex;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use saddlebag::http::contract::document::Document;
use saddlebag::http::contract::examples::{
    Answers, Case, Unable, cases, failures, judge, plan, shown, uncovered, unshown,
};
use saddlebag::http::contract::validator::Problem;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use tokio::time::Instant;

/// How many servers run at once.
const SIDE_BY_SIDE: usize = 8;

/// Operations that cannot fail. There is none: any may be asked for by a foreign web page.
const UNABLE_TO_FAIL: [(&str, &str); 0] = [];

/// Codes of failures that the document shows and no case can bring about, and why.
const UNABLE_TO_HAPPEN: [(&str, &str); 6] = [
    ("too_many_requests", "it takes a thousand requests at once"),
    ("request_timeout", "it takes 30 s"),
    (
        "body_too_large",
        "a body of 1 MiB does not belong into a document",
    ),
    ("internal", "it takes a defect"),
    ("store_unavailable", "it takes a broken store"),
    ("operation_abandoned", "it takes two clients at once"),
];

/// Statuses that no case can bring about, and why.
const UNABLE_TO_BE_SHOWN: [Unable<'static>; 5] = [
    Unable {
        status: "429",
        operations: &[],
        reason: "it takes a thousand requests at once",
    },
    Unable {
        status: "500",
        operations: &[],
        reason: "it takes a defect; what `set_faults` asks for is another answer, `injected_fault`",
    },
    Unable {
        status: "408",
        operations: &[],
        reason: "it takes 30 s",
    },
    Unable {
        status: "413",
        operations: &[],
        reason: "a body of 1 MiB does not belong into a document",
    },
    Unable {
        status: "503",
        operations: &[
            "abandon_operation",
            "apply_namespace",
            "apply_namespace_by_post",
            "apply_policy",
            "apply_policy_by_post",
            "bootstrap_acl",
            "bootstrap_acl_by_post",
            "create_namespace",
            "create_namespace_by_post",
            "create_role",
            "create_role_by_post",
            "create_token",
            "create_token_by_post",
            "delete_namespace",
            "delete_policy",
            "delete_role",
            "delete_token",
            "deregister_volume",
            "fence_node",
            "release_claim",
            "remove_root_key",
            "reset",
            "retry_claims",
            "retry_operation",
            "rotate_root_key",
            "unfence_node",
            "update_role",
            "update_role_by_post",
            "update_token",
            "update_token_by_post",
        ],
        reason: "it takes a broken store",
    },
];

fn document() -> Document {
    Document::parse(saddlebag_client::DOCUMENT).unwrap()
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn all() -> Vec<Case> {
    cases(&document()).unwrap_or_else(|problems| panic!("{}", lines(&problems)))
}

/// What became of a case: the answer to it, or why it is not as shown.
type Outcome = Result<Value, String>;

/// What became of all of them, run once for all tests here.
static OUTCOMES: LazyLock<Vec<Outcome>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run_all(Arc::new(all())))
});

async fn run_all(cases: Arc<Vec<Case>>) -> Vec<Outcome> {
    let runs = futures::stream::iter(0..cases.len()).map(|number| {
        let cases = Arc::clone(&cases);
        async move {
            let name = cases[number].to_string();
            let run = tokio::spawn(async move { run(&cases, &cases[number]).await });
            run.await
                .unwrap_or_else(|defect| Err(format!("{name}: {defect}")))
        }
    });
    runs.buffered(SIDE_BY_SIDE).collect().await
}

/// Runs one case with what it is given.
async fn run(cases: &[Case], case: &Case) -> Outcome {
    let plan = plan(cases, case);
    let mut world = World::of(&plan).await;
    let mut outcome = Ok(Value::Null);
    let mut answers = Answers::default();
    for step in plan {
        world.prepare(step).await;
        outcome = send(&world.server, step, &mut answers).await;
        if let Err(problem) = &mut outcome {
            if !std::ptr::eq(step, case) {
                *problem = format!("{case}: given {problem}");
            }
            break;
        }
    }
    world.end().await;
    match world.server.take_violations().first() {
        Some(first) if outcome.is_ok() => {
            Err(format!("{case}: the wire broke the document: {first}"))
        }
        _ => outcome,
    }
}

/// Sends one case as a client that accepts JSON, unless the case itself says what it accepts. An
/// outcome that is not there yet is waited for as the document says: by the same request again.
async fn send(server: &TestServer, case: &Case, answers: &mut Answers) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let exchange = tokio::time::timeout_at(deadline, exchange(server, case, answers));
        let (status, headers, body) =
            exchange.await.map_err(|_| format!("{case}: no answer"))??;
        if status == StatusCode::GATEWAY_TIMEOUT && is_too_early(case, &body) {
            continue;
        }
        judge(case, answers, status, &headers, &body)?;
        return Ok(serde_json::from_slice(&body).unwrap_or_default());
    }
}

/// Whether a wait was over before what the case shows could happen, as on a slow machine: before the
/// end of the work, or before the driver's first answer.
fn is_too_early(case: &Case, body: &[u8]) -> bool {
    let unanswered = "the driver has not answered yet";
    let shown = case.example.message.as_deref();
    case.example.status != 504
        || shown.is_some_and(|shown| {
            !shown.contains(unanswered) && String::from_utf8_lossy(body).contains(unanswered)
        })
}

async fn exchange(
    server: &TestServer,
    case: &Case,
    answers: &Answers,
) -> Result<(StatusCode, HeaderMap, Bytes), String> {
    let mut request = case.request(&server.url, answers)?;
    let headers = request.headers_mut();
    if !headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    let failed = |error: reqwest::Error| format!("{case}: {error}");
    let request = reqwest::Request::try_from(request).map_err(failed)?;
    let response = server.http.execute(request).await.map_err(failed)?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok((status, headers, response.bytes().await.map_err(failed)?))
}

#[test]
fn every_status_of_every_operation_is_shown_or_cannot_be() {
    let unshown = unshown(&document(), &all(), &UNABLE_TO_BE_SHOWN);
    assert!(unshown.is_empty(), "{}", lines(&unshown));
}

#[test]
fn every_case_of_the_document_is_answered_as_it_shows() {
    let failures: Vec<&String> = OUTCOMES.iter().filter_map(|it| it.as_ref().err()).collect();
    let list = failures.iter().map(|failure| format!("\n{failure}"));
    let (failed, all) = (failures.len(), OUTCOMES.len());
    assert_eq!(
        failed,
        0,
        "{failed} of {all} cases:{}",
        list.collect::<String>()
    );
}

#[test]
fn every_failure_that_the_document_shows_is_the_answer_to_a_case() {
    let answers: Vec<Value> = OUTCOMES.iter().flatten().map(without_uuids).collect();
    let document = document();
    let mut unable: BTreeSet<&str> = UNABLE_TO_HAPPEN.iter().map(|(code, _)| *code).collect();
    let mut problems = vec![];
    for (place, shown) in failures(&document) {
        let code = shown["code"].as_str().unwrap();
        let happened = answers.contains(&without_uuids(shown));
        let is_excused = UNABLE_TO_HAPPEN.iter().any(|(known, _)| *known == code);
        if happened == is_excused {
            problems.push(match happened {
                true => format!("{place}: `{code}` is listed as unable to happen, yet it did"),
                false => format!("{place}: no case is answered {shown}"),
            });
        }
        unable.remove(code);
    }
    problems.extend(
        unable
            .iter()
            .map(|code| format!("`{code}` is shown nowhere")),
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The same value with the ids that a server or its driver made up alike.
fn without_uuids(value: &Value) -> Value {
    static UUID: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}").unwrap());
    let alike = UUID.replace_all(&value.to_string(), "UUID").into_owned();
    serde_json::from_str(&alike).unwrap()
}

#[test]
fn every_operation_is_shown_to_succeed_and_to_fail() {
    let problems = uncovered(&document(), &all(), &UNABLE_TO_FAIL);
    assert!(problems.is_empty(), "{}", lines(&problems));
}

#[test]
fn every_value_that_the_document_shows_is_of_its_schema() {
    let problems = shown(&document());
    assert!(problems.is_empty(), "{}", lines(&problems));
}
