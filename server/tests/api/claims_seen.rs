//! How claims are seen: on volumes, in lists, and by who waits.

use crate::claiming::{alloc, by, index_of};
use crate::driven::{Driven, NOT_AT_ALL};
use crate::scripted_driver::Reply;
use crate::server::{PATIENCE, refusal};
use saddlebag::csi::Call;
use serde_json::json;
use std::time::Duration;
use tonic::Code;

/// A wait that nothing ends but its time.
const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_volume_shows_its_claims_as_nomads_clients_expect() {
    let driven = Driven::start().await;
    driven
        .register_for("db", &["multi-node-multi-writer"])
        .await;
    let server = &driven.server;
    let writer = by("writer", json!({"Name": "pg.db[0]", "JobID": "pg"}));
    server.put_claim("db", writer).await.unwrap();
    let reader = by("reader", json!({"ReadOnly": true}));
    server.put_claim("db", reader).await.unwrap();

    let volume = server.read("db").await.unwrap();
    assert_eq!(volume.access_mode, "multi-node-multi-writer");
    assert_eq!(volume.attachment_mode, "file-system");
    let readers: Vec<&String> = volume.read_allocs.keys().collect();
    let writers: Vec<&String> = volume.write_allocs.keys().collect();
    assert_eq!(
        (readers, writers),
        (vec![&alloc("reader")], vec![&alloc("writer")])
    );
    assert!(volume.write_allocs.values().all(Option::is_none));
    let ids: Vec<&str> = volume.allocations.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(
        ids,
        [alloc("reader"), alloc("writer")],
        "readers come first"
    );
    let shown = &volume.allocations[1];
    assert_eq!(
        (shown.name.as_str(), shown.job_id.as_str()),
        ("pg.db[0]", "pg")
    );
    assert_eq!(
        (shown.client_status.as_str(), shown.desired_status.as_str()),
        ("running", "run")
    );
    let node = server.control_plane.node.as_str();
    let name = &server
        .control_plane
        .state()
        .nodes()
        .next()
        .unwrap()
        .row
        .name
        .clone();
    assert_eq!((shown.node_id.as_str(), &shown.node_name), (node, name));
    assert_eq!(shown.namespace, "default");
    let claim = server.get_claim("db", "writer").await.unwrap();
    assert_eq!(shown.create_index, claim.create_index);

    let list = server.client.list_volumes().type_("csi");
    let listed = list.send().await.unwrap().into_inner();
    assert_eq!(
        (listed[0].current_readers, listed[0].current_writers),
        (1, 1)
    );
    assert_eq!(listed[0].access_mode, "multi-node-multi-writer");
}

/// Conformance case 61: what Nomad shows as a past claim is here a claim whose release was asked.
/// Conformance case 64.
#[tokio::test]
async fn a_claim_that_is_being_released_is_still_shown_and_says_so() {
    let driven = Driven::start().await;
    driven
        .register_for("db", &["multi-node-multi-writer"])
        .await;
    let server = &driven.server;
    let reader = by("reader", json!({"ReadOnly": true}));
    server.put_claim("db", reader).await.unwrap();
    let held = driven.hold(Call::NodeUnpublishVolume);
    server
        .delete_claim_within("db", "reader", NOT_AT_ALL)
        .await
        .unwrap();
    let volume = server.read("db").await.unwrap();
    assert_eq!(volume.read_allocs.len(), 1);
    let [shown] = volume.allocations.as_slice() else {
        panic!("{:?}", volume.allocations)
    };
    assert_eq!(
        (shown.client_status.as_str(), shown.desired_status.as_str()),
        ("complete", "stop")
    );
    held.go_on();
    server
        .claim_that("db", "reader", |claim| claim.state == "gone")
        .await;
    let volume = server.read("db").await.unwrap();
    assert_eq!((volume.read_allocs.len(), volume.allocations.len()), (0, 0));
}

/// Weakness W19.
#[tokio::test]
async fn volumes_are_listed_by_the_nodes_that_they_are_claimed_on() {
    let driven = Driven::start().await;
    for id in ["db", "web", "idle"] {
        driven.register_for(id, &["single-node-writer"]).await;
    }
    let server = &driven.server;
    let there = server.second_node().await;
    let here = server.control_plane.node.to_string();
    for (volume, node) in [("db", &here), ("web", &there)] {
        let body = by(volume, json!({"NodeID": node}));
        server
            .put_claim_within(volume, body, NOT_AT_ALL)
            .await
            .unwrap();
    }
    for (prefix, expected) in [
        (here.clone(), vec!["db"]),
        (there[..5].to_owned(), vec!["web"]),
        (there.to_uppercase(), vec!["web"]),
        ("zz".to_owned(), vec![]),
    ] {
        let list = server.client.list_volumes().type_("csi").node_id(&prefix);
        let listed = list.send().await.unwrap();
        let ids: Vec<&str> = listed.iter().map(|volume| volume.id.as_str()).collect();
        assert_eq!(ids, expected, "{prefix}");
    }
}

#[tokio::test]
async fn claims_are_listed_in_pages_by_state_and_after_their_end_for_an_hour() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let server = &driven.server;
    let mut all = Vec::new();
    for name in ["a", "b", "c", "d"] {
        all.push(
            server
                .put_claim("db", by(name, json!({})))
                .await
                .unwrap()
                .allocation_id,
        );
    }
    all.sort();
    server.delete_claim("db", "c").await.unwrap();
    let states = |state: &'static str| async move {
        let list = server.client.list_claims().volume_id("db").state(state);
        let listed = list.send().await.unwrap();
        listed
            .iter()
            .map(|claim| claim.allocation_id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(states("gone").await, [alloc("c")]);
    assert_eq!(states("published").await.len(), 3);

    let mut listed = Vec::new();
    let mut token = String::new();
    loop {
        let list = server.client.list_claims().volume_id("db").per_page(3);
        let page = list.next_token(&token).send().await.unwrap();
        listed.extend(page.iter().map(|claim| claim.allocation_id.clone()));
        match page.headers().get("x-nomad-nexttoken") {
            Some(next) => token = next.to_str().unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(listed, all);

    server.clock.advance(jiff::SignedDuration::from_mins(61));
    saddlebag::work::expiry::sweep(&server.control_plane)
        .await
        .unwrap();
    assert_eq!(server.get_claims("db").await.unwrap().len(), 3);
    assert_eq!(refusal(server.get_claim("db", "c").await).0, 404);
}

#[tokio::test]
async fn the_claims_of_a_volume_that_never_was_are_not_found() {
    let driven = Driven::start().await;
    let (status, error) = refusal(driven.server.get_claims("nope").await);
    assert_eq!((status, error.code.as_str()), (404, "volume_not_found"));
    driven.register_for("db", &["single-node-writer"]).await;
    assert_eq!(driven.server.get_claims("db").await.unwrap(), []);
}

#[tokio::test]
async fn who_waits_for_the_claims_of_a_volume_is_woken_by_each_change() {
    let driven = Driven::start().await;
    for id in ["db", "other"] {
        driven.register_for(id, &["single-node-writer"]).await;
    }
    let server = &driven.server;
    let list = |index: u64, wait: Duration| {
        let list = server.client.list_claims().volume_id("db");
        list.index(index).wait(wait).send()
    };
    let index = index_of(&list(0, SHORT).await.unwrap());
    assert!(index > 0, "from 0 nobody would wait");
    let waiting = list(index, PATIENCE);
    let claim = server.put_claim("db", by("a", json!({})));
    let (woken, claim) = tokio::join!(waiting, claim);
    claim.unwrap();
    let woken = woken.unwrap();
    assert_eq!(woken.len(), 1);
    assert!(index_of(&woken) > index);

    server
        .claim_that("db", "a", |claim| claim.state == "published")
        .await;
    let index = index_of(&list(0, SHORT).await.unwrap());
    let claimed = server.put_claim("other", by("b", json!({}))).await;
    claimed.unwrap();
    let newer = index_of(&list(0, SHORT).await.unwrap());
    assert!(newer > index);
    let slept = list(newer, SHORT).await.unwrap();
    assert_eq!(index_of(&slept), newer, "nothing of it changed");
}

/// Conformance case 77: each try is seen at the claim itself.
#[tokio::test]
async fn who_waits_for_a_claim_sees_each_try_and_who_waits_for_its_volume_does_not() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let server = &driven.server;
    let away = Reply::refuse(Code::Unavailable, "away");
    driven.driver.always(Call::ControllerPublishVolume, away);
    let body = by("a", json!({}));
    server
        .put_claim_within("db", body, NOT_AT_ALL)
        .await
        .unwrap();
    let once = server
        .claim_that("db", "a", |claim| claim.attempts == 1)
        .await;
    let volume = server.client.read_volume().volume_id("db").send().await;
    let index = index_of(&volume.unwrap());
    server
        .client
        .retry_claims()
        .volume_id("db")
        .send()
        .await
        .unwrap();
    let twice = server
        .claim_that("db", "a", |claim| claim.attempts == 2)
        .await;
    assert!(twice.modify_index > once.modify_index);
    let read = server.client.read_volume().volume_id("db").index(index);
    let slept = read.wait(SHORT).send().await.unwrap();
    assert_eq!(index_of(&slept), index, "a try is no change of the volume");
}
