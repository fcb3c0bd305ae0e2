//! Snapshots and copies of a stock driver's volumes.

use crate::rig::{self, Driver, create, external, mocked};
use crate::server::{self, TestServer, refusal};
use saddlebag_client::types;

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_snapshot_is_taken_listed_and_deleted() {
    let driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    let source = create(&server, "db").await;
    let taken = snapshot(&server, "db", "before").await;
    assert_eq!(taken.id, "4");
    assert_eq!(taken.external_source_volume_id, source.external_id);
    assert!(taken.is_ready && taken.create_time > 0);
    assert_eq!(
        snapshot(&server, "db", "before").await.id,
        "4",
        "the same name"
    );

    let listed = list(&server, 3).await;
    let sizes: Vec<usize> = listed.iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1]);
    let ids: Vec<&str> = listed.iter().flatten().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4"]);
    let last = &listed[1][0];
    assert_eq!(last.plugin_id, "mock");
    assert_eq!(last.external_source_volume_id, source.external_id);

    for _ in 0..2 {
        let delete = server
            .client
            .delete_snapshot()
            .plugin_id("mock")
            .snapshot_id("4");
        delete.send().await.unwrap();
    }
    assert!(
        list(&server, 100)
            .await
            .concat()
            .iter()
            .all(|s| s.id != "4")
    );
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn volumes_are_made_from_a_snapshot_and_from_a_volume() {
    let driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    let source = create(&server, "db").await;
    let taken = snapshot(&server, "db", "before").await;
    let restored = types::VolumeRequest {
        snapshot_id: Some(taken.id.clone()),
        ..mocked("restored")
    };
    let restored = server::create(&server.client, restored)
        .await
        .unwrap()
        .volumes
        .remove(0);
    assert_eq!(restored.snapshot_id, taken.id);
    let cloned = types::VolumeRequest {
        clone_id: Some(source.external_id.clone()),
        ..mocked("cloned")
    };
    let cloned = server::create(&server.client, cloned)
        .await
        .unwrap()
        .volumes
        .remove(0);
    assert_eq!(cloned.clone_id, source.external_id);
    assert_eq!(external(&server).await.len(), 3 + 3);
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_source_that_the_driver_does_not_have_is_named() {
    let driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    let from_nothing = types::VolumeRequest {
        snapshot_id: Some("99".to_owned()),
        ..mocked("restored")
    };
    let (status, error) = refusal(server::create(&server.client, from_nothing).await);
    assert_eq!(status, 404, "{error:?}");
    let said = r#"volume "restored" content source &{"99" ""} does not exist"#;
    assert!(error.message.contains(said), "{}", error.message);
    assert!(
        error
            .message
            .contains("Requested source snapshot 99 not found")
    );
    assert_eq!(refusal(server.read("restored").await).0, 404);
    assert_eq!(external(&server).await.len(), 3);
}

async fn snapshot(server: &TestServer, volume: &str, name: &str) -> types::Snapshot {
    let wanted = types::SnapshotRequest::builder()
        .source_volume_id(volume.to_owned())
        .name(name.to_owned());
    let request = server.client.create_snapshots();
    let taken = request
        .body_map(|body| body.snapshots(vec![wanted.try_into().unwrap()]))
        .send()
        .await
        .unwrap();
    taken.into_inner().snapshots.unwrap().remove(0)
}

async fn list(server: &TestServer, per_page: i32) -> Vec<Vec<types::Snapshot>> {
    let mut pages = Vec::new();
    let mut next = String::new();
    loop {
        let request = server
            .client
            .list_snapshots()
            .plugin_id("mock")
            .per_page(per_page);
        let request = match next.as_str() {
            "" => request,
            token => request.next_token(token),
        };
        let page = request.send().await.unwrap().into_inner();
        pages.push(page.snapshots.unwrap_or_default());
        if page.next_token.is_empty() {
            return pages;
        }
        next = page.next_token;
    }
}
