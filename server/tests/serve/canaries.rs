//! Values that nobody may see, planted wherever one can come in, and searched for wherever one could
//! come out: answers, events, the log at its most talkative, the audit log, files, backups, arguments and environments
//! of processes.

mod scene;

use crate::scripted_driver::Reply;
use saddlebag::csi::{Call, v1};
use scene::{
    CLAIM, CONTEXT, CREDENTIAL, FILE, FLAG, HEADER, NAME, PLUGIN, SNAPSHOT, Scene, VARIABLE, VOLUME,
};
use serde_json::{Value, json};
use tonic::Code;

/// What each call is told, and so what its driver may repeat.
const TOLD: [(Call, &[&str]); 10] = [
    (Call::CreateVolume, &[VOLUME, FILE, FLAG]),
    (Call::ControllerExpandVolume, &[VOLUME, FILE, FLAG]),
    (Call::CreateSnapshot, &[VOLUME, FILE, SNAPSHOT, VARIABLE]),
    (Call::DeleteSnapshot, &[HEADER]),
    (Call::ListSnapshots, &[HEADER]),
    (Call::ControllerPublishVolume, &[VOLUME, FILE, CLAIM]),
    (Call::NodeStageVolume, &[VOLUME, FILE, CLAIM, CONTEXT]),
    (Call::NodePublishVolume, &[VOLUME, FILE, CLAIM, CONTEXT]),
    (Call::ControllerUnpublishVolume, &[VOLUME, FILE]),
    (Call::DeleteVolume, &[VOLUME, FILE, HEADER]),
];
/// What every call is told.
const ALWAYS_TOLD: [&str; 2] = [PLUGIN, CREDENTIAL];

#[tokio::test]
async fn what_nobody_may_see_is_seen_nowhere() {
    let mut scene = Scene::begin().await;
    everything(&mut scene).await;
    for (call, told) in TOLD {
        let echo = told.iter().chain(&ALWAYS_TOLD).map(|value| {
            let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, value);
            format!("{value} {encoded}")
        });
        let echo = format!("I was told {}", echo.collect::<Vec<_>>().join(" and "));
        for code in [Code::Internal, Code::InvalidArgument] {
            scene
                .driver
                .always(call, Reply::refuse(code, echo.as_str()));
            everything(&mut scene).await;
            scene.driver.as_usual(call);
        }
    }
    // The driver was told them, or there was nothing to be found.
    let staged: v1::NodeStageVolumeRequest = scene.driver.last(Call::NodeStageVolume);
    assert_eq!(staged.secrets["password"], VOLUME);
    assert_eq!(staged.secrets["of-plugin"], PLUGIN);
    assert_eq!(staged.publish_context["token"], CONTEXT);
    let told = format!("{:?}", mounted(&staged).mount_flags);
    assert!(told.contains(CLAIM), "the driver was not told the flag");
    let deleted: v1::DeleteVolumeRequest = scene.driver.last(Call::DeleteVolume);
    assert_eq!(deleted.secrets["token"], HEADER);
    assert_eq!(staged.secrets["of-file"], FILE);
    assert_eq!(staged.secrets["key"], CREDENTIAL);
    let taken: v1::CreateSnapshotRequest = scene.driver.last(Call::CreateSnapshot);
    assert_eq!(taken.secrets["of-variable"], VARIABLE);
    let searched = scene.end().await;
    assert!(searched.has("[REDACTED]"), "nobody repeated anything");
    assert!(
        searched.has("\"operation\":\"delete_volume\""),
        "no audit log"
    );
    assert!(searched.has("PRINTED"), "no driver printed anything");
    let leaks = searched.leaks();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// A driver that knows a value without having been told it: what it says is shown. So the search is
/// seen to look into each of these places.
#[tokio::test]
async fn the_search_finds_what_is_shown() {
    let mut scene = Scene::begin().await;
    let leak = Reply::refuse(Code::Internal, format!("the volume is {CONTEXT}"));
    scene.driver.always(Call::CreateVolume, leak);
    everything(&mut scene).await;
    std::fs::write(scene.folder().join("left-behind"), HEADER).unwrap();
    let searched = scene.end().await;
    let leaks = searched.leaks();
    for place in [
        "answer to PUT /v1/volume/csi/db/create",
        "answer to GET /v1/operations",
        "the log",
        "store.redb",
        "the backup",
        "left-behind",
    ] {
        let found = leaks.iter().any(|leak| leak.contains(place));
        assert!(found, "{place} is not in {leaks:?}");
    }
}

fn mounted(staged: &v1::NodeStageVolumeRequest) -> &v1::volume_capability::MountVolume {
    let capability = staged.volume_capability.as_ref().unwrap();
    match capability.access_type.as_ref().unwrap() {
        v1::volume_capability::AccessType::Mount(mount) => mount,
        v1::volume_capability::AccessType::Block(_) => panic!("it was staged as a device"),
    }
}

/// Everything that is done with volumes, whatever becomes of it.
async fn everything(scene: &mut Scene) {
    let file = scene.folder().join("from-file");
    let volume = |size: i64| {
        json!({"Volumes": [{
            "ID": "db", "Name": "db", "PluginID": "disk", "RequestedCapacityMin": size,
            "RequestedCapabilities": [
                {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}
            ],
            "MountOptions": {"FSType": "ext4", "MountFlags": [format!("password={FLAG}")]},
            "Secrets": {"password": VOLUME}, "SecretsFrom": {"of-file": {"File": file}},
        }]})
    };
    let snapshots = json!({
        "Snapshots": [{
            "SourceVolumeID": "db", "Name": "s", "Secrets": {"k": SNAPSHOT},
            "SecretsFrom": {"of-variable": {"Env": NAME}},
        }]
    });
    let wrong = json!({"Volumes": [{"ID": "db", "Secrets": {"password": [VOLUME]}}]});
    let claim = json!({
        "AllocationID": "5a2c3f1e-0d6b-4e0c-9b1a-7f6f2f0f9c11",
        "MountOptions": {"MountFlags": [format!("password={CLAIM}")]},
    });
    let release = "/v1/volume/csi/db/claim/5a2c3f1e-0d6b-4e0c-9b1a-7f6f2f0f9c11?wait=2s";
    let nothing = Value::Null;
    for (method, path, body) in [
        ("PUT", "/v1/volume/csi/db/create", &volume(1000)),
        ("PUT", "/v1/volume/csi/db", &volume(5000)),
        ("POST", "/v1/volumes", &volume(5000)),
        ("PUT", "/v1/volume/csi/db", &wrong),
        ("POST", "/v1/volumes", &wrong),
        ("PUT", "/v1/volume/csi/db/claim?wait=2s", &claim),
        ("GET", "/v1/volume/csi/db", &nothing),
        ("GET", "/v1/volume/csi/db/claims", &nothing),
        ("GET", "/v1/volumes?type=csi", &nothing),
        (
            "GET",
            "/v1/volumes?type=csi&filter=Secrets+contains+%22c%22",
            &nothing,
        ),
        ("PUT", "/v1/volumes/snapshot?wait=2s", &snapshots),
        ("POST", "/v1/volumes/snapshot?wait=2s", &snapshots),
        ("GET", "/v1/volumes/snapshot?plugin_id=disk", &nothing),
        ("GET", "/v1/volumes/external?plugin_id=disk", &nothing),
        ("GET", "/v1/operations", &nothing),
        ("GET", "/v1/doctor", &nothing),
        ("DELETE", release, &nothing),
        ("PUT", "/v1/operator/keyring/rotate", &nothing),
        (
            "DELETE",
            "/v1/volumes/snapshot?plugin_id=disk&snapshot_id=s&wait=2s",
            &nothing,
        ),
        ("DELETE", "/v1/volume/csi/db/delete?wait=2s", &nothing),
        ("GET", "/v1/operations", &nothing),
        ("GET", "/v1/plugin/csi/disk", &nothing),
        ("GET", "/v1/plugin/csi/printing", &nothing),
        ("GET", "/v1/jobs", &nothing),
        ("GET", "/v1/job/disk", &nothing),
        ("GET", "/v1/nodes", &nothing),
        ("GET", "/v1/agent/self", &nothing),
        ("GET", "/v1/acl/tokens", &nothing),
        // A secret where an accessor belongs.
        (
            "GET",
            "/v1/acl/token/c4c4c4c4-1111-4222-8333-c4c4c4c4c4c4",
            &nothing,
        ),
        ("GET", "/v1/operator/keyring/keys", &nothing),
        (
            "PUT",
            "/v1/search",
            &json!({"Prefix": "d", "Context": "all"}),
        ),
    ] {
        scene.ask(method, path, body).await;
    }
    scene
        .raw(
            "PUT",
            "/v1/volumes",
            &format!("{{\"Volumes\": [{{\"Secrets\": {{\"k\": \"{VOLUME}\" ]"),
        )
        .await;
}
