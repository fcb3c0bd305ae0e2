//! Which claims may be had beside which, and what drivers are told of them.

use crate::claimed::{Claimed, named};
use crate::claims::UP;
use crate::driven::NOT_AT_ALL;
use crate::scripted_driver::{Reply, controller_capabilities, node_capabilities};
use saddlebag::claim::{Claim, Ended};
use saddlebag::config::BaseDir;
use saddlebag::csi::{Call, v1};
use saddlebag::error::Error;
use serde_json::{Value, json};

/// A volume that may be used in this mode only, as a file system.
fn of_mode(id: &str, mode: &str) -> Value {
    json!({
        "ExternalID": format!("of-{id}"),
        "RequestedCapabilities": [{"AccessMode": mode, "AttachmentMode": "file-system"}],
    })
}

/// Asks for a claim that is taken or refused, whatever comes of it.
async fn ask(rig: &Claimed, volume: &str, name: &str, more: Value) -> Result<Claim, Error> {
    rig.server()
        .take_within(NOT_AT_ALL, volume, name, more)
        .await
}

/// Each mode, and for each of a list of claims on the nodes 1 and 2, reading or writing, whether it
/// may be had beside those before it that were.
#[tokio::test]
async fn each_access_mode_allows_what_csi_says_and_no_more() {
    let rig = Claimed::start().await;
    let second = rig.second_node().await;
    let nodes = [rig.server().control_plane.node.clone(), second];
    let unschedulable = "volume is currently unschedulable";
    let full = "volume max claims reached";
    let cases = [
        (
            "single-node-reader-only",
            vec![("w1", unschedulable), ("r1", ""), ("r1", ""), ("r2", full)],
        ),
        (
            "single-node-writer",
            vec![
                ("w1", ""),
                ("r1", ""),
                ("w1", ""),
                ("r2", full),
                ("w2", full),
            ],
        ),
        (
            "single-node-single-writer",
            vec![("w1", ""), ("r1", full), ("w2", full)],
        ),
        (
            "single-node-multi-writer",
            vec![("w1", ""), ("w1", ""), ("r1", ""), ("w2", full)],
        ),
        (
            "multi-node-reader-only",
            vec![("r1", ""), ("r2", ""), ("w1", unschedulable)],
        ),
        (
            "multi-node-single-writer",
            vec![("w1", ""), ("w2", full), ("r2", ""), ("w1", ""), ("r1", "")],
        ),
        (
            "multi-node-multi-writer",
            vec![("w1", ""), ("w2", ""), ("r2", ""), ("w2", "")],
        ),
    ];
    for (mode, claims) in cases {
        let entry = of_mode(mode, mode);
        put_volume(&rig, mode, entry).await;
        for (at, (claim, why)) in claims.iter().enumerate() {
            let node = &nodes[if claim.ends_with('1') { 0 } else { 1 }];
            let request = json!({"node": node.as_str(), "read_only": claim.starts_with('r')});
            let taken = ask(&rig, mode, &format!("{mode}-{at}"), request).await;
            match (taken, *why) {
                (Ok(_), "") => {}
                (Err(error), why) if !why.is_empty() => {
                    assert!(error.to_string().ends_with(why), "{mode}, {at}: {error}");
                    assert_eq!(error.fault.answer().code, "claim_refused");
                }
                (taken, why) => panic!("{mode}, {at}: {taken:?}, not {why:?}"),
            }
        }
    }
}

/// Stores a volume as registering does; also one whose modes the document does not know yet.
pub async fn put_volume(rig: &Claimed, id: &str, described: Value) {
    let (mode, mut described) = (
        described["RequestedCapabilities"][0]["AccessMode"].clone(),
        described,
    );
    described["RequestedCapabilities"][0]["AccessMode"] = json!("single-node-writer");
    rig.register_as(id, described).await;
    let cp = &rig.server().control_plane;
    let state = cp.state();
    let mut volume = state.volume(&crate::rig::key(id)).unwrap().stored().row;
    volume.capabilities[0].access_mode = mode.as_str().unwrap().parse().unwrap();
    let mut transaction = saddlebag::store::Transaction::default();
    let at = saddlebag::store::keys::volume(&volume.key);
    transaction.put(at, &volume).unwrap();
    cp.commit(transaction).await.unwrap();
}

#[tokio::test]
async fn claims_of_two_volumes_with_one_backing_store_share_its_modes_and_its_attachment() {
    let rig = Claimed::start().await;
    rig.register_as("v", crate::rig::shared("both")).await;
    rig.register_as("w", crate::rig::shared("both")).await;
    let writing = json!({"access_mode": "multi-node-multi-writer"});
    rig.take("v", "a", writing.clone()).await.unwrap();
    let reading = json!({"access_mode": "multi-node-reader-only", "read_only": true});
    let other = ask(&rig, "w", "b", reading).await.unwrap_err();
    assert!(
        other.to_string().contains("cannot change access mode"),
        "{other}"
    );
    rig.take("w", "b", writing).await.unwrap();
    assert_eq!(rig.calls(), [&UP[..], &[UP[2]]].concat());
    rig.server().attachment();
    rig.give_back("v", "a").await.unwrap();
    rig.server().attachment();
    rig.give_back("w", "b").await.unwrap();
}

/// Conformance case 75, of what is refused before the call.
#[tokio::test]
async fn what_a_claim_asks_for_has_to_be_possible() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    for (request, code) in [
        (
            json!({"access_mode": "multi-node-multi-writer"}),
            "claim_refused",
        ),
        (json!({"attachment_mode": "block-device"}), "claim_refused"),
        (json!({"node": "nowhere"}), "node_not_found"),
        (json!({"target_path": "/anywhere"}), "invalid_request"),
    ] {
        let refused = ask(&rig, "v", "a", request.clone()).await.unwrap_err();
        assert_eq!(refused.fault.answer().code, code, "{request}: {refused}");
    }
    let missing = ask(&rig, "w", "a", json!({})).await.unwrap_err();
    assert_eq!(missing.to_string(), "volume not found: w");
    rig.take(
        "v",
        "a",
        json!({"mount_options": {"fs_type": "ext4", "mount_flags": []}}),
    )
    .await
    .unwrap();
    let other = json!({"mount_options": {"fs_type": "xfs", "mount_flags": []}});
    let refused = ask(&rig, "v", "b", other).await.unwrap_err();
    assert!(
        refused.to_string().contains("mount options differ"),
        "{refused}"
    );
    let asked: v1::NodeStageVolumeRequest = rig.driver().last(Call::NodeStageVolume);
    let capability = asked.volume_capability.unwrap();
    let Some(v1::volume_capability::AccessType::Mount(mount)) = capability.access_type else {
        panic!("not mounted");
    };
    assert_eq!(mount.fs_type, "ext4");
}

#[tokio::test]
async fn the_same_request_joins_its_claim_and_another_is_refused() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    let first = rig.take("v", "a", json!({})).await.unwrap();
    let again = rig.take("v", "a", json!({})).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(rig.calls(), UP);
    let other = ask(&rig, "v", "a", json!({"name": "other"}))
        .await
        .unwrap_err();
    assert_eq!(other.fault.answer().code, "claim_conflict");
}

#[tokio::test]
async fn the_node_s_room_and_place_count() {
    let rig = Claimed::start_with(
        |driver| {
            let answer = Reply::answer(v1::NodeGetInfoResponse {
                node_id: "n".into(),
                max_volumes_per_node: 1,
                accessible_topology: Some(v1::Topology {
                    segments: [("zone".to_owned(), "a".to_owned())].into(),
                }),
            });
            driver.always(Call::NodeGetInfo, answer);
        },
        |_| {},
    )
    .await;
    let here = json!({"ExternalID": "h", "Topologies": [{"Segments": {"zone": "a"}}]});
    rig.register_as("here", here).await;
    let there = json!({"ExternalID": "t", "Topologies": [{"Segments": {"zone": "b"}}]});
    rig.register_as("there", there).await;
    rig.register("more").await;
    let far = ask(&rig, "there", "a", json!({})).await.unwrap_err();
    assert!(
        far.to_string()
            .ends_with("did not meet topology requirement"),
        "{far}"
    );
    rig.take("here", "a", json!({})).await.unwrap();
    rig.take("here", "b", json!({})).await.unwrap();
    let full = ask(&rig, "more", "a", json!({})).await.unwrap_err();
    assert!(
        full.to_string()
            .contains("has the maximum number of volumes"),
        "{full}"
    );
}

#[tokio::test]
async fn only_a_controller_that_publishes_read_only_is_told_so() {
    for (capabilities, told) in [((1..=17).collect::<Vec<i32>>(), true), (vec![1, 2], false)] {
        let script = Reply::answer(controller_capabilities(&capabilities));
        let rig = Claimed::start_with(
            |driver| driver.always(Call::ControllerGetCapabilities, script),
            |_| {},
        )
        .await;
        rig.register("v").await;
        rig.take("v", "a", json!({"read_only": true}))
            .await
            .unwrap();
        let attach: v1::ControllerPublishVolumeRequest = rig.driver().last(UP[0]);
        let publish: v1::NodePublishVolumeRequest = rig.driver().last(UP[2]);
        assert_eq!((attach.readonly, publish.readonly), (told, true));
        let writer = ask(&rig, "v", "b", json!({})).await;
        assert_eq!(writer.is_ok(), !told, "{writer:?}");
    }
}

#[tokio::test]
async fn a_driver_is_told_the_young_modes_only_if_it_knows_them() {
    use v1::volume_capability::access_mode::Mode;
    for (knows, mode) in [
        (true, Mode::SingleNodeSingleWriter),
        (false, Mode::SingleNodeWriter),
    ] {
        let rig = Claimed::start_with(
            |driver| {
                if !knows {
                    let controller = Reply::answer(controller_capabilities(&[1, 2]));
                    driver.always(Call::ControllerGetCapabilities, controller);
                    let node = Reply::answer(node_capabilities(&[1]));
                    driver.always(Call::NodeGetCapabilities, node);
                }
            },
            |_| {},
        )
        .await;
        put_volume(&rig, "v", of_mode("v", "single-node-single-writer")).await;
        rig.take("v", "a", json!({})).await.unwrap();
        let attach: v1::ControllerPublishVolumeRequest = rig.driver().last(UP[0]);
        let stage: v1::NodeStageVolumeRequest = rig.driver().last(UP[1]);
        for capability in [attach.volume_capability, stage.volume_capability] {
            assert_eq!(capability.unwrap().access_mode.unwrap().mode(), mode);
        }
    }
}

#[tokio::test]
async fn a_block_volume_is_told_so_at_every_step() {
    let rig = Claimed::start().await;
    let block = json!({
        "ExternalID": "b",
        "RequestedCapabilities": [
            {"AccessMode": "single-node-writer", "AttachmentMode": "block-device"}
        ],
    });
    rig.register_as("v", block).await;
    rig.take("v", "a", json!({})).await.unwrap();
    let attach: v1::ControllerPublishVolumeRequest = rig.driver().last(UP[0]);
    let stage: v1::NodeStageVolumeRequest = rig.driver().last(UP[1]);
    let publish: v1::NodePublishVolumeRequest = rig.driver().last(UP[2]);
    for capability in [
        attach.volume_capability,
        stage.volume_capability,
        publish.volume_capability,
    ] {
        let access = capability.unwrap().access_type.unwrap();
        assert!(
            matches!(access, v1::volume_capability::AccessType::Block(_)),
            "{access:?}"
        );
    }
}

#[tokio::test]
async fn a_target_path_lies_below_a_root_and_is_nobody_else_s() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let roots = vec![root.path().to_owned()];
    let rig = Claimed::start_with(|_| {}, |config| config.target_roots = roots).await;
    for volume in ["v", "w", "x"] {
        rig.register(volume).await;
    }
    let at = |path: &std::path::Path| json!({"target_path": path});
    for outsider in [
        outside.path().join("a"),
        root.path().join("../a"),
        root.path().to_owned(),
        "a".into(),
    ] {
        let refused = ask(&rig, "v", "a", at(&outsider)).await.unwrap_err();
        assert_eq!(refused.fault.answer().status, 400, "{refused}");
    }
    let path = root.path().join("deep/down/data");
    let claim = rig.take("v", "a", at(&path)).await.unwrap();
    assert_eq!(claim.target_path, path);
    let asked: v1::NodePublishVolumeRequest = rig.driver().last(UP[2]);
    assert_eq!(asked.target_path, path.display().to_string());
    rig.forget();

    for taken in [path.clone(), path.join("inside"), root.path().join("deep")] {
        let name = taken.display().to_string();
        let refused = ask(&rig, "w", &name, at(&taken)).await.unwrap_err();
        assert_eq!(refused.fault.answer().status, 409, "{refused}");
        let user = format!(
            "is used by allocation {} for volume \"v\"",
            named("v", "a").1
        );
        assert!(refused.to_string().contains(&user), "{refused}");
    }
    std::os::unix::fs::symlink(outside.path(), root.path().join("out")).unwrap();
    let out = root.path().join("out/data");
    let refused = rig.take("x", "b", at(&out)).await.unwrap_err();
    assert!(refused.to_string().contains("leads out of"), "{refused}");
    assert_eq!(rig.server().gone("x", "b").await.end(), Some(Ended::Failed));
    assert_eq!(rig.rig.count(Call::NodePublishVolume), 0);

    rig.give_back("v", "a").await.unwrap();
    assert!(
        !root.path().join("deep").exists(),
        "what was made is removed"
    );
}

#[tokio::test]
async fn a_driver_in_a_container_is_told_the_paths_that_it_sees() {
    let host = tempfile::tempdir().unwrap();
    let base = BaseDir {
        host: host.path().to_owned(),
        driver: "/csi".into(),
    };
    let rig = Claimed::start_with(|_| {}, |config| config.plugins[0].base_dir = Some(base)).await;
    rig.register("v").await;
    let claim = rig.take("v", "a", json!({})).await.unwrap();
    assert!(claim.target_path.starts_with(host.path().join("claims")));
    let publish: v1::NodePublishVolumeRequest = rig.driver().last(UP[2]);
    assert!(
        publish.target_path.starts_with("/csi/claims/"),
        "{publish:?}"
    );
    assert!(
        publish.staging_target_path.starts_with("/csi/staging/"),
        "{publish:?}"
    );
    assert!(rig.server().attachment().staging_path.unwrap().is_dir());
    rig.give_back("v", "a").await.unwrap();
    assert_eq!(
        std::fs::read_dir(host.path().join("staging"))
            .unwrap()
            .count(),
        0
    );
}
