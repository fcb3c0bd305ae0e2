//! Drivers that lie: each lie is an error at that plugin, and nothing more.

mod endless;

use crate::claimed::Claimed;
use crate::rig::{Rig, plugin};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::server::{TestServer, refusal, volume};
use prost::Message;
use saddlebag::config::{BaseDir, Launch, PluginConfig};
use saddlebag::csi::{Call, Endpoint, v1};
use saddlebag::id::PluginId;
use saddlebag::plugin::PluginType;
use serde_json::{Value, json};
use std::collections::HashMap;
use tonic::Code;

/// That the plugin does what it is asked once it tells the truth.
async fn still_serves(rig: &Rig) {
    rig.driver.as_usual(Call::CreateVolume);
    rig.create("honest", json!({})).await.unwrap();
}

fn made(id: &str) -> v1::CreateVolumeResponse {
    crate::create::made(id)
}

#[tokio::test]
async fn an_id_that_cannot_be_one_ends_the_create() {
    let rig = Rig::start().await;
    for (id, problem) in [
        (String::new(), "without a volume id"),
        ("x".repeat(10_000), "has 10000 bytes"),
        ("a\u{1b}[2J\r\nb".to_owned(), "control characters"),
    ] {
        rig.driver
            .script(Call::CreateVolume, Reply::answer(made(&id)));
        let (status, error) = refusal(rig.create("db", json!({})).await);
        assert_eq!((status, error.code.as_str()), (502, "driver_failed"));
        assert!(error.message.contains(problem), "{}", error.message);
        assert!(
            !error.message.contains(['\u{1b}', '\r']),
            "{}",
            error.message
        );
        assert_eq!(refusal(rig.server.read("db").await).0, 404);
    }
    still_serves(&rig).await;
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_named_is_not_taken() {
    let rig = Rig::start().await;
    rig.create("db", json!({})).await.unwrap();
    let snapshot = |id: &str, source: &str| v1::CreateSnapshotResponse {
        snapshot: Some(v1::Snapshot {
            snapshot_id: id.to_owned(),
            source_volume_id: source.to_owned(),
            size_bytes: -1,
            ready_to_use: true,
            ..v1::Snapshot::default()
        }),
    };
    let take = || async {
        let body = json!({"Snapshots": [{"SourceVolumeID": "db", "Name": "s"}]});
        let url = rig.server.at("/v1/volumes/snapshot");
        let answer = rig.server.http.put(url).json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    for (id, source, problem) in [
        ("", "of-db", "without a snapshot id"),
        (&*"x".repeat(10_000), "of-db", "has 10000 bytes"),
        ("a\0b", "of-db", "control characters"),
        ("snap", &*"x".repeat(10_000), "has 10000 bytes"),
        ("snap", "a\nb", "control characters"),
    ] {
        rig.driver
            .script(Call::CreateSnapshot, Reply::answer(snapshot(id, source)));
        let (status, error) = take().await;
        assert_eq!(status, 502, "{error}");
        assert!(
            error["message"].as_str().unwrap().contains(problem),
            "{error}"
        );
    }
    rig.driver.script(
        Call::CreateSnapshot,
        Reply::answer(snapshot("snap", "of-db")),
    );
    let (status, taken) = take().await;
    assert_eq!(
        (status, &taken["Snapshots"][0]["SizeBytes"]),
        (200, &json!(0))
    );
}

#[tokio::test]
async fn a_size_below_nothing_counts_as_unsaid() {
    let rig = Rig::start().await;
    let mut negative = made("ext-1");
    negative.volume.as_mut().unwrap().capacity_bytes = i64::MIN;
    let entry = v1::list_volumes_response::Entry {
        volume: negative.volume.clone(),
        status: None,
    };
    rig.driver
        .script(Call::CreateVolume, Reply::answer(negative));
    assert_eq!(rig.create("db", json!({})).await.unwrap().capacity, 0);
    let listed = v1::ListVolumesResponse {
        entries: vec![entry],
        next_token: String::new(),
    };
    rig.driver.script(Call::ListVolumes, Reply::answer(listed));
    let list = rig.client().list_external_volumes().plugin_id("disk");
    let listed = list.send().await.unwrap().into_inner();
    assert_eq!(listed.volumes.unwrap()[0].capacity_bytes, 0);
}

#[tokio::test]
async fn what_a_driver_calls_itself_has_to_be_short_and_readable() {
    let info = |name: &str, version: &str| v1::GetPluginInfoResponse {
        name: name.to_owned(),
        vendor_version: version.to_owned(),
        ..v1::GetPluginInfoResponse::default()
    };
    let node = |id: &str, zone: usize| v1::NodeGetInfoResponse {
        node_id: id.to_owned(),
        accessible_topology: Some(v1::Topology {
            segments: HashMap::from([("zone".to_owned(), "z".repeat(zone))]),
        }),
        ..v1::NodeGetInfoResponse::default()
    };
    let long = "x".repeat(300_000);
    for (call, lie, problem) in [
        (
            Call::GetPluginInfo,
            info(&long, "1").encode_to_vec(),
            "name has 300000 bytes",
        ),
        (
            Call::GetPluginInfo,
            info("a\nb", "1").encode_to_vec(),
            "name \"a\\nb\" holds",
        ),
        (
            Call::GetPluginInfo,
            info("a", &long).encode_to_vec(),
            "version has 300000 bytes",
        ),
        (
            Call::GetPluginInfo,
            info("a", "\u{1b}[2J").encode_to_vec(),
            "version \"\\u{1b}[2J\" holds",
        ),
        (
            Call::NodeGetInfo,
            node(&long, 1).encode_to_vec(),
            "node id has 300000 bytes",
        ),
        (
            Call::NodeGetInfo,
            node("a\0", 1).encode_to_vec(),
            "node id \"a\\0\" holds",
        ),
        (
            Call::NodeGetInfo,
            node("a", 300_000).encode_to_vec(),
            "topology has 300004 bytes",
        ),
    ] {
        let driver = ScriptedDriver::start();
        driver.always(call, Reply::Answer(lie));
        let server = TestServer::start_unready(|config| {
            config.builtin_driver = true;
            config.plugins = vec![plugin("disk", PluginType::Monolith, &driver)];
        })
        .await;
        let disk = PluginId::known("disk");
        server
            .until(problem, |state| {
                let plugin = state.plugin(&disk);
                let mut instances = plugin.into_iter().flat_map(|plugin| &plugin.instances);
                instances.any(|instance| instance.row.description.contains(problem))
            })
            .await;
        // The one beside it is none the worse, and this one is well once it says what can be.
        driver.as_usual(call);
        server.all_healthy().await;
        server.create("db").await;
    }
}

#[tokio::test]
async fn a_message_cannot_drive_a_terminal() {
    let rig = Rig::start().await;
    let message = "no\u{1b}[31m \u{9b}2J\r\0 room\u{7f}\nsecond line";
    rig.driver.script(
        Call::CreateVolume,
        Reply::refuse(Code::ResourceExhausted, message),
    );
    let (status, error) = refusal(rig.create("db", json!({})).await);
    assert_eq!(status, 507);
    let plain = r"no\u{1b}[31m \u{9b}2J\u{d}\u{0} room\u{7f}";
    assert!(
        error.message.contains(&format!("{plain}\nsecond line")),
        "{}",
        error.message
    );
    still_serves(&rig).await;
}

#[tokio::test]
async fn an_answer_that_is_too_large_fails_one_call() {
    let rig = Rig::start().await;
    let listed = v1::ListVolumesResponse {
        entries: Vec::new(),
        next_token: "x".repeat(65 << 20),
    };
    rig.driver.script(Call::ListVolumes, Reply::answer(listed));
    let list = || {
        rig.client()
            .list_external_volumes()
            .plugin_id("disk")
            .send()
    };
    let (status, error) = refusal(list().await);
    assert_eq!(status, 503, "{error:?}");
    assert!(error.message.contains("too large"), "{}", error.message);
    assert!(list().await.is_ok());
}

/// CSI gives a map 4 KiB; more is taken as long as a row holds it.
#[tokio::test]
async fn a_publish_context_that_no_row_holds_fails_the_claim() {
    let claimed = Claimed::start().await;
    claimed.register("db").await;
    let context = v1::ControllerPublishVolumeResponse {
        publish_context: HashMap::from([("device".to_owned(), "x".repeat(300 * 1024))]),
    };
    claimed
        .driver()
        .script(Call::ControllerPublishVolume, Reply::answer(context));
    let error = claimed.take("db", "a", json!({})).await.unwrap_err();
    assert!(error.to_string().contains("cannot be stored"), "{error}");
    claimed.take("db", "b", json!({})).await.unwrap();
}

#[tokio::test]
async fn an_id_that_climbs_leads_nowhere() {
    let claimed = Claimed::start().await;
    let climbing = "../../../../../../etc/passwd";
    claimed
        .register_as("db", json!({"ExternalID": climbing}))
        .await;
    claimed.take("db", "a", json!({})).await.unwrap();
    let staged: v1::NodeStageVolumeRequest = claimed.driver().last(Call::NodeStageVolume);
    let published: v1::NodePublishVolumeRequest = claimed.driver().last(Call::NodePublishVolume);
    assert_eq!(staged.volume_id, climbing);
    for path in [&staged.staging_target_path, &published.target_path] {
        assert!(
            path.starts_with(claimed.server().data().to_str().unwrap()),
            "{path}"
        );
        assert!(!path.contains("..") && !path.contains("passwd"), "{path}");
        assert!(path.len() <= 128, "{path}");
    }
}

/// A driver in a container writes where its volumes are staged and published.
#[tokio::test]
async fn a_link_in_the_way_of_a_path_is_not_followed() {
    let (host, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let base = BaseDir {
        host: host.path().to_owned(),
        driver: "/csi".into(),
    };
    let claimed =
        Claimed::start_with(|_| {}, |config| config.plugins[0].base_dir = Some(base)).await;
    claimed.register("db").await;
    for (name, call) in [
        ("staging", Call::NodeStageVolume),
        ("claims", Call::NodePublishVolume),
    ] {
        let planted = host.path().join(name);
        let _ = std::fs::remove_dir(&planted);
        std::os::unix::fs::symlink(outside.path(), &planted).unwrap();
        claimed.forget();
        let server = claimed.server();
        let shortly = std::time::Duration::from_millis(10);
        let claim = server.take_within(shortly, "db", name, json!({})).await;
        let claim = claim.unwrap();
        server
            .until("the link to be found", |state| {
                let claim = state.claim(&claim.key());
                let attachment = state.attachments().next();
                let of_claim = claim.and_then(|claim| claim.row.tries.trouble.as_ref());
                let of_attachment = attachment.and_then(|there| there.row.tries.trouble.as_ref());
                let mut troubles = of_claim.into_iter().chain(of_attachment);
                troubles.any(|trouble| trouble.error.to_string().contains("is a link"))
            })
            .await;
        assert_eq!(claimed.rig.count(call), 0);
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
        std::fs::remove_file(&planted).unwrap();
        server.clock.advance(jiff::SignedDuration::from_mins(10));
        server.published("db", name).await;
        claimed.give_back("db", name).await.unwrap();
    }
}

#[tokio::test]
async fn a_link_in_the_place_of_a_socket_is_not_followed() {
    let (mut driver, other) = (ScriptedDriver::start(), ScriptedDriver::start());
    let server = TestServer::start_with(|config| {
        config.plugins = vec![plugin("disk", PluginType::Monolith, &driver)];
    })
    .await;
    driver.leave();
    std::os::unix::fs::symlink(other.socket(), driver.socket()).unwrap();
    let disk = PluginId::known("disk");
    let says = |problem: &'static str| {
        let (server, disk) = (&server, &disk);
        async move {
            server
                .until(problem, |state| {
                    let plugin = state.plugin(disk);
                    let mut instances = plugin.into_iter().flat_map(|plugin| &plugin.instances);
                    instances.all(|instance| instance.row.description.contains(problem))
                })
                .await;
        }
    };
    says("it is a link, not the socket itself").await;
    assert!(other.calls().is_empty(), "{:?}", other.calls());
    std::fs::remove_file(driver.socket()).unwrap();
    std::fs::write(driver.socket(), "").unwrap();
    says("it is no socket").await;
    std::fs::remove_file(driver.socket()).unwrap();
    driver.come_back();
    server.all_healthy().await;
}

/// A plugin that begins every answer and never ends it.
#[tokio::test]
async fn a_stream_that_never_ends_holds_up_its_own_plugin_until_the_deadline() {
    let endless = endless::Driver::start();
    let server = TestServer::start_unready(|config| {
        config.builtin_driver = true;
        let launch = Launch::Listening(Endpoint::at(endless.socket()).unwrap());
        config.plugins = vec![PluginConfig::new(PluginId::known("endless"), launch)];
        config.deadlines.probe = std::time::Duration::from_millis(300);
    })
    .await;
    let id = PluginId::known("endless");
    server
        .until("the deadline", |state| {
            let plugin = state.plugin(&id);
            let mut instances = plugin.into_iter().flat_map(|plugin| &plugin.instances);
            instances.any(|instance| instance.row.description.contains("deadline exceeded"))
        })
        .await;
    let local = PluginId::known("local");
    server
        .until("the other plugin", |state| {
            state
                .plugin(&local)
                .is_some_and(|plugin| plugin.health().schedulable())
        })
        .await;
    crate::server::create(&server.client, volume("db"))
        .await
        .unwrap();
    assert!(endless.sent() > 0);
}
