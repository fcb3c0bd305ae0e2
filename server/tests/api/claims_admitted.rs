//! Which claims fit together, and onto which nodes.

use crate::claiming::by;
use crate::driven::{Driven, NOT_AT_ALL};
use crate::rig::Answered;
use crate::scripted_driver::Reply;
use crate::server::refusal;
use saddlebag::csi::{Call, v1};
use saddlebag::id::PluginId;
use saddlebag_client::types;
use serde_json::{Value, json};

impl Driven {
    /// Claims, and does not wait.
    async fn take(&self, name: &str, body: Value) -> Answered<types::Claim> {
        let server = &self.server;
        server
            .put_claim_within("db", by(name, body), NOT_AT_ALL)
            .await
    }
}

/// Why a claim was refused.
#[track_caller]
fn why(answer: Answered<types::Claim>) -> String {
    let (status, error) = refusal(answer);
    assert_eq!(
        (status, error.code.as_str()),
        (409, "claim_refused"),
        "{error:?}"
    );
    let (_, why) = error.message.rsplit_once(": ").unwrap();
    why.to_owned()
}

/// Conformance case 55. Writers are counted by their nodes, as CSI does, so the second one is elsewhere.
#[tokio::test]
async fn in_a_single_writer_mode_all_that_write_are_on_one_node_and_readers_are_anywhere() {
    let driven = Driven::start().await;
    driven
        .register_for("db", &["multi-node-single-writer"])
        .await;
    let there = driven.server.second_node().await;
    let here = driven.server.control_plane.node.to_string();
    let reader = |node: &str| json!({"NodeID": node, "ReadOnly": true});
    driven
        .take("writer", json!({"NodeID": here}))
        .await
        .unwrap();
    let second = driven.take("second writer", json!({"NodeID": there}));
    assert_eq!(why(second.await), "volume max claims reached");
    driven.take("reader", reader(&there)).await.unwrap();
    driven.take("reader", reader(&there)).await.unwrap();
    driven.take("second reader", reader(&here)).await.unwrap();
    let listed = driven.server.client.list_volumes().type_("csi");
    let listed = listed.send().await.unwrap().into_inner();
    assert_eq!(
        (listed[0].current_writers, listed[0].current_readers),
        (1, 2)
    );
}

/// Conformance case 56. A volume has one mode at a time; a mode that only reads takes no writer.
#[tokio::test]
async fn the_first_claim_sets_the_mode_and_the_last_release_clears_it() {
    let driven = Driven::start().await;
    let modes = ["multi-node-reader-only", "multi-node-single-writer"];
    driven.register_for("db", &modes).await;
    let server = &driven.server;
    let reading =
        json!({"AccessMode": modes[0], "AttachmentMode": "file-system", "ReadOnly": true});
    let writing = json!({"AccessMode": modes[1], "AttachmentMode": "file-system"});
    server.put_claim("db", by("reader", reading)).await.unwrap();
    let volume = server.read("db").await.unwrap();
    assert_eq!(
        (volume.access_mode.as_str(), volume.attachment_mode.as_str()),
        (modes[0], "file-system")
    );
    assert_eq!(
        why(driven.take("writer", json!({})).await),
        "volume is currently unschedulable"
    );
    let other = why(driven.take("writer", writing.clone()).await);
    assert_eq!(other, "it is used as multi-node-reader-only");

    server.delete_claim("db", "reader").await.unwrap();
    let volume = server.read("db").await.unwrap();
    assert_eq!(
        (volume.access_mode.as_str(), volume.attachment_mode.as_str()),
        ("", "")
    );
    server.put_claim("db", by("writer", writing)).await.unwrap();
    assert_eq!(server.read("db").await.unwrap().access_mode, modes[1]);
}

/// Conformance case 57.
#[tokio::test]
async fn the_attachment_mode_of_a_claimed_volume_does_not_change() {
    let driven = Driven::start().await;
    let mode =
        |attachment| json!({"AccessMode": "single-node-writer", "AttachmentMode": attachment});
    let more = json!({
        "PluginID": "scripted",
        "RequestedCapabilities": [mode("file-system"), mode("block-device")],
    });
    let volume = crate::rig::described("db", more);
    driven.register(volume).await.unwrap().unwrap();
    driven.take("a", mode("file-system")).await.unwrap();
    let other = driven.take("b", mode("block-device"));
    assert_eq!(
        why(other.await),
        "cannot change attachment mode of claimed volume"
    );
    let unsaid = driven.take("c", json!({})).await.unwrap();
    assert_eq!(
        unsaid.attachment_mode, "file-system",
        "as it is used already"
    );
}

/// Conformance case 58: a writer on his way out still keeps others out, until he is gone.
#[tokio::test]
async fn a_claim_counts_until_it_is_gone() {
    let driven = Driven::start().await;
    driven
        .register_for("db", &["single-node-single-writer"])
        .await;
    let server = &driven.server;
    server.put_claim("db", by("a", json!({}))).await.unwrap();
    let held = driven.hold(Call::NodeUnpublishVolume);
    let leaving = server
        .delete_claim_within("db", "a", NOT_AT_ALL)
        .await
        .unwrap();
    assert_eq!(
        (leaving.state.as_str(), leaving.step.as_str()),
        ("published", "unpublish")
    );
    assert_eq!(
        why(driven.take("b", json!({})).await),
        "volume max claims reached"
    );
    held.go_on();
    server
        .claim_that("db", "a", |claim| claim.state == "gone")
        .await;
    server.put_claim("db", by("b", json!({}))).await.unwrap();
}

/// Weakness W29.
#[tokio::test]
async fn the_modes_have_to_be_among_those_that_the_volume_was_requested_for() {
    let driven = Driven::start().await;
    driven
        .register_for("db", &["single-node-writer", "multi-node-multi-writer"])
        .await;
    let other = json!({"AccessMode": "multi-node-single-writer", "AttachmentMode": "file-system"});
    let why = why(driven.take("a", other).await);
    assert!(
        why.ends_with("is not among its requested capabilities"),
        "{why}"
    );
    let (status, error) = refusal(driven.take("a", json!({})).await);
    assert_eq!((status, error.code.as_str()), (400, "invalid_request"));
    assert!(error.message.contains("2 ways"), "{error:?}");
}

#[tokio::test]
async fn with_two_nodes_the_node_has_to_be_said() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    let there = driven.server.second_node().await;
    let (status, error) = refusal(driven.take("a", json!({})).await);
    assert_eq!((status, error.code.as_str()), (400, "invalid_request"));
    let upper_case = json!({"NodeID": there.to_uppercase()});
    assert_eq!(driven.take("a", upper_case).await.unwrap().node_id, there);
    let here = json!({"NodeID": driven.server.control_plane.node.as_str()});
    assert_eq!(
        why(driven.take("b", here).await),
        "volume max claims reached"
    );
}

/// Conformance case 84, the plugin unhealthy or absent on the node. Without it, case 54.
#[tokio::test]
async fn a_node_without_a_healthy_plugin_takes_no_claim() {
    let mut driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    driven.driver.leave();
    driven.healthy(0, 0).await;
    let node = driven.server.control_plane.node.clone();
    let (status, error) = refusal(driven.take("a", json!({})).await);
    assert_eq!((status, error.code.as_str()), (503, "no_healthy_plugin"));
    assert_eq!(
        error.message,
        format!("CSI plugin scripted is unhealthy on client {node}")
    );
    assert_eq!(
        (error.plugin.as_deref(), error.node.as_deref()),
        (Some("scripted"), Some(node.as_str()))
    );
    assert!(error.retryable);
    driven.driver.come_back();
    driven.healthy(1, 1).await;
    driven.take("a", json!({})).await.unwrap();
}

/// Conformance case 84, the node as full as it can be.
#[tokio::test]
async fn a_node_takes_as_many_volumes_as_the_driver_says() {
    let driver = crate::scripted_driver::ScriptedDriver::start();
    let full = v1::NodeGetInfoResponse {
        node_id: "node-of-the-driver".to_owned(),
        max_volumes_per_node: 1,
        ..v1::NodeGetInfoResponse::default()
    };
    driver.always(Call::NodeGetInfo, Reply::answer(full));
    let driven = Driven::with(driver).await;
    for id in ["db", "web"] {
        driven.register_for(id, &["single-node-writer"]).await;
    }
    driven
        .server
        .put_claim("web", by("a", json!({})))
        .await
        .unwrap();
    let node = driven.server.control_plane.node.clone();
    let text = format!("CSI plugin scripted has the maximum number of volumes on client {node}");
    assert_eq!(why(driven.take("b", json!({})).await), text);
    driven
        .server
        .put_claim("web", by("c", json!({})))
        .await
        .unwrap();
}

/// Conformance case 84, where the volume can be reached from.
#[tokio::test]
async fn a_node_has_to_be_where_the_volume_can_be_reached_from() {
    for (node, volume, fits) in [
        (Some("a"), "a", true),
        (Some("a"), "b", false),
        (None, "a", false),
    ] {
        let driver = crate::scripted_driver::ScriptedDriver::start();
        let place = |zone: &str| v1::Topology {
            segments: [("zone".to_owned(), zone.to_owned())].into(),
        };
        let info = v1::NodeGetInfoResponse {
            node_id: "node-of-the-driver".to_owned(),
            accessible_topology: node.map(place),
            ..v1::NodeGetInfoResponse::default()
        };
        driver.always(Call::NodeGetInfo, Reply::answer(info));
        let driven = Driven::with(driver).await;
        let more = json!({
            "PluginID": "scripted",
            "Topologies": [{"Segments": {"zone": volume}}],
        });
        let described = crate::rig::described("db", more);
        driven.register(described).await.unwrap().unwrap();
        let answer = driven.take("a", json!({})).await;
        match fits {
            true => assert_eq!(answer.unwrap().volume_id, "db"),
            false => assert_eq!(why(answer), "did not meet topology requirement"),
        }
    }
}

/// Conformance case 84, the plugin gone.
#[tokio::test]
async fn a_volume_whose_plugin_is_gone_cannot_be_claimed() {
    let mut driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    driven
        .server
        .restart_with(|config| config.plugins.clear())
        .await;
    let state = driven.server.control_plane.state();
    assert!(state.plugin(&PluginId::known("scripted")).is_none());
    let (status, error) = refusal(driven.take("a", json!({})).await);
    assert_eq!((status, error.code.as_str()), (404, "plugin_not_found"));
    assert_eq!(error.message, "plugin not found: scripted");
}

#[tokio::test]
async fn a_path_lies_below_a_folder_that_was_configured() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let driven = Driven::start_with(|config| config.target_roots = vec![root.clone()]).await;
    driven.register_for("db", &["single-node-writer"]).await;
    let path = |path: &std::path::Path| json!({"TargetPath": path.to_str().unwrap()});
    for outside in [
        std::path::PathBuf::from("/etc/db"),
        root.clone(),
        root.join("../db"),
        root.join("."),
        "relative".into(),
    ] {
        let (status, error) = refusal(driven.take("a", path(&outside)).await);
        assert_eq!(
            (status, error.code.as_str()),
            (400, "invalid_request"),
            "{outside:?}"
        );
    }
    let inside = root.join("mnt/db");
    let claim = driven.server.put_claim("db", by("a", path(&inside))).await;
    assert_eq!(claim.unwrap().target_path, inside.to_str().unwrap());
}
