//! Secrets: given to drivers, and to nobody else.

use crate::rig::{Rig, plugin, sent};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::wire::Answer;
use saddlebag::clock::Clock;
use saddlebag::config::Config;
use saddlebag::csi::{Call, v1};
use saddlebag::plugin::PluginType;
use saddlebag::server::Server;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tonic::Code;

/// Of a volume, of a header, of a snapshot, and in a mount flag.
const CANARIES: [&str; 4] = [
    "c4n4ry-stored",
    "c4n4ry-header",
    "c4n4ry-snapshot",
    "c4n4ry-flag",
];

#[track_caller]
fn silent(answer: &Answer, of: &str) {
    let shown = format!("{} {}", answer.head, String::from_utf8_lossy(&answer.body));
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{of} shows {canary}: {shown}");
    }
}

/// Every file below a folder, as text.
fn files(folder: &Path, found: &mut Vec<(std::path::PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => files(&path, found),
            Ok(metadata) if metadata.is_file() => {
                found.push((path.clone(), std::fs::read(&path).unwrap()))
            }
            _ => {}
        }
    }
}

/// What each call is told: the places of its secrets in [`CANARIES`].
const TOLD: [(Call, &[usize]); 6] = [
    (Call::CreateVolume, &[0]),
    (Call::ControllerExpandVolume, &[0]),
    (Call::CreateSnapshot, &[0, 2]),
    (Call::DeleteSnapshot, &[1]),
    (Call::DeleteVolume, &[0, 1]),
    (Call::ListSnapshots, &[1]),
];

/// Once with a driver that does everything, once with one that repeats in its refusals what it was told.
/// Weaknesses W26 and W30.
#[tokio::test]
async fn no_answer_and_no_file_ever_shows_one() {
    let mut rig = Rig::start().await;
    let flag = format!("password={}", CANARIES[3]);
    let options = json!({"FSType": "ext4", "MountFlags": [flag]});
    let volume = |size: i64, secrets: Value| {
        let more =
            json!({"RequestedCapacityMin": size, "MountOptions": options, "Secrets": secrets});
        json!({"Volumes": [sent("db", more)]})
    };
    let small = volume(1000, json!({"password": CANARIES[0]}));
    let large = volume(5000, Value::Null);
    let snapshots = json!({
        "Snapshots": [{"SourceVolumeID": "db", "Name": "s", "Secrets": {"k": CANARIES[2]}}]
    });
    let requests = [
        ("PUT", "/v1/volume/csi/db/create", &small),
        ("PUT", "/v1/volume/csi/db", &small),
        ("PUT", "/v1/volume/csi/db", &large),
        ("PUT", "/v1/volumes/snapshot", &snapshots),
        ("GET", "/v1/volumes/snapshot?plugin_id=disk", &Value::Null),
        ("GET", "/v1/volumes/external?plugin_id=disk", &Value::Null),
        ("GET", "/v1/volumes?type=csi", &Value::Null),
        ("GET", "/v1/volume/csi/db", &Value::Null),
        ("GET", "/v1/plugin/csi/disk", &Value::Null),
        (
            "DELETE",
            "/v1/volumes/snapshot?plugin_id=disk&snapshot_id=s",
            &Value::Null,
        ),
        ("DELETE", "/v1/volume/csi/db/delete", &Value::Null),
        ("GET", "/v1/operations", &Value::Null),
    ];
    let header = format!("token={}", CANARIES[1]);
    for echoing in [false, true] {
        if echoing {
            rig.driver.script(Call::CreateVolume, Reply::Usual);
            for (call, told) in TOLD {
                let told: Vec<_> = told.iter().map(|at| CANARIES[*at]).collect();
                let echo = format!("I was told {}", told.join(" and "));
                rig.driver.always(call, Reply::refuse(Code::Internal, echo));
            }
        }
        let mut echoes = 0;
        for (method, path, body) in requests {
            let ask = rig
                .server
                .ask(method, path)
                .header("X-Nomad-CSI-Secrets", &header);
            let answer = ask.wanting_json().json(body).send().await;
            silent(&answer, path);
            echoes += usize::from(answer.text().contains("I was told [REDACTED]"));
            assert!(echoing || answer.status == 200, "{path}: {}", answer.text());
        }
        // The growth, three calls about snapshots, the deletion, and the list of operations.
        assert_eq!(echoes, if echoing { 6 } else { 0 });
    }
    rig.server.read("db").await.unwrap();
    rig.server.stop().await;
    let mut found = Vec::new();
    files(rig.server.data(), &mut found);
    assert!(found.iter().any(|(path, _)| path.ends_with("store.redb")));
    for (path, bytes) in found {
        for canary in &CANARIES[..3] {
            let there = bytes
                .windows(canary.len())
                .any(|some| some == canary.as_bytes());
            assert!(!there, "{} holds {canary}", path.display());
        }
    }
}

/// The plugin's own secrets go with each call, below those of the volume.
#[tokio::test]
async fn secrets_of_a_plugin_go_with_every_call_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets.json");
    std::fs::write(&file, r#"{"user": "plugin", "zone": "a"}"#).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let rig = Rig::start_with(|_| {}, |config| config.plugins[0].secrets = Some(file)).await;

    let own = json!({"Secrets": {"user": "volume"}});
    rig.create("db", own).await.unwrap();
    let asked: v1::CreateVolumeRequest = rig.driver.last(Call::CreateVolume);
    assert_eq!(asked.secrets["user"], "volume");
    assert_eq!(asked.secrets["zone"], "a");

    rig.client()
        .delete_volume()
        .volume_id("db")
        .send()
        .await
        .unwrap();
    let asked: v1::DeleteVolumeRequest = rig.driver.last(Call::DeleteVolume);
    assert_eq!(asked.secrets["zone"], "a");
}

#[tokio::test]
async fn a_file_of_secrets_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets.json");
    std::fs::write(&file, r#"{"password": "c4n4ry"}"#).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let driver = ScriptedDriver::start();
    let mut config = Config::new(folder.path().join("data"));
    config.plugins = vec![plugin("disk", PluginType::Monolith, &driver)];
    config.plugins[0].secrets = Some(file);
    let refused = Server::start(config, Clock::default(), None).await;
    let text = refused.err().unwrap().to_string();
    assert!(
        text.contains("secrets.json") && text.contains("0600"),
        "{text}"
    );
    assert!(!text.contains("c4n4ry"), "{text}");
}
