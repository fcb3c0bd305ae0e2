//! A server under abuse: requests made from the document at random, right and wrong, from many clients
//! at once. It has to answer each of them, as the document says, and to lose nothing.
//!
//! `SADDLEBAG_RANDOM_REQUESTS` says how many (default 5,000), `SADDLEBAG_RANDOM_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod body;
mod found;
mod generate;
mod heard;
mod kept;
mod pool;
mod run;
#[path = "../api/server.rs"]
#[allow(dead_code, reason = "the tests of the API use more of it")]
mod server;
mod spare;
mod wire;

use crate::generate::Generator;
use crate::heard::Heard;
use crate::kept::Kept;
use crate::pool::{CLAIMED, Pool};
use crate::server::TestServer;
use saddlebag::http::contract::document::Document;
use saddlebag_client::operations::Operation;
use saddlebag_client::types;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Operations that hardly succeed: unless a driver hangs, what was begun has ended; a search names a
/// kind of thing; events are not asked for; nobody guesses which key of secrets is out of use.
const HARDLY_SUCCEED: [&str; 8] = [
    "abandon_operation",
    "fuzzy_search",
    "fuzzy_search_by_post",
    "remove_root_key",
    "retry_operation",
    "search",
    "search_by_post",
    "stream_events",
];

/// The tags of operations that say that access control is off, which it is here, so that each caller may do
/// everything, and of those that only a server for tests has.
const OFF: [&str; 2] = ["acl", "testing"];

/// From so many requests on, each operation has to have succeeded at least once; otherwise the
/// requests are not what they should be.
const ENOUGH: u64 = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_is_answered_and_nothing_is_lost() {
    let count = from_environment("SADDLEBAG_RANDOM_REQUESTS").unwrap_or(5_000);
    let seed = from_environment("SADDLEBAG_RANDOM_SEED").unwrap_or_else(rand::random);
    println!("SADDLEBAG_RANDOM_REQUESTS={count} SADDLEBAG_RANDOM_SEED={seed}");

    let heard = Heard::listen();
    let mut server = TestServer::start_with(|config| {
        config.builtin_driver = true;
        config.namespaces = vec![saddlebag::id::Namespace::parse("prod").unwrap()];
    })
    .await;
    let kept = Kept::create(&server).await;
    let mut never_named: Vec<String> = kept.external_ids().collect();
    for id in CLAIMED {
        never_named.push(server.create(id).await.external_id);
    }

    let document = Document::parse(saddlebag_client::DOCUMENT).unwrap();
    let address = server.url.trim_start_matches("http://").to_owned();
    let generator = Generator::new(&document, &address, seed);
    let spare = spare::spare_node(&server).await;
    let pool = Pool::without(never_named, spare);
    let began = Instant::now();
    let report = run::run(&generator, &pool, &address, count).await;
    let took = began.elapsed();
    println!("{report}\n{count} requests in {took:.1?}");

    let mut problems = vec![report.failures()];
    problems.extend(heard.take());
    problems.extend(summary(server.take_violations()));
    problems.retain(|problem| !problem.is_empty());
    assert!(problems.is_empty(), "seed {seed}:\n{}", problems.join("\n"));
    if count >= ENOUGH {
        let operations = Operation::ALL
            .iter()
            .filter(|operation| !OFF.contains(&operation.tag()))
            .map(|operation| operation.id().to_owned());
        let mut never = report.never_done(operations);
        never.retain(|operation| !HARDLY_SUCCEED.contains(&operation.as_str()));
        assert!(
            never.is_empty(),
            "seed {seed}: these never succeeded: {never:?}"
        );
    }

    server
        .until("every operation to end", |state| {
            state.under_way().count() == 0
        })
        .await;
    spare::end_fences(&server).await;
    spare::release_all(&server).await;
    kept.assert_unchanged(&server).await;
    let listed = assert_whole(&server).await;
    server.create("afterwards").await;
    let delete = server.client.delete_volume().volume_id("afterwards");
    delete.send().await.unwrap();

    server.restart().await;
    server.all_healthy().await;
    kept.assert_unchanged(&server).await;
    assert_eq!(assert_whole(&server).await, listed);
    assert_eq!(heard.take(), Vec::<String>::new());
}

/// Every volume that is listed can be read and is at the driver. Answers with all of them.
async fn assert_whole(server: &TestServer) -> BTreeMap<(String, String), types::VolumeStub> {
    let at_driver = external_ids(server).await;
    let list = server.client.list_volumes().type_("csi").namespace("*");
    let listed = list.send().await.unwrap().into_inner();
    for stub in &listed {
        let read = server.client.read_volume().volume_id(&stub.id);
        let read = read.namespace(&stub.namespace).send().await.unwrap();
        assert_eq!(read.external_id, stub.external_id, "{}", stub.id);
        assert!(at_driver.contains(&stub.external_id), "{} is lost", stub.id);
    }
    let named = |stub: types::VolumeStub| ((stub.namespace.clone(), stub.id.clone()), stub);
    listed.into_iter().map(named).collect()
}

/// Every ExternalID that the driver lists, page by page.
async fn external_ids(server: &TestServer) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut token = String::new();
    loop {
        let list = server.client.list_external_volumes().plugin_id("local");
        let list = list.per_page(100).next_token(&token);
        let page = list.send().await.unwrap().into_inner();
        all.extend(
            page.volumes
                .into_iter()
                .flatten()
                .map(|volume| volume.external_id),
        );
        token = page.next_token;
        if token.is_empty() {
            return all;
        }
    }
}

/// One line for each kind of violation, with how often it was seen.
fn summary(violations: Vec<saddlebag::http::contract::truth::Violation>) -> Vec<String> {
    let mut kinds: BTreeMap<(String, String), (u64, String)> = BTreeMap::new();
    for violation in violations {
        let first = violation.to_string();
        let kind = (violation.operation, violation.place);
        kinds.entry(kind).or_insert((0, first)).0 += 1;
    }
    let told = kinds.into_values();
    told.map(|(count, first)| format!("against the document, {count} times: {first}"))
        .collect()
}

fn from_environment(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {value}")),
    )
}
