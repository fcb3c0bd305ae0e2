//! Volumes of a stock driver.

use crate::rig::{self, Driver, NAME, create, delete, external, mocked, pages, read_plugin};
use crate::server::{self, refusal};
use futures::future::join_all;
use saddlebag_client::types;
use std::collections::BTreeSet;

const GIB: i64 = 1 << 30;

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn the_plugin_is_what_its_driver_says_it_is() {
    let driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    let plugin = read_plugin(&server).await;
    assert_eq!(
        (plugin.provider.as_str(), plugin.version.as_str()),
        (NAME, "0.3.0")
    );
    assert!(plugin.controller_required);
    assert_eq!((plugin.controllers_healthy, plugin.nodes_healthy), (1, 1));
    assert_eq!((plugin.controllers_expected, plugin.nodes_expected), (1, 1));

    let controller = plugin.controllers.into_values().next().unwrap();
    assert_eq!(controller.health_description, "healthy");
    let can = controller.controller_info.unwrap();
    assert_eq!(
        can,
        types::ControllerInfo {
            supports_attach_detach: true,
            supports_clone: true,
            supports_condition: true,
            supports_create_delete: true,
            supports_create_delete_snapshot: true,
            supports_expand: true,
            supports_get: true,
            supports_get_capacity: true,
            supports_list_snapshots: true,
            supports_list_volumes: true,
            supports_list_volumes_attached_nodes: true,
            supports_read_only_attach: true,
        }
    );
    let node = plugin
        .nodes
        .into_values()
        .next()
        .unwrap()
        .node_info
        .unwrap();
    assert_eq!((node.id.as_str(), node.max_volumes), (NAME, 2));
    assert!(node.requires_node_stage_volume && node.supports_stats);
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn what_a_driver_is_told_to_be_is_what_the_plugin_shows() {
    let driver = Driver::start(&[
        "-name=org.example.other",
        "-attach-limit=7",
        "-disable-attach",
        "-disable-controller-expansion",
        "-enable-topology",
    ]);
    let server = rig::serve(&driver).await;
    let plugin = read_plugin(&server).await;
    assert_eq!(plugin.provider, "org.example.other");
    let controller = plugin.controllers.into_values().next().unwrap();
    assert!(controller.requires_topologies);
    let can = controller.controller_info.unwrap();
    assert!(!can.supports_attach_detach && !can.supports_expand);
    let node = plugin
        .nodes
        .into_values()
        .next()
        .unwrap()
        .node_info
        .unwrap();
    assert_eq!(
        (node.id.as_str(), node.max_volumes),
        ("org.example.other", 7)
    );
    let place = &plugin.topologies[0].segments.as_ref().unwrap()[&format!("{NAME}/node")];
    assert_eq!(place, "some-mock-node");

    let made = create(&server, "db").await;
    let place = made.topologies[0]
        .as_ref()
        .unwrap()
        .segments
        .as_ref()
        .unwrap();
    assert_eq!(place[&format!("{NAME}/node")], "some-mock-node");

    let mut larger = mocked("db");
    larger.requested_capacity_min = Some(2 * GIB);
    let (status, error) = refusal(server::create(&server.client, larger).await);
    assert_eq!((status, error.code.as_str()), (501, "capability_missing"));
    assert_eq!(server.read("db").await.unwrap(), made);
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_volume_lives_from_creation_to_deletion() {
    let driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    let created = create(&server, "db").await;
    assert_eq!(created.external_id, "4");
    assert_eq!(created.capacity, 1 << 20);
    assert_eq!(created.provider, NAME);
    assert!(created.schedulable);
    // The driver keeps the name of CreateVolume as context: unique, and begins with the volume's.
    assert!(
        created.context["name"].starts_with("db-"),
        "{:?}",
        created.context
    );
    assert_eq!(server.read("db").await.unwrap(), created);

    let listed = server.client.list_volumes().type_("csi").plugin_id("mock");
    let listed = listed.send().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].id.as_str(), listed[0].external_id.as_str()),
        ("db", "4")
    );

    let mut larger = mocked("db");
    larger.requested_capacity_min = Some(GIB);
    let grown = server::create(&server.client, larger).await.unwrap();
    assert_eq!(grown.volumes[0].capacity, GIB);
    assert_eq!(server.read("db").await.unwrap().capacity, GIB);
    let at_driver = external(&server).await;
    let at_driver = at_driver.iter().find(|v| v.external_id == "4").unwrap();
    assert_eq!(at_driver.capacity_bytes, GIB);
    assert_eq!(
        at_driver.published_external_node_i_ds,
        Some(vec![NAME.to_owned()])
    );

    delete(&server, "db").await;
    assert_eq!(refusal(server.read("db").await).0, 404);
    assert!(external(&server).await.iter().all(|v| v.external_id != "4"));
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn no_volume_is_lost_between_pages() {
    let driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    for id in ["a", "b", "c", "d", "e"] {
        create(&server, id).await;
    }
    for (per_page, expected) in [
        (3, vec![3, 3, 2]),
        (4, vec![4, 4]),
        (1, vec![1; 8]),
        (9, vec![8]),
    ] {
        let pages = pages(&server, per_page).await;
        let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, expected);
        let ids: Vec<&str> = pages
            .iter()
            .flatten()
            .map(|v| v.external_id.as_str())
            .collect();
        assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    }

    let astray = server
        .client
        .list_external_volumes()
        .plugin_id("mock")
        .next_token("astray");
    let (status, error) = refusal(astray.send().await);
    assert_eq!(status, 400, "{error:?}");
    assert!(
        error.message.contains("invalid starting token \"astray\""),
        "{}",
        error.message
    );
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_volume_that_was_there_before_is_registered_and_deregistered_untouched() {
    let driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    let known = |external_id: &str| types::VolumeRequest {
        external_id: Some(external_id.to_owned()),
        ..mocked("old")
    };
    let (status, error) = refusal(server::register(&server.client, known("99")).await);
    assert_eq!(status, 404, "{error:?}");
    assert!(
        error.message.contains("volume \"99\" could not be found"),
        "{}",
        error.message
    );
    assert_eq!(refusal(server.read("old").await).0, 404);

    let registered = server::register(&server.client, known("2")).await.unwrap();
    assert_eq!(registered.volumes[0].external_id, "2");
    assert_eq!(registered.volumes[0].provider, NAME);

    let deregister = server.client.deregister_volume().volume_id("old");
    deregister.send().await.unwrap();
    assert_eq!(refusal(server.read("old").await).0, 404);
    assert!(external(&server).await.iter().any(|v| v.external_id == "2"));
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn many_volumes_at_once_get_a_backing_store_each() {
    let driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    let ids: Vec<String> = (0..20).map(|n| format!("v{n}")).collect();
    let created = join_all(ids.iter().map(|id| create(&server, id))).await;
    let backing: BTreeSet<_> = created.iter().map(|v| v.external_id.as_str()).collect();
    assert_eq!(backing.len(), 20);

    let several = ["w1", "w2", "w3"].map(mocked);
    let request = server.client.create_volume().volume_id("w1");
    let made = request
        .body_map(|body| body.volumes(several))
        .send()
        .await
        .unwrap();
    assert_eq!(made.volumes.len(), 3);
    assert_eq!(external(&server).await.len(), 3 + 20 + 3);

    join_all(ids.iter().map(|id| delete(&server, id))).await;
    let left: BTreeSet<String> = external(&server)
        .await
        .into_iter()
        .map(|v| v.external_id)
        .collect();
    let mut expected: BTreeSet<String> = ["1", "2", "3"].map(str::to_owned).into();
    expected.extend(made.volumes.iter().map(|v| v.external_id.clone()));
    assert_eq!(left, expected);
}
