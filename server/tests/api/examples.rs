//! Check 4 of the contract: what the document shows is what happens.
//!
//! Every case below `x-examples` runs on a server of its own, after the cases that it is given.

use crate::scripted_driver::{Reply, ScriptedDriver, controller_capabilities};
use crate::server::{PATIENCE, TestServer};
use futures::StreamExt;
use reqwest::header::{ACCEPT, HeaderValue};
use saddlebag::config::{Launch, PluginConfig};
use saddlebag::csi::{self, Call};
use saddlebag::http::contract::document::Document;
use saddlebag::http::contract::examples::{
    Answers, Case, Driver, cases, judge, plan, shown, uncovered,
};
use saddlebag::http::contract::validator::Problem;
use saddlebag::id::PluginId;
use saddlebag::plugin::PluginType;
use std::sync::Arc;

/// How many servers run at once.
const SIDE_BY_SIDE: usize = 4;

/// Operations that cannot fail. There is none: any may be asked for by a foreign web page.
const UNABLE_TO_FAIL: [(&str, &str); 0] = [];

/// What a driver is asked about volumes and snapshots.
const REFUSED: [Call; 8] = [
    Call::CreateVolume,
    Call::DeleteVolume,
    Call::ControllerExpandVolume,
    Call::ValidateVolumeCapabilities,
    Call::ListVolumes,
    Call::CreateSnapshot,
    Call::DeleteSnapshot,
    Call::ListSnapshots,
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
    let plan = plan(cases, case);
    let mut world = World::of(&plan).await;
    let mut outcome = Ok(());
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
    world.server.stop().await;
    let violations = world.server.violations();
    outcome?;
    match violations.first() {
        None => Ok(()),
        Some(first) => Err(format!("{case}: the wire broke the document: {first}")),
    }
}

/// A server, and the driver of its plugin where that is not the built-in one.
struct World {
    server: TestServer,
    driver: Option<ScriptedDriver>,
}

impl World {
    async fn of(plan: &[&Case]) -> Self {
        let mut asked = plan.iter().filter_map(|case| case.example.driver.as_ref());
        let Some(first) = asked.next() else {
            let server = TestServer::start().await;
            return Self {
                server,
                driver: None,
            };
        };
        let driver = ScriptedDriver::start();
        for announced in [first].into_iter().chain(asked) {
            if let Driver::Announces(names) = announced {
                let answer = controller_capabilities(&numbers(names));
                driver.always(Call::ControllerGetCapabilities, Reply::answer(answer));
            }
        }
        let plugin = PluginConfig {
            plugin: PluginId::known("local"),
            kind: PluginType::Monolith,
            launch: Launch::Listening(driver.endpoint()),
        };
        Self {
            server: TestServer::start_with(|config| config.plugins = vec![plugin]).await,
            driver: Some(driver),
        }
    }

    /// Lets the driver do what a case wants of it.
    async fn prepare(&mut self, case: &Case) {
        let (Some(driver), Some(wanted)) = (&mut self.driver, &case.example.driver) else {
            return;
        };
        match wanted {
            Driver::Announces(_) => {}
            Driver::Refuses { code, message } => {
                let reply = Reply::refuse(grpc(*code), message);
                REFUSED.map(|call| driver.always(call, reply.clone()));
            }
            Driver::Gone => {
                driver.leave();
                let is_noticed = |state: &saddlebag::state::State| {
                    let mut plugins = state.plugins();
                    plugins.all(|plugin| plugin.health().controllers_healthy == 0)
                };
                self.server
                    .until("the driver to be missed", is_noticed)
                    .await;
            }
        }
    }
}

/// The numbers of controller capabilities.
fn numbers(names: &[String]) -> Vec<i32> {
    use csi::v1::controller_service_capability::rpc::Type;
    let number = |name: &String| match Type::from_str_name(name) {
        Some(capability) => capability as i32,
        None => panic!("{name} is no controller capability of CSI"),
    };
    names.iter().map(number).collect()
}

/// gRPC's code of a name.
fn grpc(code: csi::Code) -> tonic::Code {
    let all = (1..=16).map(tonic::Code::from);
    let name = |code: &tonic::Code| format!("{code:?}").replace("Cancelled", "Canceled");
    all.into_iter()
        .find(|known| name(known) == format!("{code:?}"))
        .unwrap()
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
