//! What claims keep from happening, and what lets go of them: detach, fences, deregistering by force.

use crate::claiming::{alloc, by, index_of};
use crate::driven::{Driven, NOT_AT_ALL};
use crate::rig::Answered;
use crate::scripted_driver::Reply;
use crate::server::{PATIENCE, refusal};
use saddlebag::csi::Call;
use saddlebag_client::types;
use serde_json::json;
use std::time::Duration;
use tokio::sync::watch;
use tonic::Code;

impl Driven {
    /// A volume that is claimed by allocation `a`, and what the driver was asked for that forgotten.
    async fn claimed() -> Self {
        let driven = Self::start().await;
        driven.register_for("db", &["single-node-writer"]).await;
        driven
            .server
            .put_claim("db", by("a", json!({})))
            .await
            .unwrap();
        driven.driver.forget();
        driven
    }

    /// A claim whose release met a driver that failed, and waits.
    async fn stuck() -> Self {
        let driven = Self::claimed().await;
        driven.refuse(Call::NodeUnpublishVolume, Code::Internal, "busy");
        let server = &driven.server;
        server
            .delete_claim_within("db", "a", NOT_AT_ALL)
            .await
            .unwrap();
        server
            .claim_that("db", "a", |claim| claim.last_error.is_some())
            .await;
        driven
    }

    async fn detach(&self, wait: Duration) -> Answered<()> {
        let node = self.server.control_plane.node.to_string();
        let detach = self.server.client.detach_volume().volume_id("db");
        detach.node(node).wait(wait).send().await.map(drop)
    }

    async fn fence(&self, reason: &str) -> Answered<types::Node> {
        let fence = self.server.client.fence_node();
        let fence = fence.node_id(self.server.control_plane.node.as_str());
        Ok(fence.reason(reason).send().await?.into_inner())
    }

    async fn force(&self) -> Answered<()> {
        let deregister = self.server.client.deregister_volume().volume_id("db");
        deregister.force(true).send().await.map(drop)
    }
}

/// Conformance case 73: without a node it is 400; where the release of a finished claim is stuck, it is
/// tried again, awaited, and the volume is free.
/// Conformance case 67, of a finished one; weakness W10.
#[tokio::test]
async fn detaching_tries_a_finished_claim_again_and_waits_for_it() {
    let driven = Driven::stuck().await;
    let answer = driven
        .server
        .http
        .delete(driven.server.at("/v1/volume/csi/db/detach"));
    assert_eq!(answer.send().await.unwrap().status(), 400);
    driven.detach(PATIENCE).await.unwrap();
    let gone = driven.server.get_claim("db", "a").await.unwrap();
    assert_eq!(gone.state, "gone");
    assert_eq!(driven.server.read("db").await.unwrap().allocations, []);
    driven.detach(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn detaching_says_why_it_is_not_done_in_time() {
    let driven = Driven::stuck().await;
    let busy = Reply::refuse(Code::Internal, "still busy");
    driven.driver.always(Call::NodeUnpublishVolume, busy);
    let (status, error) = refusal(driven.detach(Duration::from_millis(200)).await);
    assert_eq!(
        (status, error.code.as_str()),
        (502, "driver_failed"),
        "{error:?}"
    );
    assert!(error.message.contains("busy"), "{error:?}");
    assert_eq!(error.claim, Some(alloc("a")));
}

/// Conformance case 67, of a claim that is live.
#[tokio::test]
async fn detaching_changes_nothing_while_a_claim_is_live() {
    let driven = Driven::claimed().await;
    let (status, error) = refusal(driven.detach(PATIENCE).await);
    assert_eq!((status, error.code.as_str()), (409, "volume_in_use"));
    assert!(error.message.contains(&alloc("a")), "{error:?}");
    assert_eq!(driven.driver.calls(), []);
    assert_eq!(
        driven.server.get_claim("db", "a").await.unwrap().state,
        "published"
    );
}

#[tokio::test]
async fn a_fence_releases_what_is_there_without_waiting_for_the_node() {
    let driven = Driven::claimed().await;
    let (go_on, held) = watch::channel(false);
    let reply = Reply::Once(held, Box::new(Reply::Usual));
    driven.driver.always(Call::NodeUnpublishVolume, reply);
    let server = &driven.server;
    let node = driven.fence("it burnt down").await.unwrap();
    let fence = node.fence.unwrap();
    assert_eq!(
        (fence.reason.as_str(), fence.by.as_str()),
        ("it burnt down", "anonymous")
    );
    assert_eq!(fence.time, server.clock.now());
    assert_eq!(node.scheduling_eligibility, "ineligible");
    assert_eq!(node.status_description, "fenced: it burnt down");
    server
        .claim_that("db", "a", |claim| claim.state == "gone")
        .await;
    let first = driven.driver.calls().into_iter().next();
    assert_eq!(first, Some(Call::ControllerUnpublishVolume));

    let (status, error) = refusal(server.put_claim("db", by("b", json!({}))).await);
    assert_eq!((status, error.code.as_str()), (409, "node_fenced"));
    assert!(error.message.contains("it burnt down"), "{error:?}");
    let again = driven.fence("another reason").await.unwrap();
    assert_eq!(again.fence.unwrap().reason, "it burnt down");

    let id = server.control_plane.node.as_str();
    let unfence = server.client.unfence_node().node_id(id);
    let node = unfence.send().await.unwrap().into_inner();
    assert_eq!(
        (node.fence, node.scheduling_eligibility.as_str()),
        (None, "eligible")
    );
    go_on.send_replace(true);
    server.put_claim("db", by("b", json!({}))).await.unwrap();
}

#[tokio::test]
async fn a_fence_needs_a_reason_and_a_node() {
    let driven = Driven::start().await;
    let (status, error) = refusal(driven.fence("  ").await);
    assert_eq!((status, error.code.as_str()), (400, "missing_field"));
    let fence = driven.server.client.fence_node().node_id(alloc("no node"));
    let (status, error) = refusal(fence.reason("gone").send().await);
    assert_eq!((status, error.code.as_str()), (404, "node_not_found"));
    assert_eq!(error.node, Some(alloc("no node")));
}

#[tokio::test]
async fn who_waits_for_a_node_is_woken_by_a_fence() {
    let driven = Driven::start().await;
    let client = &driven.server.client;
    let listed = client.list_nodes().send().await.unwrap();
    let [node] = listed.as_slice() else {
        panic!("{listed:?}")
    };
    let read = client.read_node().node_id(&node.id).send().await.unwrap();
    assert_eq!(
        (read.id.as_str(), read.status.as_str()),
        (node.id.as_str(), "ready")
    );
    let plugin = read.csi_node_plugins["scripted"].as_ref().unwrap();
    assert!(plugin.healthy);
    assert!(read.csi_controller_plugins.contains_key("scripted"));
    let waiting_list = client.list_nodes().index(index_of(&listed)).wait(PATIENCE);
    let waiting = client.read_node().node_id(&node.id).index(index_of(&read));
    let (list, read, fenced) = tokio::join!(
        waiting_list.send(),
        waiting.wait(PATIENCE).send(),
        driven.fence("gone")
    );
    fenced.unwrap();
    assert!(list.unwrap()[0].fence.is_some());
    assert!(read.unwrap().fence.is_some());
}

#[tokio::test]
async fn who_waits_for_a_node_is_woken_by_the_health_of_its_plugins() {
    let mut driven = Driven::start().await;
    let client = driven.server.client.clone();
    let id = driven.server.control_plane.node.to_string();
    let read = client.read_node().node_id(&id).send().await.unwrap();
    let waiting = client.read_node().node_id(&id).index(index_of(&read));
    let waiting = waiting.wait(PATIENCE).send();
    let (woken, ()) = tokio::join!(waiting, async { driven.driver.leave() });
    let woken = woken.unwrap();
    assert!(index_of(&woken) > index_of(&read));
}

/// Conformance case 41.
#[tokio::test]
async fn a_claimed_volume_is_neither_deregistered_nor_deleted() {
    let driven = Driven::claimed().await;
    let server = &driven.server;
    let in_use = |answer: Answered<()>| {
        let (status, error) = refusal(answer);
        assert_eq!((status, error.code.as_str()), (409, "volume_in_use"));
        assert_eq!(error.message, "volume in use: db");
        assert_eq!(error.claim, Some(alloc("a")));
    };
    in_use(driven.deregister("db").await.unwrap());
    in_use(driven.force().await);
    in_use(driven.delete("db").await.unwrap());
    assert_eq!(driven.driver.calls(), []);
    server.delete_claim("db", "a").await.unwrap();
    driven.deregister("db").await.unwrap().unwrap();
}

/// Conformance case 43: claims on their way out do not keep a volume that is deregistered by force, and
/// what the node has of it is taken away all the same.
#[tokio::test]
async fn by_force_a_volume_is_forgotten_whose_claims_are_all_finished() {
    let driven = Driven::stuck().await;
    let (status, _) = refusal(driven.deregister("db").await.unwrap());
    assert_eq!(status, 409);
    driven.force().await.unwrap();
    assert_eq!(refusal(driven.server.read("db").await).0, 404);
    let leaving = driven.server.get_claim("db", "a").await.unwrap();
    assert_eq!(
        (leaving.state.as_str(), leaving.step.as_str()),
        ("published", "unpublish")
    );
    driven
        .server
        .clock
        .advance(jiff::SignedDuration::from_mins(10));
    driven
        .server
        .claim_that("db", "a", |claim| claim.state == "gone")
        .await;
    driven
        .driver
        .asked(Call::ControllerUnpublishVolume, 1)
        .await;
}
