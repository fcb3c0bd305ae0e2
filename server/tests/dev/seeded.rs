//! `dev --seed`: nothing is left to chance.

use crate::double::{CLAIM, reset};
use crate::process::{Dev, Folders, soon, text};
use reqwest::Method;
use serde_json::json;
use std::path::Path;

/// What a client asks, one request after another.
async fn scenario(dev: &Dev) -> Vec<String> {
    let snapshot = json!({ "Snapshots": [{ "SourceVolumeID": "db", "Name": "s" }] });
    let unclear = json!({ "Faults": [{ "Call": "CreateVolume", "Code": "Unavailable" }] });
    let claim = json!({ "AllocationID": CLAIM });
    let token = json!({ "Name": "reader", "Type": "management" });
    let create = |id| Some(crate::process::volume(id, "local"));
    let mut said = Vec::new();
    for (method, path, body) in [
        ("GET", "/v1/plugin/csi/local", None),
        ("PUT", "/v1/volume/csi/db/create", create("db")),
        ("PUT", "/v1/volume/csi/db/claim", Some(claim)),
        ("GET", "/v1/volume/csi/db", None),
        ("PUT", "/v1/volumes/snapshot", Some(snapshot)),
        ("GET", "/v1/volumes/snapshot?plugin_id=local", None),
        ("PUT", "/v1/testing/faults", Some(unclear)),
        ("PUT", "/v1/volume/csi/other/create", create("other")),
        ("DELETE", &*format!("/v1/volume/csi/db/claim/{CLAIM}"), None),
        (
            "PUT",
            "/v1/testing/clock",
            Some(json!({ "Advance": "10m" })),
        ),
        ("DELETE", "/v1/volume/csi/db/delete", None),
        ("GET", "/v1/volumes?type=csi", None),
        ("GET", "/v1/operations", None),
        ("PUT", "/v1/acl/token", Some(token)),
        ("GET", "/v1/volume/csi/nope", None),
        ("GET", "/v1/doctor", None),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let asked = saddlebag_client::http()
            .build()
            .unwrap()
            .request(method, format!("{}{path}", dev.url));
        let asked = match &body {
            Some(body) => asked.json(body),
            None => asked,
        };
        let answer = soon("an answer", asked.send()).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        said.push(format!(
            "{path}: {status} {headers:?} {}",
            answer.text().await.unwrap()
        ));
    }
    said
}

async fn seeded(folders: &Folders, data: &Path, seed: &str) -> Dev {
    let _ = std::fs::remove_dir_all(data);
    let args = ["--seed", seed, "--data-dir", text(data)];
    Dev::start(folders.temporary.path(), &args).await
}

#[tokio::test]
async fn with_a_seed_the_same_requests_are_answered_the_same_to_the_byte() {
    let folders = Folders::new();
    let data = folders.own("data");
    let dev = seeded(&folders, &data, "7").await;
    let first = scenario(&dev).await;
    dev.stop().await;
    let dev = seeded(&folders, &data, "7").await;
    let second = scenario(&dev).await;
    assert_eq!(second, first);
    assert!(first[1].contains("2026-01-01T00:00:00Z") || first[1].contains("Thu, 01 Jan 2026"));

    // Ids and times begin anew, too; indexes do not.
    reset(&dev).await;
    let (_, again) = dev.create("db", "local").await;
    let external = again["Volumes"][0]["ExternalID"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(first[1].contains(&external), "{external} {}", first[1]);
    dev.stop().await;

    let dev = seeded(&folders, &data, "8").await;
    let (_, other) = dev.create("db", "local").await;
    assert_ne!(other["Volumes"][0]["ExternalID"], json!(external));
    dev.stop().await;
}

#[tokio::test]
async fn a_seed_wants_a_folder_without_data() {
    let folders = Folders::new();
    let data = folders.own("data");
    let dev = Dev::start(folders.temporary.path(), &["--data-dir", text(&data)]).await;
    dev.stop().await;
    let args = [
        "dev",
        "--port",
        "0",
        "--seed",
        "7",
        "--data-dir",
        text(&data),
    ];
    let ended = crate::process::output(&args).await;
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success());
    assert!(said.contains("--seed begins without data"), "{said}");
}
