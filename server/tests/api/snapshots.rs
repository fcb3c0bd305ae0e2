//! Snapshots: taken, listed and deleted at drivers.

use crate::driven::Driven;
use crate::rig::{Answered, Rig, one_error};
use crate::scripted_driver::Reply;
use crate::server::{TestServer, volume};
use jiff::SignedDuration;
use saddlebag::csi::{Call, v1};
use saddlebag_client::types;
use serde_json::{Value, json};
use std::collections::HashMap;

const DELETE: &str = "controller delete snapshot: CSI.ControllerDeleteSnapshot: ";

impl Rig {
    /// Takes snapshots as described.
    pub async fn snapshot(&self, snapshots: Value) -> Answered<types::SnapshotsAnswer> {
        let snapshots: Vec<types::SnapshotRequest> = serde_json::from_value(snapshots).unwrap();
        let call = self.client().create_snapshots();
        let answer = call
            .body_map(|body| body.snapshots(snapshots))
            .send()
            .await?;
        Ok(answer.into_inner())
    }

    /// Deletes a snapshot of plugin `disk`, with secrets as in the header.
    pub async fn delete_snapshot(&self, id: &str, secrets: &str) -> Answered<()> {
        let call = self
            .client()
            .delete_snapshot()
            .plugin_id("disk")
            .snapshot_id(id);
        call.x_nomad_csi_secrets(secrets).send().await.map(|_| ())
    }
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, String> {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Conformance case 49.
#[tokio::test]
async fn a_snapshot_shows_what_the_driver_says_and_neither_secrets_nor_parameters() {
    let rig = Rig::start().await;
    let secrets = json!({"ExternalID": "e", "Secrets": {"user": "me", "password": "old"}});
    rig.register("db", secrets).await.unwrap();
    let answer = v1::CreateSnapshotResponse {
        snapshot: Some(v1::Snapshot {
            snapshot_id: "snap-1".to_owned(),
            source_volume_id: "e".to_owned(),
            size_bytes: 4096,
            creation_time: Some(prost_types::Timestamp {
                seconds: 1_700_000_000,
                nanos: 5,
            }),
            ready_to_use: false,
            ..v1::Snapshot::default()
        }),
    };
    rig.driver
        .script(Call::CreateSnapshot, Reply::answer(answer));
    let asked = json!([{
        "SourceVolumeID": "db", "PluginID": "disk", "Name": "nightly",
        "Secrets": {"password": "new"}, "Parameters": {"class": "cold"},
    }]);
    let taken = rig.snapshot(asked).await.unwrap();
    assert_eq!(
        (taken.index, taken.known_leader, taken.next_token.as_str()),
        (0, false, "")
    );
    let [snapshot] = &taken.snapshots.unwrap()[..] else {
        panic!("not one")
    };
    assert_eq!(
        (
            snapshot.id.as_str(),
            snapshot.external_source_volume_id.as_str()
        ),
        ("snap-1", "e")
    );
    assert_eq!(
        (snapshot.size_bytes, snapshot.create_time, snapshot.is_ready),
        (4096, 1_700_000_000, false)
    );
    assert_eq!(
        (
            snapshot.name.as_str(),
            snapshot.plugin_id.as_str(),
            snapshot.source_volume_id.as_str()
        ),
        ("", "", "")
    );
    assert!(snapshot.secrets.is_none() && snapshot.parameters.is_none());

    let told: v1::CreateSnapshotRequest = rig.driver.last(Call::CreateSnapshot);
    assert_eq!(
        (told.source_volume_id.as_str(), told.name.as_str()),
        ("e", "nightly")
    );
    assert_eq!(told.secrets, pairs([("user", "me"), ("password", "new")]));
    assert_eq!(told.parameters, pairs([("class", "cold")]));
}

#[tokio::test]
async fn each_of_the_five_urls_takes_snapshots() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let with = |snapshot: Value| json!({"Snapshots": [snapshot]});
    let named = with(json!({"SourceVolumeID": "db", "Name": "s"}));
    let unnamed = with(json!({"Name": "s"}));
    for (method, path, body, status) in [
        ("PUT", "/v1/volumes/snapshot", &named, 200),
        ("POST", "/v1/volumes/snapshot", &named, 200),
        ("PUT", "/v1/volumes/snapshot/db", &named, 200),
        ("PUT", "/v1/volumes/snapshot/db", &unnamed, 200),
        ("PUT", "/v1/volume/csi/db/snapshot", &named, 200),
        ("PUT", "/v1/volume/csi/db/snapshot", &unnamed, 200),
        ("PUT", "/v1/volumes/snapshot/other", &named, 400),
        ("PUT", "/v1/volume/csi/other/snapshot", &named, 400),
        ("PUT", "/v1/volume/csi/other/snapshot", &unnamed, 404),
        ("PUT", "/v1/volumes/snapshot", &unnamed, 404),
    ] {
        let answer = rig.server.ask(method, path).json(body).send().await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        if status == 200 {
            assert_eq!(answer.header("x-nomad-index"), Some("0"));
            assert_eq!(answer.json()["Snapshots"][0]["ExternalSourceVolumeID"], "e");
        }
    }
    for empty in [
        json!({}),
        json!({"Snapshots": []}),
        json!({"Snapshots": null}),
    ] {
        let answer = rig
            .server
            .ask("PUT", "/v1/volumes/snapshot")
            .json(&empty)
            .send()
            .await;
        assert_eq!(
            (answer.status, &answer.json()["Snapshots"]),
            (200, &Value::Null)
        );
    }
    let null = rig
        .server
        .ask("PUT", "/v1/volumes/snapshot")
        .json(&json!({"Snapshots": [null]}))
        .send()
        .await;
    assert_eq!((null.status, null.text()), (400, "snapshot cannot be nil"));
}

/// Conformance case 51: the header's secrets only, since snapshots are not stored.
#[tokio::test]
async fn deleting_a_snapshot_gives_the_driver_the_secrets_of_the_header() {
    let rig = Rig::start().await;
    for (id, header, secrets) in [("s1", "", pairs([])), ("s2", "k=v", pairs([("k", "v")]))] {
        rig.delete_snapshot(id, header).await.unwrap();
        let told: v1::DeleteSnapshotRequest = rig.driver.last(Call::DeleteSnapshot);
        assert_eq!((told.snapshot_id.as_str(), told.secrets), (id, secrets));
    }
    assert_eq!(rig.count(Call::DeleteSnapshot), 2);

    let long = "x".repeat(769);
    for (query, status, text) in [
        ("".to_owned(), 404, "no such plugin".to_owned()),
        (
            "?snapshot_id=s".to_owned(),
            404,
            "no such plugin".to_owned(),
        ),
        (
            "?plugin_id=nope&snapshot_id=s".to_owned(),
            404,
            "no such plugin".to_owned(),
        ),
        (
            "?plugin_id=disk".to_owned(),
            400,
            format!(r#"could not delete "": {DELETE}missing SnapshotID"#),
        ),
        (
            "?plugin_id=disk&snapshot_id=a%00b".to_owned(),
            400,
            r#"snapshot id "a\0b" must not contain control characters"#.to_owned(),
        ),
        (
            format!("?plugin_id=disk&snapshot_id={long}"),
            400,
            "snapshot id has 769 bytes, more than 768".to_owned(),
        ),
    ] {
        let path = format!("/v1/volumes/snapshot{query}");
        let answer = rig.server.ask("DELETE", &path).send().await;
        assert_eq!(
            (answer.status, answer.text()),
            (status, one_error(&text).as_str())
        );
    }
    assert_eq!(rig.count(Call::DeleteSnapshot), 2);
    assert_eq!(rig.server.control_plane.state().under_way().count(), 0);
}

/// Conformance cases 52 and 53.
#[tokio::test]
async fn a_page_of_snapshots_is_the_drivers_and_secrets_reach_it_from_the_header() {
    let rig = Rig::start().await;
    let snapshot = |id: &str| v1::list_snapshots_response::Entry {
        snapshot: Some(v1::Snapshot {
            snapshot_id: id.to_owned(),
            source_volume_id: "e".to_owned(),
            creation_time: Some(prost_types::Timestamp {
                seconds: 7,
                nanos: 0,
            }),
            ready_to_use: true,
            ..v1::Snapshot::default()
        }),
    };
    let answer = v1::ListSnapshotsResponse {
        entries: ["a", "b", "c"].map(snapshot).to_vec(),
        next_token: "4".to_owned(),
    };
    rig.driver
        .always(Call::ListSnapshots, Reply::answer(answer));
    for (header, secrets) in [
        ("", pairs([])),
        ("k=v", pairs([("k", "v")])),
        ("k1=v1,k2=v2", pairs([("k1", "v1"), ("k2", "v2")])),
        ("k=v=w=", pairs([("k", "v=w=")])),
        ("junk,k=v,,", pairs([("k", "v")])),
        ("k=a,b", pairs([("k", "a")])),
        ("k=1,k=2", pairs([("k", "2")])),
    ] {
        let call = rig
            .client()
            .list_snapshots()
            .plugin_id("disk")
            .per_page(2)
            .next_token("2");
        let listed = call.x_nomad_csi_secrets(header).send().await.unwrap();
        assert_eq!(listed.headers()["x-nomad-index"], "0");
        let listed = listed.into_inner();
        assert_eq!(listed.next_token, "4");
        let snapshots = listed.snapshots.unwrap();
        let ids: Vec<_> = snapshots
            .iter()
            .map(|snapshot| snapshot.id.as_str())
            .collect();
        assert_eq!(
            ids,
            ["a", "b", "c"],
            "what the driver gives beyond the page is not lost"
        );
        assert_eq!(
            (
                snapshots[0].plugin_id.as_str(),
                snapshots[0].create_time,
                snapshots[0].is_ready
            ),
            ("disk", 7, true)
        );
        let told: v1::ListSnapshotsRequest = rig.driver.last(Call::ListSnapshots);
        assert_eq!(
            (told.max_entries, told.starting_token.as_str(), told.secrets),
            (2, "2", secrets)
        );
    }
}

/// Conformance case 86, on the real driver.
#[tokio::test]
async fn a_snapshot_is_taken_listed_made_a_volume_and_deleted() {
    let server = TestServer::start().await;
    server.create("db").await;
    let take = || {
        let snapshot = json!([{"SourceVolumeID": "db", "Name": "nightly"}]);
        let snapshots: Vec<types::SnapshotRequest> = serde_json::from_value(snapshot).unwrap();
        server
            .client
            .create_snapshots()
            .body_map(|body| body.snapshots(snapshots))
            .send()
    };
    let taken = take().await.unwrap().into_inner().snapshots.unwrap();
    assert!(taken[0].is_ready);
    let again = take().await.unwrap().into_inner().snapshots.unwrap();
    assert_eq!(again[0].id, taken[0].id, "one name is one snapshot");

    let listed = server
        .client
        .list_snapshots()
        .plugin_id("local")
        .per_page(10)
        .send()
        .await
        .unwrap();
    let ids: Vec<_> = listed
        .snapshots
        .iter()
        .flatten()
        .map(|snapshot| &snapshot.id)
        .collect();
    assert_eq!(ids, [&taken[0].id]);

    let mut copy = volume("copy");
    copy.snapshot_id = Some(taken[0].id.clone());
    let made = crate::server::create(&server.client, copy).await.unwrap();
    assert_eq!(made.volumes[0].snapshot_id, taken[0].id);

    for _ in 0..2 {
        let call = server
            .client
            .delete_snapshot()
            .plugin_id("local")
            .snapshot_id(&taken[0].id);
        call.send().await.unwrap();
    }
    let listed = server
        .client
        .list_snapshots()
        .plugin_id("local")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.snapshots.as_deref(), Some(&[][..]));
}

/// The driver answers an older snapshot for the same name: one on its way out is not given to anybody.
#[tokio::test]
async fn a_snapshot_of_the_name_of_one_that_is_being_deleted_is_taken_after_that() {
    let driven = Driven::start().await;
    driven.create("db").await.unwrap().unwrap();
    let taken = driven.snapshot("db", "nightly").await.unwrap().unwrap();
    let id = taken.snapshots.unwrap()[0].id.clone();
    let held = driven.hold(Call::DeleteSnapshot);
    let (client, deleted) = (driven.server.client.clone(), id.clone());
    let delete = tokio::spawn(async move {
        let delete = client.delete_snapshot().plugin_id("scripted");
        delete.snapshot_id(&deleted).send().await.map(drop)
    });
    driven.driver.asked(Call::DeleteSnapshot, 1).await;

    let again = driven.snapshot("db", "nightly");
    let waiting = driven.waiting("db").await;
    let why = waiting.last_error.unwrap();
    assert!(
        why.starts_with(&format!("the delete of snapshot {id:?}")),
        "{why}"
    );
    held.go_on();
    delete.await.unwrap().unwrap();
    driven.server.clock.advance(SignedDuration::from_secs(1));
    again.await.unwrap().unwrap();
    let asked: Vec<v1::CreateSnapshotRequest> = driven.driver.questions(Call::CreateSnapshot);
    assert_eq!(asked.len(), 3);
}
