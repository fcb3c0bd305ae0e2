//! Claims over HTTP: taking them, and taking them again.

use crate::claiming::{alloc, by};
use crate::driven::{Driven, NOT_AT_ALL, key};
use crate::scripted_driver::Reply;
use crate::server::{TestServer, refusal};
use saddlebag::csi::Call;
use serde_json::json;
use std::time::Duration;
use tonic::Code;

#[tokio::test]
async fn a_claim_tells_where_the_volume_is_and_a_release_takes_it_away() {
    let server = TestServer::start().await;
    server.create("data").await;
    let claim = server.put_claim("data", by("a", json!({}))).await.unwrap();
    assert_eq!(claim.allocation_id, alloc("a"));
    assert_eq!(
        (claim.state.as_str(), claim.step.as_str()),
        ("published", "")
    );
    assert_eq!(
        (claim.volume_id.as_str(), claim.plugin_id.as_str()),
        ("data", "local")
    );
    assert_eq!(claim.node_id, server.control_plane.node.as_str());
    assert_eq!(
        (claim.last_error, claim.next_try, claim.waits_for),
        (None, None, None)
    );
    let path = std::path::Path::new(&claim.target_path);
    std::fs::write(path.join("note"), "kept").unwrap();

    let gone = server.delete_claim("data", "a").await.unwrap();
    assert_eq!((gone.state.as_str(), gone.step.as_str()), ("gone", ""));
    assert!(gone.release_time.is_some());
    assert!(!path.exists());
    let again = server.put_claim("data", by("b", json!({}))).await.unwrap();
    let note = std::path::Path::new(&again.target_path).join("note");
    assert_eq!(std::fs::read_to_string(note).unwrap(), "kept");
}

#[tokio::test]
async fn the_same_request_again_is_the_same_claim() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let server = &driven.server;
    let body = by("a", json!({"Name": "web", "ReadOnly": false}));
    let first = server.put_claim("db", body.clone()).await.unwrap();
    let calls = driven.driver.calls();
    let again = server.put_claim("db", body).await.unwrap();
    assert_eq!(again, first);
    let spelt = json!({"AllocationID": alloc("a").to_uppercase(), "Name": "web"});
    let spelt = server.put_claim("db", spelt).await.unwrap();
    assert_eq!(spelt, first);
    let here = json!({"AllocationID": alloc("a"), "Name": "web", "NodeID": first.node_id});
    assert_eq!(server.put_claim("db", here).await.unwrap(), first);
    assert_eq!(driven.driver.calls(), calls, "the driver was asked once");
}

#[tokio::test]
async fn without_an_allocation_each_request_is_another_claim() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let one = driven.server.put_claim("db", json!({})).await.unwrap();
    let other = driven.server.put_claim("db", json!({})).await.unwrap();
    assert_ne!(one.allocation_id, other.allocation_id);
    assert_ne!(one.target_path, other.target_path);
    assert_eq!(driven.server.get_claims("db").await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_allocation_stands_for_one_request_even_when_its_claim_has_ended() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let server = &driven.server;
    let conflict = async |body| {
        let (status, error) = refusal(server.put_claim("db", body).await);
        assert_eq!(
            (status, error.code.as_str()),
            (409, "claim_conflict"),
            "{error:?}"
        );
        assert_eq!(error.claim, Some(alloc("a")));
        assert_eq!(error.volume.as_deref(), Some("db"));
    };
    server
        .put_claim("db", by("a", json!({"JobID": "x"})))
        .await
        .unwrap();
    for other in [
        json!({"JobID": "y"}),
        json!({"JobID": "x", "ReadOnly": true}),
        json!({"JobID": "x", "OnReboot": "release"}),
        json!({"JobID": "x", "MountOptions": {"FSType": "xfs"}}),
    ] {
        conflict(by("a", other)).await;
    }
    server.delete_claim("db", "a").await.unwrap();
    conflict(by("a", json!({"JobID": "x"}))).await;
}

#[tokio::test]
async fn everything_that_makes_no_sense_is_said_at_once() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let body = json!({
        "AllocationID": "web",
        "AccessMode": "everybody",
        "AttachmentMode": "tape",
        "OnReboot": "forget",
    });
    let (status, error) = refusal(driven.server.put_claim("db", body).await);
    assert_eq!((status, error.code.as_str()), (400, "invalid_request"));
    assert_eq!(
        error.message,
        "validation: AllocationID \"web\" is no UUID, unknown volume access mode: everybody, \
         unknown volume attachment mode: tape, OnReboot \"forget\" has to be `republish` or `release`"
    );
    assert_eq!(driven.server.get_claims("db").await.unwrap(), []);
}

#[tokio::test]
async fn a_claim_that_is_not_waited_for_goes_on_and_can_be_followed() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let held = driven.hold(Call::ControllerPublishVolume);
    let body = by("a", json!({}));
    let server = &driven.server;
    let taken = server
        .put_claim_within("db", body.clone(), NOT_AT_ALL)
        .await;
    let taken = taken.unwrap();
    assert_eq!(
        (taken.state.as_str(), taken.step.as_str()),
        ("taken", "attach")
    );
    assert_eq!(
        taken.waits_for.as_deref(),
        Some("the answer of plugin \"scripted\"")
    );
    driven.driver.asked(Call::ControllerPublishVolume, 1).await;
    let after_a_while = Duration::from_millis(50);
    let taken = server.put_claim_within("db", body, after_a_while).await;
    assert_eq!(taken.unwrap().state, "taken");
    let following = server.claim_that("db", "a", |claim| claim.state == "published");
    let ((), published) = tokio::join!(async { held.go_on() }, following);
    assert_eq!(published.step, "");
    assert_eq!(
        driven
            .driver
            .calls()
            .iter()
            .filter(|call| **call == Call::ControllerPublishVolume)
            .count(),
        1
    );
}

/// Conformance case 54.
#[tokio::test]
async fn what_is_not_there_cannot_be_claimed() {
    let driven = Driven::start().await;
    let server = &driven.server;
    let (status, error) = refusal(server.put_claim("nope", json!({})).await);
    assert_eq!((status, error.code.as_str()), (404, "volume_not_found"));
    assert_eq!(error.message, "volume not found: nope");
    driven.register_for("db", &["single-node-writer"]).await;
    let elsewhere = json!({"NodeID": alloc("no node")});
    let (status, error) = refusal(server.put_claim("db", elsewhere).await);
    assert_eq!((status, error.code.as_str()), (404, "node_not_found"));
    let claim = server
        .client
        .claim_volume()
        .volume_id("db")
        .namespace("other");
    let (status, _) = refusal(
        claim
            .body(crate::claiming::described(json!({})))
            .send()
            .await,
    );
    assert_eq!(status, 404);
}

/// Conformance case 60: while the controller cannot be reached, the claim is kept, with Nomad's text;
/// its token and secret, as far as there is access control, stand with access control.
#[tokio::test]
async fn a_claim_whose_controller_cannot_be_reached_is_kept_and_says_so() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let away = Reply::refuse(Code::Unavailable, "the array restarts");
    driven.driver.always(Call::ControllerPublishVolume, away);
    let server = &driven.server;
    server
        .put_claim_within("db", by("a", json!({})), NOT_AT_ALL)
        .await
        .unwrap();
    let waiting = server
        .claim_that("db", "a", |claim| claim.last_error.is_some())
        .await;
    assert_eq!(
        (waiting.state.as_str(), waiting.step.as_str()),
        ("taken", "attach")
    );
    assert_eq!(
        waiting.last_error.as_deref(),
        Some(
            "controller publish: controller attach volume: CSI.ControllerAttachVolume: \
             rpc error: code = Unavailable desc = the array restarts"
        )
    );
    assert_eq!(waiting.last_error_code.as_deref(), Some("Unavailable"));
    assert_eq!(waiting.attempts, 1);
    let next_try = waiting.next_try.unwrap();
    assert_eq!(
        waiting.waits_for,
        Some(format!("the next try, at {next_try}"))
    );
    assert_eq!(server.read("db").await.unwrap().write_allocs.len(), 1);

    driven.driver.as_usual(Call::ControllerPublishVolume);
    let retry = server.client.retry_claims().volume_id("db");
    retry.send().await.unwrap();
    let published = server
        .claim_that("db", "a", |claim| claim.state == "published")
        .await;
    assert_eq!((published.last_error, published.attempts), (None, 0));
}

/// Conformance case 81, of the server's part: what cannot be had is refused, and may be tried again;
/// an unmount that fails is done again, by the server.
#[tokio::test]
async fn an_unmount_that_fails_is_done_again_until_it_is_done() {
    let driven = Driven::start().await;
    driven
        .register_for("db", &["single-node-single-writer"])
        .await;
    let server = &driven.server;
    server.put_claim("db", by("a", json!({}))).await.unwrap();
    let (status, error) = refusal(server.put_claim("db", by("b", json!({}))).await);
    assert_eq!((status, error.code.as_str()), (409, "claim_refused"));
    assert!(
        error.message.ends_with("volume max claims reached"),
        "{error:?}"
    );

    driven.refuse(Call::NodeUnpublishVolume, Code::Internal, "target is busy");
    server
        .delete_claim_within("db", "a", NOT_AT_ALL)
        .await
        .unwrap();
    let stuck = server
        .claim_that("db", "a", |claim| claim.last_error.is_some())
        .await;
    assert_eq!(
        (stuck.state.as_str(), stuck.step.as_str()),
        ("published", "unpublish")
    );
    assert!(stuck.release_time.is_some());
    assert!(stuck.last_error.unwrap().contains("target is busy"));
    assert_eq!(stuck.last_error_code.as_deref(), Some("Internal"));
    let found = server.client.doctor().send().await.unwrap().into_inner();
    let found: Vec<_> = found
        .findings
        .iter()
        .filter(|it| it.kind == "stuck-claim")
        .collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].allocation_id, Some(alloc("a")));
    assert!(found[0].remedy.contains("/fence?reason="), "{found:?}");
    let (status, _) = refusal(server.put_claim("db", by("b", json!({}))).await);
    assert_eq!(status, 409, "it is not free before it is unpublished");

    server
        .client
        .retry_claims()
        .volume_id("db")
        .send()
        .await
        .unwrap();
    server
        .claim_that("db", "a", |claim| claim.state == "gone")
        .await;
    let calls = driven.driver.calls();
    let unpublished = calls
        .iter()
        .filter(|call| **call == Call::NodeUnpublishVolume);
    assert_eq!(unpublished.count(), 2);
    server.put_claim("db", by("b", json!({}))).await.unwrap();
}

/// Conformance case 75, of what the driver says.
#[tokio::test]
async fn a_claim_that_its_driver_refuses_is_answered_with_that_and_stays_readable() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    driven.refuse(
        Call::NodeStageVolume,
        Code::InvalidArgument,
        "no such file system",
    );
    let server = &driven.server;
    let (status, error) = refusal(server.put_claim("db", by("a", json!({}))).await);
    assert_eq!((status, error.code.as_str()), (400, "driver_refused"));
    assert_eq!(error.claim, Some(alloc("a")));
    assert!(error.message.contains("no such file system"), "{error:?}");
    let failed = server
        .claim_that("db", "a", |claim| {
            claim.state == "failed" && claim.step.is_empty()
        })
        .await;
    assert_eq!(failed.last_error, Some(error.message));
    assert_eq!(failed.last_error_code.as_deref(), Some("InvalidArgument"));
    assert_eq!(server.read("db").await.unwrap().allocations, []);
    let released = server.delete_claim("db", "a").await.unwrap();
    assert_eq!(released.state, "failed", "there is nothing to release");
}

#[tokio::test]
async fn releasing_is_idempotent_and_what_never_was_is_not_found() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let server = &driven.server;
    server.put_claim("db", by("a", json!({}))).await.unwrap();
    let gone = server.delete_claim("db", "a").await.unwrap();
    assert_eq!(server.delete_claim("db", "a").await.unwrap(), gone);
    for (volume, name) in [("db", "b"), ("nope", "a")] {
        let (status, error) = refusal(server.delete_claim(volume, name).await);
        assert_eq!((status, error.code.as_str()), (404, "claim_not_found"));
        let (status, error) = refusal(server.get_claim(volume, name).await);
        assert_eq!((status, error.code.as_str()), (404, "claim_not_found"));
        assert_eq!(
            (error.volume.as_deref(), error.claim),
            (Some(volume), Some(alloc(name)))
        );
    }
    let state = server.control_plane.state();
    assert_eq!(state.claims(&key("db")).count(), 0);
}

#[tokio::test]
async fn mount_flags_are_never_shown() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let options = json!({"MountOptions": {"FSType": "cifs", "MountFlags": ["password=xyzzy"]}});
    let claim = driven
        .server
        .put_claim("db", by("a", options))
        .await
        .unwrap();
    assert_eq!(claim.mount_options.fs_type, "cifs");
    let shown = claim.mount_options.mount_flags.unwrap();
    assert_eq!(shown, ["[REDACTED]"]);
}
