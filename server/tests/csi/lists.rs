//! Lists, page by page.

use super::*;
use crate::scripted_driver::{Reply, ScriptedDriver};
use saddlebag::csi::{
    About, Code, Condition, ListSnapshots, ListVolumes,
    v1::{self, list_volumes_response as volumes},
};

fn entry(id: &str) -> volumes::Entry {
    volumes::Entry {
        volume: Some(v1::Volume {
            volume_id: id.into(),
            ..Default::default()
        }),
        status: None,
    }
}

#[tokio::test]
async fn a_page_is_asked_for_and_given_as_the_driver_has_it() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let longer_than_asked = v1::ListVolumesResponse {
        entries: vec![
            entry("a"),
            volumes::Entry::default(),
            entry("b"),
            entry("c"),
        ],
        next_token: "after-c".into(),
    };
    driver.script(Call::ListVolumes, Reply::answer(longer_than_asked));
    let list = ListVolumes {
        max_entries: 2,
        starting_token: "from-a".into(),
    };
    let page = connection.list_volumes(&list).await.unwrap();
    let ids: Vec<_> = page
        .entries
        .iter()
        .map(|entry| entry.volume.external_id.as_str())
        .collect();
    assert_eq!(
        (ids.as_slice(), page.next_token.as_str()),
        (&["a", "b", "c"][..], "after-c")
    );
    let sent: v1::ListVolumesRequest = driver.last(Call::ListVolumes);
    assert_eq!(
        (sent.max_entries, sent.starting_token.as_str()),
        (2, "from-a")
    );
}

#[tokio::test]
async fn nodes_and_condition_of_a_listed_volume_are_read() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let with_status = |nodes: &[&str], condition| volumes::Entry {
        status: Some(volumes::VolumeStatus {
            published_node_ids: nodes.iter().map(|&node| node.into()).collect(),
            volume_condition: condition,
        }),
        ..entry("a")
    };
    let broken = v1::VolumeCondition {
        abnormal: true,
        message: "degraded".into(),
    };
    let answer = v1::ListVolumesResponse {
        entries: vec![
            entry("a"),
            with_status(&[""], None),
            with_status(&["n", "m"], Some(broken)),
        ],
        next_token: String::new(),
    };
    driver.script(Call::ListVolumes, Reply::answer(answer));
    let page = connection
        .list_volumes(&ListVolumes::default())
        .await
        .unwrap();
    let nodes: Vec<_> = page
        .entries
        .iter()
        .map(|entry| entry.published_node_ids.clone())
        .collect();
    assert_eq!(
        nodes,
        [
            None,
            Some(vec![]),
            Some(vec!["n".to_owned(), "m".to_owned()])
        ]
    );
    let condition = Condition {
        abnormal: true,
        message: "degraded".into(),
    };
    assert_eq!(page.entries[2].condition, Some(condition));
    assert_eq!(page.entries[1].condition, None);
}

#[tokio::test]
async fn snapshots_are_listed_with_filters_and_secrets() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let snapshot = v1::Snapshot {
        snapshot_id: "snap".into(),
        ..Default::default()
    };
    let answer = v1::ListSnapshotsResponse {
        entries: vec![
            v1::list_snapshots_response::Entry { snapshot: None },
            v1::list_snapshots_response::Entry {
                snapshot: Some(snapshot),
            },
        ],
        next_token: "more".into(),
    };
    driver.script(Call::ListSnapshots, Reply::answer(answer));
    let list = ListSnapshots {
        max_entries: 5,
        starting_token: "t".into(),
        source_volume_id: "vol".into(),
        snapshot_id: "snap".into(),
        secrets: secrets(),
    };
    let page = connection.list_snapshots(&list).await.unwrap();
    assert_eq!((page.entries.len(), page.next_token.as_str()), (1, "more"));
    let sent: v1::ListSnapshotsRequest = driver.last(Call::ListSnapshots);
    assert_eq!(
        (sent.source_volume_id.as_str(), sent.snapshot_id.as_str()),
        ("vol", "snap")
    );
    assert_eq!(sent.secrets["password"], "hunter2");
}

#[tokio::test]
async fn a_bad_page_token_is_final() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    driver.script(
        Call::ListVolumes,
        Reply::refuse(tonic::Code::Aborted, "no such page"),
    );
    let error = connection
        .list_volumes(&ListVolumes::default())
        .await
        .unwrap_err();
    assert_eq!((error.code, error.class()), (Code::Aborted, Class::Final));
    let about = About {
        token: "zz",
        ..About::default()
    };
    assert_eq!(
        error.nomad_text(&about),
        "controller list volumes: CSI.ControllerListVolumes: invalid starting token \"zz\": rpc \
         error: code = Aborted desc = no such page"
    );
}

#[tokio::test]
async fn one_volume_is_looked_at_by_its_id() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let volume = connection.controller_get_volume("vol").await.unwrap();
    assert_eq!(volume.volume.external_id, "vol");
    let well = connection
        .controller_get_volume_health("vol", &secrets())
        .await
        .unwrap();
    assert_eq!(well, Condition::default());
}

#[tokio::test]
async fn health_of_all_volumes_comes_in_pages() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let degraded = v1::volume_health::VolumeHealthEntry {
        status: 1,
        reason: "rebuild".into(),
        message: String::new(),
    };
    let health = |id: &str, health_statuses| v1::VolumeHealth {
        volume_id: id.into(),
        health_statuses,
    };
    let answer = v1::ControllerListVolumeHealthResponse {
        entries: vec![health("a", vec![]), health("b", vec![degraded])],
        next_token: "more".into(),
    };
    driver.script(Call::ControllerListVolumeHealth, Reply::answer(answer));
    let page = connection
        .controller_list_volume_health(2, "t", &secrets())
        .await
        .unwrap();
    assert_eq!(page.next_token, "more");
    let read: Vec<_> = page
        .entries
        .iter()
        .map(|(id, condition)| (id.as_str(), condition.abnormal, condition.message.as_str()))
        .collect();
    assert_eq!(read, [("a", false, ""), ("b", true, "DEGRADED: rebuild")]);
}
