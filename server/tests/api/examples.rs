//! Check 4 of the contract: what the document shows is what happens.
//!
//! Every case below `x-examples` runs on a server of its own, after the cases that it is given.

use crate::server::{PATIENCE, TestServer};
use futures::StreamExt;
use reqwest::header::{ACCEPT, HeaderValue};
use saddlebag::http::contract::document::Document;
use saddlebag::http::contract::examples::{Answers, Case, cases, judge, plan, shown, uncovered};
use saddlebag::http::contract::validator::Problem;
use std::sync::Arc;

/// How many servers run at once.
const SIDE_BY_SIDE: usize = 4;

/// Operations that cannot fail while access control is off and a server answers at all.
const UNABLE_TO_FAIL: [(&str, &str); 0] = [];

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

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_the_document_is_answered_as_it_shows() {
    let cases = Arc::new(all());
    let runs = futures::stream::iter(0..cases.len()).map(|number| {
        let cases = Arc::clone(&cases);
        async move {
            let name = cases[number].to_string();
            let run = tokio::spawn(async move { run(&cases, &cases[number]).await });
            match run.await {
                Ok(outcome) => outcome.err(),
                Err(defect) => Some(format!("{name}: {defect}")),
            }
        }
    });
    let outcomes: Vec<Option<String>> = runs.buffered(SIDE_BY_SIDE).collect().await;
    let failures: Vec<String> = outcomes.into_iter().flatten().collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

/// Runs one case with what it is given.
async fn run(cases: &[Case], case: &Case) -> Result<(), String> {
    let mut server = TestServer::start().await;
    let mut outcome = Ok(());
    let mut answers = Answers::default();
    for step in plan(cases, case) {
        outcome = send(&server, step, &mut answers).await;
        if let Err(problem) = &mut outcome {
            if !std::ptr::eq(step, case) {
                *problem = format!("{case}: given {problem}");
            }
            break;
        }
    }
    server.stop().await;
    let violations = server.violations();
    outcome?;
    match violations.first() {
        None => Ok(()),
        Some(first) => Err(format!("{case}: the wire broke the document: {first}")),
    }
}

/// Sends one case as a client that accepts JSON, unless the case itself says what it accepts.
async fn send(server: &TestServer, case: &Case, answers: &mut Answers) -> Result<(), String> {
    let mut request = case.request(&server.url, answers)?;
    let headers = request.headers_mut();
    if !headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    let request =
        reqwest::Request::try_from(request).map_err(|error| format!("{case}: {error}"))?;
    let exchange = async {
        let response = server.http.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok::<_, reqwest::Error>((status, headers, response.bytes().await?))
    };
    let (status, headers, body) = tokio::time::timeout(PATIENCE, exchange)
        .await
        .map_err(|_| format!("{case}: no answer"))?
        .map_err(|error| format!("{case}: {error}"))?;
    judge(case, answers, status, &headers, &body)
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
