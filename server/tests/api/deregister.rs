//! Forgetting volumes, and detaching them from nodes.

use crate::rig::{Rig, writer};
use crate::server::{TestServer, refusal};
use saddlebag::id::NodeId;
use serde_json::json;

/// Conformance case 42.
#[tokio::test]
async fn the_prefix_of_an_id_is_no_id() {
    let rig = Rig::start().await;
    rig.register("database", json!({})).await.unwrap();
    for path in [
        "/v1/volume/csi/data",
        "/v1/volume/csi/data/delete",
        "/v1/volume/csi/database?namespace=*",
    ] {
        let answer = rig.server.ask("DELETE", path).send().await;
        assert_eq!(answer.status, 404);
        assert!(
            answer.text().starts_with("volume not found: data"),
            "{}",
            answer.text()
        );
    }
    let answer = rig.server.ask("DELETE", "/v1/volume/csi/").send().await;
    assert_eq!((answer.status, answer.text()), (404, "volume not found: "));
    assert_eq!(rig.server.ids().await, ["database"]);
}

/// Conformance case 43, as far as there are no claims that are not live: force has nothing to drop.
#[tokio::test]
async fn deregistering_forgets_the_volume_and_leaves_it_to_its_driver() {
    let server = TestServer::start().await;
    for force in [None, Some(false), Some(true)] {
        let created = server.create("db").await;
        let mut call = server.client.deregister_volume().volume_id("db");
        if let Some(force) = force {
            call = call.force(force);
        }
        call.send().await.unwrap();
        assert_eq!(refusal(server.read("db").await).0, 404);
        let listed = server
            .client
            .list_external_volumes()
            .plugin_id("local")
            .send()
            .await
            .unwrap();
        assert!(
            listed
                .volumes
                .iter()
                .flatten()
                .any(|volume| volume.external_id == created.external_id)
        );
    }
    for bad in ["maybe", "2"] {
        let path = format!("/v1/volume/csi/db?force={bad}");
        let answer = server.ask("DELETE", &path).send().await;
        assert_eq!((answer.status, answer.text()), (400, "invalid force value"));
    }
}

/// Conformance case 73, as far as there is nothing to release.
#[tokio::test]
async fn detaching_names_the_claims_that_are_live_and_changes_nothing() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    for path in ["/v1/volume/csi/db/detach", "/v1/volume/csi/db/detach?node="] {
        let answer = rig.server.ask("DELETE", path).send().await;
        assert_eq!(
            (answer.status, answer.text()),
            (400, "detach requires node ID")
        );
    }
    let answer = rig
        .server
        .ask("DELETE", "/v1/volume/csi/nope/detach?node=n1")
        .send()
        .await;
    assert_eq!((answer.status, answer.text()), (404, "no such volume"));

    for allocation in ["alloc-1", "alloc-2"] {
        rig.server.claim(&writer("db", allocation)).await;
    }
    let mut elsewhere = writer("db", "alloc-3");
    elsewhere.node = NodeId::known("n2");
    rig.server.claim(&elsewhere).await;
    let detach = |node: &'static str| {
        rig.client()
            .detach_volume()
            .volume_id("db")
            .node(node)
            .send()
    };
    let (status, error) = refusal(detach("n1").await);
    assert_eq!(
        (status, error.code.as_str(), error.node.as_deref()),
        (409, "volume_in_use", Some("n1"))
    );
    assert_eq!(
        error.message,
        r#"volume "db" is in use on node n1 by alloc-1, alloc-2"#
    );
    assert_eq!(rig.server.read("db").await.unwrap().write_allocs.len(), 3);
    detach("n3").await.unwrap();
}
