//! What the Node service of a driver is asked, and how its answers are read.

use super::*;
use crate::calls::{map, sent_secrets};
use crate::scripted_driver::{Reply, ScriptedDriver};
use saddlebag::csi::{
    Condition, NodeGetVolumeStats, NodePublishVolume, NodeStageVolume, NodeUnpublishVolume,
    NodeUnstageVolume, PublishContext, Unit, Usage, v1,
};
use std::collections::BTreeMap;

#[tokio::test]
async fn the_node_side_is_told_paths_context_and_secrets() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let publish_context = || PublishContext::from_plain(map::<BTreeMap<_, _>>("device", "/dev/b"));
    let stage = NodeStageVolume {
        external_id: "vol".into(),
        publish_context: publish_context(),
        staging_target_path: "/staging".into(),
        capability: file_system("ext4", &["noatime"]),
        secrets: secrets(),
        volume_context: map("share", "/a"),
    };
    connection.node_stage_volume(&stage).await.unwrap();
    let sent: v1::NodeStageVolumeRequest = driver.last(Call::NodeStageVolume);
    assert_eq!(sent.publish_context, map("device", "/dev/b"));
    assert_eq!(
        (sent.staging_target_path.as_str(), sent.secrets),
        ("/staging", sent_secrets())
    );
    assert_eq!(sent.volume_context, map("share", "/a"));

    let publish = NodePublishVolume {
        external_id: "vol".into(),
        publish_context: publish_context(),
        staging_target_path: "/staging".into(),
        target_path: "/target".into(),
        capability: stage.capability,
        readonly: true,
        secrets: secrets(),
        volume_context: map("share", "/a"),
    };
    connection.node_publish_volume(&publish).await.unwrap();
    let sent: v1::NodePublishVolumeRequest = driver.last(Call::NodePublishVolume);
    assert_eq!(
        (sent.target_path.as_str(), sent.readonly),
        ("/target", true)
    );
    assert_eq!(sent.publish_context, map("device", "/dev/b"));

    let unpublish = NodeUnpublishVolume {
        external_id: "vol".into(),
        target_path: "/target".into(),
    };
    connection.node_unpublish_volume(&unpublish).await.unwrap();
    let unstage = NodeUnstageVolume {
        external_id: "vol".into(),
        staging_target_path: "/staging".into(),
    };
    connection.node_unstage_volume(&unstage).await.unwrap();
    assert_eq!(
        driver.calls(),
        [
            Call::NodeStageVolume,
            Call::NodePublishVolume,
            Call::NodeUnpublishVolume,
            Call::NodeUnstageVolume
        ]
    );
}

#[tokio::test]
async fn stats_and_health_are_read_from_old_and_new_drivers() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let usage = |unit: i32, total| v1::VolumeUsage {
        available: 1,
        total,
        used: 2,
        unit,
    };
    let answer = v1::NodeGetVolumeStatsResponse {
        usage: vec![usage(1, 3), usage(2, 4), usage(0, 5), usage(77, 6)],
        volume_condition: Some(v1::VolumeCondition {
            abnormal: true,
            message: "not mounted".into(),
        }),
    };
    driver.script(Call::NodeGetVolumeStats, Reply::answer(answer));
    let get = NodeGetVolumeStats {
        external_id: "vol".into(),
        volume_path: "/target".into(),
        staging_target_path: "/staging".into(),
    };
    let stats = connection.node_get_volume_stats(&get).await.unwrap();
    let read = |unit, total| Usage {
        unit,
        total,
        used: 2,
        available: 1,
    };
    assert_eq!(stats.usage, [read(Unit::Bytes, 3), read(Unit::Inodes, 4)]);
    let abnormal = Condition {
        abnormal: true,
        message: "not mounted".into(),
    };
    assert_eq!(stats.condition, Some(abnormal));

    let entry = |status, reason: &str, message: &str| v1::volume_health::VolumeHealthEntry {
        status,
        reason: reason.into(),
        message: message.into(),
    };
    let answer = v1::NodeGetVolumeHealthResponse {
        volume_health: Some(v1::VolumeHealth {
            volume_id: "vol".into(),
            health_statuses: vec![entry(2, "NoPath", "2 of 2 down"), entry(99, "", "odd")],
        }),
    };
    driver.script(Call::NodeGetVolumeHealth, Reply::answer(answer));
    let health = connection.node_get_volume_health(&get).await.unwrap();
    assert!(health.abnormal);
    assert_eq!(
        health.message,
        "INACCESSIBLE: NoPath: 2 of 2 down; UNKNOWN: odd"
    );
    let well = connection.node_get_volume_health(&get).await.unwrap();
    assert_eq!(well, Condition::default());
}
