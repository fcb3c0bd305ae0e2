//! What a driver is asked, and how its answers are read.

use super::*;
use crate::scripted_driver::{Reply, ScriptedDriver};
use saddlebag::csi::{
    CapacityRange, Code, ContentSource, ControllerExpandVolume, ControllerPublishVolume,
    ControllerUnpublishVolume, CreateSnapshot, CreateVolume, DeleteSnapshot, Expanded, GetCapacity,
    GetSnapshot, NodeExpandVolume, Topology, TopologyRequirement, Volume,
    v1::{self, volume_content_source as source},
};
use std::collections::HashMap;

pub fn map<M: FromIterator<(String, String)>>(key: &str, value: &str) -> M {
    [(key.to_owned(), value.to_owned())].into_iter().collect()
}

fn zone(name: &str) -> Topology {
    Topology {
        segments: map("zone", name),
    }
}

pub fn sent_secrets() -> HashMap<String, String> {
    map("password", "hunter2")
}

#[tokio::test]
async fn a_create_says_all_that_was_asked() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let mut create = CreateVolume {
        name: "data-1".into(),
        capacity_range: CapacityRange {
            required_bytes: 10,
            limit_bytes: 20,
        },
        capabilities: vec![
            file_system("ext4", &["noatime"]),
            block_device(AccessMode::MultiNodeMultiWriter),
        ],
        parameters: map("tier", "gold"),
        secrets: secrets(),
        content_source: Some(ContentSource::Snapshot("snap".into())),
        accessibility_requirements: Some(TopologyRequirement {
            requisite: vec![zone("a"), zone("b")],
            preferred: vec![zone("b")],
        }),
    };
    let answered = connection.create_volume(&create).await.unwrap();
    assert_eq!(
        answered,
        Volume {
            external_id: "id-of-data-1".into(),
            capacity_bytes: 10,
            content_source: create.content_source.clone(),
            ..Default::default()
        }
    );

    let sent: v1::CreateVolumeRequest = driver.last(Call::CreateVolume);
    let range = sent.capacity_range.unwrap();
    assert_eq!((range.required_bytes, range.limit_bytes), (10, 20));
    assert_eq!(sent.volume_capabilities.len(), 2);
    assert_eq!(
        (sent.parameters, sent.secrets),
        (map("tier", "gold"), sent_secrets())
    );
    let topologies = sent.accessibility_requirements.unwrap();
    assert_eq!(
        (topologies.requisite.len(), topologies.preferred.len()),
        (2, 1)
    );
    assert_eq!(topologies.preferred[0].segments, map("zone", "b"));
    let snapshot = source::SnapshotSource {
        snapshot_id: "snap".into(),
    };
    let sent_source = sent.volume_content_source.unwrap().r#type;
    assert_eq!(sent_source, Some(source::Type::Snapshot(snapshot)));

    create.content_source = Some(ContentSource::Volume("other".into()));
    let cloned = connection.create_volume(&create).await.unwrap();
    assert_eq!(cloned.content_source, create.content_source);
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_sent() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let create = CreateVolume {
        name: "bare".into(),
        ..Default::default()
    };
    connection.create_volume(&create).await.unwrap();
    let sent: v1::CreateVolumeRequest = driver.last(Call::CreateVolume);
    let bare = v1::CreateVolumeRequest {
        name: "bare".into(),
        ..Default::default()
    };
    assert_eq!(sent, bare);
}

#[tokio::test]
async fn an_answer_without_a_volume_is_a_final_error() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let create = CreateVolume {
        name: "data".into(),
        ..Default::default()
    };
    let nameless = v1::CreateVolumeResponse {
        volume: Some(v1::Volume::default()),
    };
    for answer in [v1::CreateVolumeResponse::default(), nameless] {
        driver.script(Call::CreateVolume, Reply::answer(answer));
        let error = connection.create_volume(&create).await.unwrap_err();
        assert_eq!((error.code, error.class()), (Code::Internal, Class::Final));
        assert_eq!(
            error.message,
            "the driver answered CreateVolume without a volume id"
        );
    }
}

#[tokio::test]
async fn a_created_volume_keeps_its_context_and_topology() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let answer = v1::CreateVolumeResponse {
        volume: Some(v1::Volume {
            volume_id: "x".into(),
            capacity_bytes: 42,
            volume_context: map("share", "/a"),
            content_source: None,
            accessible_topology: vec![v1::Topology {
                segments: map("zone", "a"),
            }],
        }),
    };
    driver.script(Call::CreateVolume, Reply::answer(answer));
    let create = CreateVolume {
        name: "data".into(),
        ..Default::default()
    };
    let expected = Volume {
        external_id: "x".into(),
        capacity_bytes: 42,
        context: map("share", "/a"),
        content_source: None,
        accessible_topology: vec![zone("a")],
    };
    assert_eq!(connection.create_volume(&create).await.unwrap(), expected);
}

#[tokio::test]
async fn attaching_and_detaching_name_volume_and_node() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let answer = v1::ControllerPublishVolumeResponse {
        publish_context: map("device", "/dev/xvdb"),
    };
    driver.script(Call::ControllerPublishVolume, Reply::answer(answer));
    let publish = ControllerPublishVolume {
        external_id: "vol".into(),
        external_node_id: "node".into(),
        capability: file_system("xfs", &["ro"]),
        readonly: true,
        secrets: secrets(),
        volume_context: map("share", "/a"),
    };
    let context = connection
        .controller_publish_volume(&publish)
        .await
        .unwrap();
    assert_eq!(context.get("device").unwrap().expose(), "/dev/xvdb");
    assert!(!format!("{context:?}").contains("xvdb"));

    let sent: v1::ControllerPublishVolumeRequest = driver.last(Call::ControllerPublishVolume);
    assert_eq!(
        (sent.volume_id.as_str(), sent.node_id.as_str()),
        ("vol", "node")
    );
    assert_eq!((sent.readonly, sent.secrets), (true, sent_secrets()));
    assert_eq!(sent.volume_context, map("share", "/a"));

    let unpublish = ControllerUnpublishVolume {
        external_id: "vol".into(),
        external_node_id: "node".into(),
        secrets: secrets(),
    };
    connection
        .controller_unpublish_volume(&unpublish)
        .await
        .unwrap();
    let sent: v1::ControllerUnpublishVolumeRequest = driver.last(Call::ControllerUnpublishVolume);
    assert_eq!(
        (sent.volume_id.as_str(), sent.node_id.as_str()),
        ("vol", "node")
    );
    assert_eq!(sent.secrets, sent_secrets());
}

#[tokio::test]
async fn a_snapshot_is_read_with_its_time() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let snapshot = v1::Snapshot {
        snapshot_id: "snap".into(),
        source_volume_id: "vol".into(),
        size_bytes: 7,
        creation_time: Some(prost_types::Timestamp {
            seconds: 1_700_000_000,
            nanos: 5,
        }),
        ready_to_use: false,
        group_snapshot_id: "group".into(),
        accessible_topology: Vec::new(),
    };
    let answer = v1::CreateSnapshotResponse {
        snapshot: Some(snapshot.clone()),
    };
    driver.script(Call::CreateSnapshot, Reply::answer(answer));
    let create = CreateSnapshot {
        source_volume_id: "vol".into(),
        name: "nightly".into(),
        secrets: secrets(),
        parameters: map("tier", "cold"),
        accessibility_requirements: None,
    };
    let read = connection.create_snapshot(&create).await.unwrap();
    assert_eq!(
        (read.id.as_str(), read.size_bytes, read.ready_to_use),
        ("snap", 7, false)
    );
    assert_eq!(read.creation_time.unwrap().as_second(), 1_700_000_000);
    let sent: v1::CreateSnapshotRequest = driver.last(Call::CreateSnapshot);
    assert_eq!(
        (sent.name.as_str(), sent.secrets),
        ("nightly", sent_secrets())
    );
    assert_eq!(sent.parameters, map("tier", "cold"));

    let impossible = prost_types::Timestamp {
        seconds: i64::MAX,
        nanos: -1,
    };
    let answer = v1::GetSnapshotResponse {
        snapshot: Some(v1::Snapshot {
            creation_time: Some(impossible),
            ..snapshot
        }),
    };
    driver.script(Call::GetSnapshot, Reply::answer(answer));
    let get = GetSnapshot {
        snapshot_id: "snap".into(),
        secrets: secrets(),
    };
    let read = connection.get_snapshot(&get).await.unwrap();
    assert_eq!(
        (read.creation_time, read.group_snapshot_id.as_str()),
        (None, "group")
    );
    let sent: v1::GetSnapshotRequest = driver.last(Call::GetSnapshot);
    assert_eq!(
        (sent.snapshot_id.as_str(), sent.secrets),
        ("snap", sent_secrets())
    );

    let delete = DeleteSnapshot {
        snapshot_id: "snap".into(),
        secrets: secrets(),
    };
    connection.delete_snapshot(&delete).await.unwrap();
    let sent: v1::DeleteSnapshotRequest = driver.last(Call::DeleteSnapshot);
    assert_eq!(
        (sent.snapshot_id.as_str(), sent.secrets),
        ("snap", sent_secrets())
    );
}

#[tokio::test]
async fn growing_tells_the_capability_and_whether_nodes_have_to_know() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let expand = ControllerExpandVolume {
        external_id: "vol".into(),
        capacity_range: CapacityRange {
            required_bytes: 30,
            limit_bytes: 0,
        },
        capability: Some(file_system("ext4", &[])),
        secrets: secrets(),
    };
    let expected = Expanded {
        capacity_bytes: 30,
        node_expansion_required: true,
    };
    assert_eq!(
        connection.controller_expand_volume(&expand).await.unwrap(),
        expected
    );
    let sent: v1::ControllerExpandVolumeRequest = driver.last(Call::ControllerExpandVolume);
    assert!(sent.volume_capability.is_some());
    assert_eq!(sent.secrets, sent_secrets());

    let on_node = NodeExpandVolume {
        external_id: "vol".into(),
        volume_path: "/target".into(),
        capacity_range: expand.capacity_range,
        staging_target_path: "/staging".into(),
        capability: expand.capability,
        secrets: secrets(),
    };
    assert_eq!(connection.node_expand_volume(&on_node).await.unwrap(), 30);
    let sent: v1::NodeExpandVolumeRequest = driver.last(Call::NodeExpandVolume);
    assert_eq!(sent.volume_path, "/target");
    assert_eq!(sent.staging_target_path, "/staging");
    assert_eq!(sent.secrets, sent_secrets());
}

#[tokio::test]
async fn room_is_asked_for_by_parameters_and_place() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let answer = v1::GetCapacityResponse {
        available_capacity: 100,
        maximum_volume_size: Some(50),
        minimum_volume_size: None,
    };
    driver.script(Call::GetCapacity, Reply::answer(answer));
    let question = GetCapacity {
        capabilities: vec![file_system("", &[])],
        parameters: map("tier", "gold"),
        accessible_topology: Some(zone("a")),
    };
    let room = connection.get_capacity(&question).await.unwrap();
    assert_eq!(
        (room.available_bytes, room.maximum_volume_bytes),
        (100, Some(50))
    );
    assert_eq!(room.minimum_volume_bytes, None);
    let sent: v1::GetCapacityRequest = driver.last(Call::GetCapacity);
    assert_eq!(sent.accessible_topology.unwrap().segments, map("zone", "a"));
    assert_eq!(sent.parameters, map("tier", "gold"));
}
