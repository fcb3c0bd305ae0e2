//! Secrets by reference: read at each call, and stored nowhere.

use crate::rig::{Rig, sent};
use saddlebag::csi::{Call, Reference, v1};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// A server that may read what is below a folder.
struct Referring {
    rig: Rig,
    folder: TempDir,
}

impl Referring {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("of-plugin"), "plugin's").unwrap();
        let of_plugin = Reference::File(folder.path().join("of-plugin"));
        let folders = vec![folder.path().to_owned()];
        let change = move |config: &mut saddlebag::config::Config| {
            config.sources.folders = folders;
            let plugin = &mut config.plugins[0];
            plugin.secrets_from = [("of-plugin".to_owned(), of_plugin)].into();
        };
        let rig = Rig::start_with(|_| {}, change).await;
        Self { rig, folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, value: &str) -> Value {
        std::fs::write(self.at(name), value).unwrap();
        json!({ "File": self.at(name) })
    }

    /// Registers anew with these fields, and what the driver is told when it validates that.
    async fn told(&self, more: Value) -> Vec<(String, String)> {
        self.rig.register("db", more).await.unwrap();
        let asked: v1::ValidateVolumeCapabilitiesRequest =
            self.rig.driver.last(Call::ValidateVolumeCapabilities);
        let mut told: Vec<_> = asked.secrets.into_iter().collect();
        told.sort();
        told.retain(|(key, _)| key != "of-plugin");
        told
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    owned.collect()
}

#[tokio::test]
async fn a_reference_is_read_at_each_call_and_its_value_is_stored_nowhere() {
    let mut referring = Referring::start().await;
    let from = referring.write("password", "first-c4n4ry\n");
    let more = json!({"Secrets": {"user": "ann"}, "SecretsFrom": {"password": from}});
    referring.rig.create("db", more).await.unwrap();
    let asked: v1::CreateVolumeRequest = referring.rig.driver.last(Call::CreateVolume);
    assert_eq!(asked.secrets["password"], "first-c4n4ry");
    assert_eq!(asked.secrets["user"], "ann");
    assert_eq!(asked.secrets["of-plugin"], "plugin's");

    let from = referring.write("key", "of-snapshot");
    let snapshots = json!({
        "Snapshots": [{"SourceVolumeID": "db", "Name": "s", "SecretsFrom": {"key": from}}]
    });
    let ask = referring.rig.server.ask("PUT", "/v1/volumes/snapshot");
    let taken = ask.wanting_json().json(&snapshots).send().await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    let asked: v1::CreateSnapshotRequest = referring.rig.driver.last(Call::CreateSnapshot);
    assert_eq!(asked.secrets["key"], "of-snapshot");
    assert_eq!(asked.secrets["password"], "first-c4n4ry");

    referring.write("password", "second-c4n4ry");
    referring.write("of-plugin", "another");
    let deleted = referring.rig.client().delete_volume().volume_id("db");
    deleted.send().await.unwrap();
    let asked: v1::DeleteVolumeRequest = referring.rig.driver.last(Call::DeleteVolume);
    assert_eq!(asked.secrets["password"], "second-c4n4ry");
    assert_eq!(asked.secrets["of-plugin"], "another");

    referring.rig.server.stop().await;
    let store = referring.rig.server.data().join("store.redb");
    let store = std::fs::read(store).unwrap();
    let holds = |text: &str| {
        store
            .windows(text.len())
            .any(|some| some == text.as_bytes())
    };
    assert!(!holds("c4n4ry"));
}

#[tokio::test]
async fn an_update_keeps_what_it_leaves_out_and_erases_what_is_empty() {
    let referring = Referring::start().await;
    let from = referring.write("password", "hush");
    let external = json!({"ExternalID": "disk-1"});
    let with = |more: Value| {
        let mut all = external.clone();
        let fields = more.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(fields);
        all
    };
    let both = json!({"Secrets": {"user": "ann"}, "SecretsFrom": {"password": from}});
    let kept = pairs(&[("password", "hush"), ("user", "ann")]);
    assert_eq!(referring.told(with(both)).await, kept);
    assert_eq!(referring.told(external.clone()).await, kept);

    // `null` counts as left out; `sent` would leave it out itself.
    let mut body = json!({"Volumes": [sent("db", external.clone())]});
    body["Volumes"][0]["Secrets"] = Value::Null;
    body["Volumes"][0]["SecretsFrom"] = Value::Null;
    let ask = referring.rig.server.ask("PUT", "/v1/volume/csi/db");
    let answer = ask.wanting_json().json(&body).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(referring.told(external.clone()).await, kept);

    let told = referring.told(with(json!({"Secrets": {}}))).await;
    assert_eq!(told, pairs(&[("password", "hush")]));
    let told = referring
        .told(with(json!({"Secrets": {"user": "bob"}})))
        .await;
    assert_eq!(told, pairs(&[("password", "hush"), ("user", "bob")]));
    let told = referring.told(with(json!({"SecretsFrom": {}}))).await;
    assert_eq!(told, pairs(&[("user", "bob")]));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_its_reference() {
    let referring = Referring::start().await;
    std::os::unix::fs::symlink("/etc/passwd", referring.at("out")).unwrap();
    for (from, problem) in [
        (json!({"File": "/etc/passwd"}), "secrets.from_folders"),
        (json!({"File": referring.at("out")}), "leads out"),
        (json!({"File": referring.at("none")}), "No such file"),
        (json!({"Env": "PATH"}), "secrets.from_variables"),
        (json!({"Credential": "disk"}), "secrets.from_credentials"),
    ] {
        let body = json!({"Volumes": [sent("db", json!({"SecretsFrom": {"password": from}}))]});
        let ask = referring.rig.server.ask("PUT", "/v1/volume/csi/db/create");
        let answer = ask.wanting_json().json(&body).send().await;
        let text = answer.text();
        assert_eq!(answer.status, 400, "{text}");
        assert!(
            text.contains(problem) && text.contains("password"),
            "{text}"
        );
        assert!(!text.contains("root:"), "{text}");
    }
    assert_eq!(referring.rig.count(Call::CreateVolume), 0);
}
