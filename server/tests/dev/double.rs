//! `dev` in other people's tests: it begins anew, and fails on demand.

use crate::process::{Dev, Folders, names, soon, text};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;

pub const CLAIM: &str = "00000000-0000-4000-8000-000000000001";

async fn start(folders: &Folders) -> Dev {
    Dev::start(folders.temporary.path(), &[]).await
}

async fn put(dev: &Dev, path: &str, body: Value) -> (u16, Value) {
    dev.ask(Method::PUT, path, Some(body)).await
}

async fn fault(dev: &Dev, fault: Value) {
    let (status, set) = put(dev, "/v1/testing/faults", json!({ "Faults": [fault] })).await;
    assert_eq!(status, 200, "{set}");
}

/// How often the only fault struck.
async fn fired(dev: &Dev) -> u64 {
    let (_, faults) = dev.get("/v1/testing/faults").await;
    faults["Faults"][0]["Fired"].as_u64().unwrap()
}

/// Waits until the only fault struck: what it struck is under way then.
async fn has_struck(dev: &Dev) {
    soon("the fault to strike", async {
        while fired(dev).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Resets it; the index of that.
pub async fn reset(dev: &Dev) -> u64 {
    let answer = saddlebag_client::http()
        .build()
        .unwrap()
        .put(format!("{}/v1/testing/reset", dev.url))
        .send();
    let answer = soon("the reset", answer).await;
    let answer = answer.unwrap_or_else(|error| panic!("{error}: {}", dev.stderr.so_far()));
    assert_eq!(answer.status(), 200);
    index(&answer)
}

fn index(answer: &reqwest::Response) -> u64 {
    let index = &answer.headers()["x-nomad-index"];
    index.to_str().unwrap().parse().unwrap()
}

async fn claim(dev: &Dev, more: Value) -> (u16, Value) {
    let mut body = json!({ "AllocationID": CLAIM });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    put(dev, "/v1/volume/csi/db/claim", body).await
}

/// What is in a folder's folder; nothing if that is not there.
fn within(folder: &Path, name: &str) -> Vec<String> {
    match folder.join(name).is_dir() {
        true => names(&folder.join(name)),
        false => Vec::new(),
    }
}

#[tokio::test]
async fn a_reset_forgets_everything_with_its_data_and_indexes_go_on() {
    let folders = Folders::new();
    let data = folders.own("data");
    let roots = folders.own("roots");
    std::fs::create_dir(&roots).unwrap();
    let args = ["--data-dir", text(&data), "--target-root", text(&roots)];
    let dev = Dev::start(folders.temporary.path(), &args).await;
    let (status, created) = dev.create("db", "local").await;
    assert_eq!(status, 200, "{created}");
    let target = roots.canonicalize().unwrap().join("target");
    let (status, claimed) = claim(&dev, json!({ "TargetPath": target })).await;
    assert_eq!(
        (status, &claimed["State"]),
        (200, &json!("published")),
        "{claimed}"
    );
    let snapshot = json!({ "Snapshots": [{ "SourceVolumeID": "db", "Name": "s" }] });
    let (status, taken) = put(&dev, "/v1/volumes/snapshot", snapshot).await;
    assert_eq!(status, 200, "{taken}");
    let (status, _) = put(&dev, "/v1/namespace", json!({ "Name": "team" })).await;
    assert_eq!(status, 200);
    let before = claimed["ModifyIndex"].as_u64().unwrap();
    let seen = json!({ "Operation": "read_volume", "Delay": "1ms" });
    fault(&dev, seen).await;
    let waiting = tokio::spawn(
        saddlebag_client::http()
            .build()
            .unwrap()
            .get(format!(
                "{}/v1/volume/csi/db?index=1000000&wait=5m",
                dev.url
            ))
            .send(),
    );
    has_struck(&dev).await;
    let after = reset(&dev).await;
    assert!(after > before, "{after} is not later than {before}");
    let answered = soon("the query that waits", waiting)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answered.status(), 200);

    assert_eq!(dev.get("/v1/volumes?type=csi").await, (200, json!([])));
    assert_eq!(dev.get("/v1/operations").await, (200, json!([])));
    assert_eq!(
        dev.get("/v1/testing/faults").await,
        (200, json!({ "Faults": [] }))
    );
    let (_, namespaces) = dev.get("/v1/namespaces").await;
    assert_eq!(namespaces.as_array().unwrap().len(), 1, "{namespaces}");
    let (_, snapshots) = dev.get("/v1/volumes/snapshot?plugin_id=local").await;
    assert_eq!(snapshots["Snapshots"], json!([]), "{snapshots}");
    let (_, plugin) = dev.get("/v1/plugin/csi/local").await;
    assert_eq!(plugin["NodesHealthy"], 1, "{plugin}");
    assert!(
        target.symlink_metadata().is_err(),
        "something is left at {}",
        target.display()
    );
    for folder in ["local/volumes", "local/snapshots", "claims", "staging"] {
        assert_eq!(within(&data, folder), [""; 0], "{folder}");
    }

    for list in [
        "/v1/volumes?type=csi",
        "/v1/operations",
        "/v1/nodes",
        "/v1/namespaces",
    ] {
        let url = format!("{}{list}", dev.url);
        let shown = index(
            &saddlebag_client::http()
                .build()
                .unwrap()
                .get(url)
                .send()
                .await
                .unwrap(),
        );
        assert!(
            shown > before,
            "{list} is at {shown}, not later than {before}"
        );
    }
    let (status, again) = dev.create("db", "local").await;
    assert_eq!(status, 200, "{again}");
    dev.stop().await;
}

#[tokio::test]
async fn a_reset_ends_what_hangs_and_nothing_of_it_comes_back() {
    let folders = Folders::new();
    let dev = start(&folders).await;
    fault(&dev, json!({ "Call": "CreateVolume", "Hang": true })).await;
    let url = format!("{}/v1/volume/csi/db/create", dev.url);
    let body = crate::process::volume("db", "local");
    let hanging = tokio::spawn(
        saddlebag_client::http()
            .build()
            .unwrap()
            .put(url)
            .json(&body)
            .send(),
    );
    has_struck(&dev).await;
    reset(&dev).await;
    let answered = soon("the create that hung", hanging)
        .await
        .unwrap()
        .unwrap();
    assert!(answered.status().is_server_error() || answered.status().is_success());
    assert_eq!(dev.get("/v1/volumes?type=csi").await, (200, json!([])));
    assert_eq!(dev.get("/v1/operations").await, (200, json!([])));
    let (_, external) = dev.get("/v1/volumes/external?plugin_id=local").await;
    assert_eq!(external["Volumes"], json!([]), "{external}");
    for _ in 0..3 {
        reset(&dev).await;
        assert_eq!(dev.create("db", "local").await.0, 200);
    }
    dev.stop().await;
}

#[tokio::test]
async fn an_operation_is_answered_as_asked_so_often_and_then_as_ever() {
    let folders = Folders::new();
    let dev = start(&folders).await;
    let busy = json!({ "Operation": "list_volumes", "Status": 503, "Message": "come back later", "Count": 2 });
    fault(&dev, busy).await;
    for _ in 0..2 {
        let (status, answer) = dev.get("/v1/volumes?type=csi").await;
        assert_eq!(status, 503);
        assert_eq!(answer["code"], "injected_fault");
        assert_eq!(answer["message"], "come back later");
        assert_eq!(answer["retryable"], true);
        assert_eq!(dev.get("/v1/plugins?type=csi").await.0, 200);
    }
    assert_eq!(dev.get("/v1/volumes?type=csi").await.0, 200);
    assert_eq!(fired(&dev).await, 2);
    let ended = dev.stop().await;
    assert!(
        !ended.stderr.contains("against the document"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn an_answer_is_lost_before_or_after_the_work_was_done() {
    let folders = Folders::new();
    let dev = start(&folders).await;
    for (id, after_work, exists) in [("before", false, 404), ("after", true, 200)] {
        let drop = json!({ "Operation": "create_volume", "Volume": id, "Drop": true, "AfterWork": after_work });
        fault(&dev, drop).await;
        let url = format!("{}/v1/volume/csi/{id}/create", dev.url);
        let body = crate::process::volume(id, "local");
        let sent = saddlebag_client::http()
            .build()
            .unwrap()
            .put(url)
            .json(&body)
            .send();
        let lost = soon("the connection to close", sent).await;
        assert!(lost.is_err(), "{lost:?}");
        assert_eq!(
            dev.get(&format!("/v1/volume/csi/{id}")).await.0,
            exists,
            "{id}"
        );
    }
    dev.stop().await;
}

#[tokio::test]
async fn an_operation_is_held_up_for_as_long_as_asked_or_until_the_faults_change() {
    let folders = Folders::new();
    let dev = start(&folders).await;
    let delay = std::time::Duration::from_millis(300);
    fault(
        &dev,
        json!({ "Operation": "list_plugins", "Delay": "300ms" }),
    )
    .await;
    let began = tokio::time::Instant::now();
    assert_eq!(dev.get("/v1/plugins?type=csi").await.0, 200);
    assert!(began.elapsed() >= delay);

    fault(&dev, json!({ "Operation": "list_plugins", "Hang": true })).await;
    let url = format!("{}/v1/plugins?type=csi", dev.url);
    let hanging = tokio::spawn(saddlebag_client::http().build().unwrap().get(url).send());
    has_struck(&dev).await;
    assert!(!hanging.is_finished());
    let (_, cleared) = dev.ask(Method::DELETE, "/v1/testing/faults", None).await;
    assert_eq!(cleared["Faults"][0]["Fired"], 1);
    let answered = soon("the request that hung", hanging)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answered.status(), 200);
    dev.stop().await;
}

#[tokio::test]
async fn a_call_to_a_driver_fails_as_asked() {
    let folders = Folders::new();
    let dev = start(&folders).await;
    let full = json!({ "Call": "CreateVolume", "Plugin": "local", "Code": "ResourceExhausted", "Message": "the pool is full" });
    fault(&dev, full).await;
    let (status, answer) = dev.create("db", "local").await;
    assert_eq!(
        (status, &answer["code"]),
        (507, &json!("driver_exhausted")),
        "{answer}"
    );
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("the pool is full"),
        "{answer}"
    );
    let (_, external) = dev.get("/v1/volumes/external?plugin_id=local").await;
    assert_eq!(external["Volumes"], json!([]), "{external}");
    assert_eq!(dev.create("db", "local").await.0, 200);

    // It is tried again, and finds what was made in the first try.
    let unclear = json!({ "Call": "CreateVolume", "Code": "Unavailable", "AfterWork": true });
    fault(&dev, unclear).await;
    assert_eq!(dev.create("other", "local").await.0, 200);
    assert_eq!(fired(&dev).await, 1);
    let (_, external) = dev.get("/v1/volumes/external?plugin_id=local").await;
    assert_eq!(
        external["Volumes"].as_array().unwrap().len(),
        2,
        "{external}"
    );
    dev.stop().await;
}

#[tokio::test]
async fn a_node_that_is_away_has_its_claims_wait_until_it_is_back() {
    let folders = Folders::new();
    let dev = start(&folders).await;
    assert_eq!(dev.create("db", "local").await.0, 200);
    let (_, nodes) = dev.get("/v1/nodes").await;
    fault(&dev, json!({ "Node": nodes[0]["ID"] })).await;
    let (_, plugin) = dev.get("/v1/plugin/csi/local").await;
    assert_eq!(plugin["NodesHealthy"], 0, "{plugin}");
    assert_eq!(plugin["ControllersHealthy"], 1, "{plugin}");
    assert_eq!(dev.create("other", "local").await.0, 200);

    let path = "/v1/volume/csi/db/claim?wait=100ms";
    let (status, waits) = put(&dev, path, json!({ "AllocationID": CLAIM })).await;
    assert_ne!(waits["State"], "published", "{status} {waits}");
    fault(&dev, json!({ "Operation": "list_plugins", "Status": 500 })).await;
    let (_, plugin) = dev.get("/v1/plugin/csi/local").await;
    assert_eq!(plugin["NodesHealthy"], 1, "{plugin}");
    let (status, claimed) = claim(&dev, json!({})).await;
    assert_eq!(
        (status, &claimed["State"]),
        (200, &json!("published")),
        "{claimed}"
    );
    dev.stop().await;
}

#[tokio::test]
async fn time_goes_by_when_it_is_told_to() {
    let folders = Folders::new();
    let dev = start(&folders).await;
    assert_eq!(dev.create("db", "local").await.0, 200);
    let (_, operations) = dev.get("/v1/operations").await;
    assert_eq!(operations.as_array().unwrap().len(), 1);
    let (status, now) = put(&dev, "/v1/testing/clock", json!({ "Advance": "2h" })).await;
    assert_eq!(status, 200, "{now}");
    soon("the operation to be forgotten", async {
        while dev.get("/v1/operations").await.1 != json!([]) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    dev.stop().await;
}
