//! What is on a node, in the shape of Nomad's allocations.

use crate::asker::{client, guarded, policy, token};
use crate::claimed::Claimed;
use crate::server::{TestServer, create, volume};
use saddlebag_client::types;
use serde_json::json;

const MODE: &str = "multi-node-multi-writer";

fn path(server: &TestServer) -> String {
    format!("/v1/node/{}/allocations", server.control_plane.node)
}

async fn listed(server: &TestServer) -> Vec<types::NodeAllocation> {
    let node = server.control_plane.node.as_str();
    let list = server.client.list_node_allocations().node_id(node);
    list.send().await.unwrap().into_inner()
}

#[tokio::test]
async fn a_node_has_its_claims_and_its_drivers_the_newest_first() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    let server = rig.server();
    let before = listed(server).await;
    assert!(before.iter().all(|it| it.client_status == "running"));
    assert!(before.iter().any(|it| it.job_id == "disk"));
    let taken = rig.take("v", "a", json!({})).await.unwrap();
    let during = listed(server).await;
    let claim = &during[0];
    assert_eq!(claim.id, taken.allocation.as_str());
    assert_eq!(claim.node_id, server.control_plane.node.as_str());
    let status = (claim.client_status.as_str(), claim.desired_status.as_str());
    assert_eq!(status, ("running", "run"));
    assert_eq!(during[1..], before[..]);

    let elsewhere = server.client.list_node_allocations().node_id("0000");
    assert!(elsewhere.send().await.unwrap().is_empty());
    rig.give_back("v", "a").await.unwrap();
    assert_eq!(listed(server).await, before);
}

#[tokio::test]
async fn who_waits_for_what_is_on_a_node_is_woken_by_a_claim_there_and_by_none_elsewhere() {
    let rig = Claimed::start().await;
    let second = rig.second_node().await;
    rig.register_as("v", crate::rig::shared("of-v")).await;
    let server = rig.server();
    let path = path(server);
    let index = server.index_of(&path).await;
    let (woken, taken) = tokio::join!(server.blocked(&path, index), async {
        server.waiting(1).await;
        let there = json!({"node": second, "access_mode": MODE});
        rig.take("v", "there", there).await.unwrap();
        let nothing_yet = server.index_of(&path).await;
        let here = json!({"node": server.control_plane.node, "access_mode": MODE});
        rig.take("v", "here", here).await.unwrap();
        nothing_yet
    });
    assert!(woken.index() > taken, "{} after {taken}", woken.index());
    assert_eq!(woken.status, 200);
}

#[tokio::test]
async fn only_allocations_of_namespaces_whose_jobs_may_be_read_are_shown() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    for namespace in ["team", "other"] {
        let made = management
            .create_namespace()
            .body_map(|body| body.name(namespace.to_owned()));
        made.send().await.unwrap();
        let inside = types::VolumeRequest {
            namespace: Some(namespace.to_owned()),
            ..volume("v")
        };
        create(&management, inside).await.unwrap();
        let claim = management
            .claim_volume()
            .volume_id("v")
            .namespace(namespace)
            .body(types::ClaimRequest::default());
        claim.send().await.unwrap();
    }
    let node = server.control_plane.node.as_str();
    let seen = async |secret: &str| {
        let asker = client(&server, secret);
        let list = asker.list_node_allocations().node_id(node).send().await;
        let mut namespaces: Vec<String> = list
            .unwrap()
            .into_inner()
            .into_iter()
            .map(|it| it.namespace)
            .collect();
        namespaces.sort();
        namespaces
    };
    assert_eq!(seen(&secret).await, ["default", "other", "team"]);
    let rules = r#"node { policy = "read" } namespace "team" { capabilities = ["read-job"] }"#;
    policy(&management, "watcher", rules).await;
    let watcher = token(&management, &["watcher"]).await;
    assert_eq!(seen(&watcher.secret_id).await, ["team"]);
}
