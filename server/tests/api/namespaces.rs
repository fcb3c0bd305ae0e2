//! Namespaces: made, changed, deleted, and where volumes are.

use crate::asker::ask;
use crate::server::{TestServer, create, refusal, volume};
use saddlebag_client::types;
use serde_json::json;

async fn make(server: &TestServer, name: &str) {
    let made = server
        .client
        .create_namespace()
        .body_map(|body| body.name(name.to_owned()));
    made.send().await.unwrap();
}

#[tokio::test]
async fn a_namespace_is_made_changed_and_deleted_and_outlives_a_restart() {
    let mut server = TestServer::start().await;
    make(&server, "team").await;
    let read = server
        .client
        .read_namespace()
        .namespace_name("team")
        .send()
        .await
        .unwrap();
    let changed = server
        .client
        .apply_namespace()
        .namespace_name("team")
        .body_map(|body| {
            body.name("team".to_owned())
                .description("of the team".to_owned())
        });
    changed.send().await.unwrap();
    server.restart().await;
    let again = server
        .client
        .read_namespace()
        .namespace_name("team")
        .send()
        .await
        .unwrap();
    assert_eq!(again.description, "of the team");
    assert_eq!(again.create_index, read.create_index);
    assert!(again.modify_index > read.modify_index);
    let deleted = server
        .client
        .delete_namespace()
        .namespace_name("team")
        .send()
        .await
        .unwrap();
    assert!(deleted.headers().contains_key("x-nomad-index"));
    assert!(
        !deleted.headers().contains_key("x-nomad-knownleader"),
        "as Nomad"
    );
    let (status, error) = refusal(
        server
            .client
            .read_namespace()
            .namespace_name("team")
            .send()
            .await,
    );
    assert_eq!(
        (status, error.message.as_str()),
        (404, "Namespace not found")
    );
}

#[tokio::test]
async fn a_namespace_is_kept_while_anything_is_in_it() {
    let server = TestServer::start().await;
    make(&server, "team").await;
    make(&server, "team-2").await;
    let delete = || {
        server
            .client
            .delete_namespace()
            .namespace_name("team")
            .send()
    };
    let inside = types::VolumeRequest {
        namespace: Some("team".to_owned()),
        ..volume("db")
    };
    create(&server.client, inside).await.unwrap();
    let (status, error) = refusal(delete().await);
    let text = "1 error occurred:\n\t* namespace \"team\" has volumes associated with it in regions: [global]\n\n";
    assert_eq!((status, error.message.as_str()), (409, text));
    server
        .client
        .delete_namespace()
        .namespace_name("team-2")
        .send()
        .await
        .unwrap();
    let removed = server
        .client
        .delete_volume()
        .volume_id("db")
        .namespace("team")
        .send();
    removed.await.unwrap();
    delete().await.unwrap();
}

#[tokio::test]
async fn no_volume_is_created_in_a_namespace_while_it_is_deleted() {
    let server = TestServer::start().await;
    for round in 0..20 {
        make(&server, "team").await;
        let id = format!("v{round}");
        let inside = types::VolumeRequest {
            namespace: Some("team".to_owned()),
            ..volume(&id)
        };
        let deleted = server
            .client
            .delete_namespace()
            .namespace_name("team")
            .send();
        let (created, deleted) = tokio::join!(create(&server.client, inside), deleted);
        let is_there = server
            .client
            .read_volume()
            .volume_id(&id)
            .namespace("team")
            .send()
            .await
            .is_ok();
        let has_namespace = server
            .client
            .read_namespace()
            .namespace_name("team")
            .send()
            .await
            .is_ok();
        assert_eq!(created.is_ok(), is_there);
        assert!(
            has_namespace || !is_there,
            "round {round}: a volume without its namespace"
        );
        assert_eq!(deleted.is_ok(), !has_namespace);
        if is_there {
            server
                .client
                .delete_volume()
                .volume_id(&id)
                .namespace("team")
                .send()
                .await
                .unwrap();
        }
        let _ = server
            .client
            .delete_namespace()
            .namespace_name("team")
            .send()
            .await;
    }
}

#[tokio::test]
async fn a_volumes_namespace_is_its_own_then_the_querys_then_the_bodys() {
    let server = TestServer::start().await;
    for name in ["own", "query", "envelope"] {
        make(&server, name).await;
    }
    let put = async |path: &str, own: Option<&str>, envelope: Option<&str>| {
        let body = json!({
            "Namespace": envelope,
            "Volumes": [{
                "ID": "v", "Name": "v", "Namespace": own, "PluginID": "local",
                "RequestedCapabilities": [{ "AccessMode": "single-node-writer", "AttachmentMode": "file-system" }],
            }],
        });
        let (status, answer) = ask(&server, "PUT", path, None, Some(&body)).await;
        assert_eq!(status, 200, "{answer}");
        answer["Volumes"][0]["Namespace"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let create = "/v1/volume/csi/v/create";
    let queried = "/v1/volume/csi/v/create?namespace=query";
    assert_eq!(put(queried, Some("own"), Some("envelope")).await, "own");
    assert_eq!(put(queried, None, Some("envelope")).await, "query");
    assert_eq!(put(create, None, Some("envelope")).await, "envelope");
    assert_eq!(put(create, None, None).await, "default");
}

#[tokio::test]
async fn a_volume_in_a_namespace_that_is_not_there_is_refused_as_nomad_does() {
    let server = TestServer::start().await;
    let nowhere = types::VolumeRequest {
        namespace: Some("nope".to_owned()),
        ..volume("v")
    };
    let (status, error) = refusal(create(&server.client, nowhere).await);
    assert_eq!((status, error.code.as_str()), (404, "namespace_not_found"));
    assert_eq!(error.message, "volume v is in nonexistent namespace nope");
}

#[tokio::test]
async fn who_waits_for_namespaces_is_woken_when_one_is_made_or_deleted() {
    let server = TestServer::start().await;
    let listed = server.client.list_namespaces().send().await.unwrap();
    let index: u64 = listed.headers()["x-nomad-index"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let list = server.client.list_namespaces().index(index).send();
    let read = server
        .client
        .read_namespace()
        .namespace_name("team")
        .index(index)
        .send();
    let made = async {
        server.waiting(2).await;
        make(&server, "team").await;
    };
    let (listed, read, ()) = tokio::join!(list, read, made);
    assert_eq!(listed.unwrap().len(), 2);
    let index = read.unwrap().modify_index;
    let read = server
        .client
        .read_namespace()
        .namespace_name("team")
        .index(index)
        .send();
    let deleted = async {
        server.waiting(1).await;
        server
            .client
            .delete_namespace()
            .namespace_name("team")
            .send()
            .await
            .unwrap();
    };
    let (read, ()) = tokio::join!(read, deleted);
    assert_eq!(refusal(read).0, 404);
}
