//! Cases of Nomad's node side that no other test of claims needs.

use crate::claimed::{Claimed, named};
use crate::claims::{DOWN, UP};
use crate::driven::NOT_AT_ALL;
use crate::scripted_driver::{Reply, ScriptedDriver, node_capabilities, plugin_capabilities};
use crate::server::TestServer;
use saddlebag::csi::{Call, v1};
use saddlebag::plugin::PluginType;
use serde_json::{Value, json};
use tokio::sync::watch;
use tonic::Code;

/// How the file system was to be mounted, by the last call of these kinds.
fn options(driver: &ScriptedDriver) -> [v1::volume_capability::MountVolume; 2] {
    let stage: v1::NodeStageVolumeRequest = driver.last(Call::NodeStageVolume);
    let publish: v1::NodePublishVolumeRequest = driver.last(Call::NodePublishVolume);
    [stage.volume_capability, publish.volume_capability].map(|capability| {
        match capability.unwrap().access_type.unwrap() {
            v1::volume_capability::AccessType::Mount(mount) => mount,
            other => panic!("not a file system: {other:?}"),
        }
    })
}

/// Conformance case 76.
#[tokio::test]
async fn a_volume_s_mount_options_are_used_unless_the_claim_says_others() {
    let rig = Claimed::start().await;
    let own = json!({
        "ExternalID": "of-v",
        "MountOptions": {"FSType": "ext4", "MountFlags": ["noatime", "ro"]},
    });
    rig.register_as("v", own).await;
    for (name, request, expected) in [
        ("a", json!({}), ("ext4", vec!["noatime", "ro"])),
        (
            "b",
            json!({"mount_options": {"fs_type": "", "mount_flags": ["noexec"]}}),
            ("ext4", vec!["noexec"]),
        ),
        (
            "c",
            json!({"mount_options": {"fs_type": "xfs", "mount_flags": []}}),
            ("xfs", vec!["noatime", "ro"]),
        ),
    ] {
        rig.take("v", name, request).await.unwrap();
        for told in options(rig.driver()) {
            assert_eq!((told.fs_type.as_str(), told.mount_flags), {
                let (fs_type, flags) = &expected;
                (*fs_type, flags.iter().map(ToString::to_string).collect())
            });
        }
        rig.give_back("v", name).await.unwrap();
    }
}

/// Conformance case 78.
#[tokio::test]
async fn a_claim_that_is_not_published_yet_keeps_the_volume_staged() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    let (go_on, held) = watch::channel(false);
    let reply = Reply::Once(held, Box::new(Reply::Usual));
    rig.driver().script(Call::NodePublishVolume, reply);
    rig.forget();
    let waiting = rig.server().take_within(NOT_AT_ALL, "v", "b", json!({}));
    waiting.await.unwrap();
    rig.driver().asked(Call::NodePublishVolume, 1).await;
    rig.server().ask_back("v", "a").await;
    go_on.send_replace(true);
    rig.server().gone("v", "a").await;
    rig.server().published("v", "b").await;
    assert_eq!(
        rig.calls(),
        [Call::NodePublishVolume, Call::NodeUnpublishVolume]
    );
}

/// Conformance case 36. Whatever the node says, the update that grew the volume has succeeded.
#[tokio::test]
async fn a_node_that_does_not_find_a_volume_to_grow_fails_no_update() {
    let rig = Claimed::start().await;
    let sized = |bytes: i64| -> Value {
        json!({"ExternalID": "of-v", "RequestedCapacityMin": bytes, "MountOptions": {"FSType": ""}})
    };
    rig.register_as("v", sized(1 << 20)).await;
    rig.take("v", "a", json!({})).await.unwrap();
    let missing = Reply::refuse(Code::NotFound, "not here");
    rig.driver().script(Call::NodeExpandVolume, missing);
    let grown = rig.rig.register("v", sized(2 << 20)).await.unwrap();
    assert_eq!(grown.capacity, 2 << 20);
    rig.driver().asked(Call::NodeExpandVolume, 1).await;
    assert!(rig.server().claimed("v", "a").is_at_rest());
}

/// Conformance case 88, with what such a driver is asked.
#[tokio::test]
async fn a_volume_of_a_driver_without_a_controller_is_registered_used_and_used_again() {
    let driver = ScriptedDriver::start();
    driver.always(
        Call::GetPluginCapabilities,
        Reply::answer(plugin_capabilities(&[])),
    );
    let node = Reply::answer(node_capabilities(&[1]));
    driver.always(Call::NodeGetCapabilities, node);
    let server = TestServer::start_with(|config| {
        config.plugins = vec![crate::rig::plugin("disk", PluginType::Node, &driver)];
    })
    .await;
    let volume = crate::rig::described("efs", json!({"ExternalID": "of-efs"}));
    crate::server::register(&server.client, volume)
        .await
        .unwrap();
    for name in ["writer", "reader"] {
        driver.forget();
        server.take("efs", name, json!({})).await.unwrap();
        server.give_back("efs", name).await.unwrap();
        let calls = driver.calls().into_iter();
        let calls: Vec<Call> = calls.filter(|call| !call.is_discovery()).collect();
        assert_eq!(calls, [UP[1], UP[2], DOWN[0], DOWN[1]]);
    }
    let state = server.control_plane.state();
    assert!(state.ended_claim(&named("efs", "writer")).is_some());
    assert_eq!(state.attachments().count(), 0);
}
