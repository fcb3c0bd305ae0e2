//! Secrets in the store: what opens them, and what does not.

use crate::rig::{Rig, key};
use jiff::SignedDuration;
use saddlebag::clock::Clock;
use saddlebag::config::Config;
use saddlebag::control::ControlPlane;
use saddlebag::csi::{Call, v1};
use saddlebag::seal::KeyState;
use saddlebag::server::Server;
use saddlebag::store::{Key, Store, Transaction, Write, keys};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The row under a key.
async fn row(store: &dyn Store, key: &Key) -> Value {
    let mut rows = store.read().await.unwrap().batches.flat_map(Result::unwrap);
    let (_, row) = rows.find(|(found, _)| found == key).unwrap();
    serde_json::from_slice(&row.value).unwrap()
}

/// Puts a row, whatever is there, and waits until it is seen.
async fn put(cp: &ControlPlane, key: Key, row: &Value) {
    let transaction = Transaction {
        guards: Vec::new(),
        writes: vec![Write::Put(key, serde_json::to_vec(row).unwrap().into())],
    };
    cp.commit(transaction).await.unwrap().unwrap();
}

#[tokio::test]
async fn secrets_in_the_row_of_another_volume_open_nothing() {
    let rig = Rig::start().await;
    for id in ["a", "b"] {
        let secrets = json!({"Secrets": {"password": format!("of-{id}")}});
        rig.create(id, secrets).await.unwrap();
    }
    let cp = &rig.server.control_plane;
    let (of_a, of_b) = (keys::volume(&key("a")), keys::volume(&key("b")));
    let (a, b) = (row(&*cp.store, &of_a).await, row(&*cp.store, &of_b).await);
    assert_ne!(a["secrets"], Value::Null);
    let with = |row: &Value, secrets: &Value| {
        let mut row = row.clone();
        row["secrets"] = secrets.clone();
        row
    };
    put(cp, of_a.clone(), &with(&a, &b["secrets"])).await;
    put(cp, of_b, &with(&b, &a["secrets"])).await;

    let delete = || rig.client().delete_volume().volume_id("a");
    let shortly = std::time::Duration::from_secs(1);
    delete().wait(shortly).send().await.unwrap_err();
    assert_eq!(rig.count(Call::DeleteVolume), 0);
    // Put back, they are what they were, at the next try.
    put(cp, of_a, &a).await;
    rig.server.clock.advance(SignedDuration::from_mins(2));
    delete().send().await.unwrap();
    let asked: v1::DeleteVolumeRequest = rig.driver.last(Call::DeleteVolume);
    assert_eq!(asked.secrets["password"], "of-a");
}

/// All rows as they are stored.
async fn rows(store: &dyn Store) -> String {
    let batches = store.read().await.unwrap().batches;
    let rows: Vec<_> = batches.flat_map(Result::unwrap).collect();
    let values = rows
        .iter()
        .map(|(_, row)| String::from_utf8_lossy(&row.value));
    values.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn mount_flags_are_sealed_in_every_row_and_survive_a_rotation() {
    let rig = Rig::start().await;
    let options =
        json!({"MountOptions": {"FSType": "cifs", "MountFlags": ["ro", "password=c4n4ry"]}});
    rig.create("db", options.clone()).await.unwrap();
    let of_claim =
        json!({"mount_options": {"fs_type": "", "mount_flags": ["user=c4n4ry", "b", "a"]}});
    rig.server
        .take("db", "user", of_claim.clone())
        .await
        .unwrap();
    let told = || {
        let staged: v1::NodeStageVolumeRequest = rig.driver.last(Call::NodeStageVolume);
        let Some(v1::volume_capability::AccessType::Mount(mount)) =
            staged.volume_capability.unwrap().access_type
        else {
            panic!("it was staged as a device");
        };
        (mount.fs_type, mount.mount_flags.join(","))
    };
    assert_eq!(told(), ("cifs".to_owned(), "user=c4n4ry,b,a".to_owned()));

    let cp = &rig.server.control_plane;
    let before = rows(&*cp.store).await;
    assert!(before.contains("mount_flags") && !before.contains("c4n4ry"));
    let old = cp.state().active_data_key().unwrap().row.id.to_string();
    assert!(before.contains(&old));
    rig.client().rotate_root_key().send().await.unwrap();
    rig.server
        .until("the old key to be inactive", |state| {
            state
                .data_keys()
                .all(|key| key.row.state != KeyState::Rekeying)
        })
        .await;
    let after = rows(&*cp.store).await;
    assert_eq!(after.matches(&old).count(), 1, "only its own row names it");

    // The very same again joins; another flag is another claim. What is not changed is as it was.
    rig.server.take("db", "user", of_claim).await.unwrap();
    let other = json!({"mount_options": {"fs_type": "", "mount_flags": ["user=other", "b", "a"]}});
    let refused = rig
        .server
        .take("db", "user", other.clone())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("another claim"), "{refused}");
    let refused = rig.server.take("db", "second", other).await.unwrap_err();
    assert!(
        refused.to_string().contains("mount options differ"),
        "{refused}"
    );
    rig.register("db", options).await.unwrap();
    let changed = json!({"MountOptions": {"FSType": "cifs", "MountFlags": ["rw"]}});
    let refused = rig.register("db", changed).await.unwrap_err();
    assert!(refused.to_string().contains("mount options"), "{refused}");
}

#[tokio::test]
async fn mount_flags_in_the_row_of_another_volume_reach_no_driver() {
    let rig = Rig::start().await;
    for id in ["a", "b"] {
        let options = json!({"MountOptions": {"MountFlags": [format!("password=of-{id}")]}});
        rig.create(id, options).await.unwrap();
    }
    let cp = &rig.server.control_plane;
    let (of_a, of_b) = (keys::volume(&key("a")), keys::volume(&key("b")));
    let mut a = row(&*cp.store, &of_a).await;
    a["mount_options"] = row(&*cp.store, &of_b).await["mount_options"].clone();
    put(cp, of_a, &a).await;
    rig.server.take("a", "user", json!({})).await.unwrap_err();
    assert_eq!(rig.count(Call::NodeStageVolume), 0);
    rig.server.take("b", "user", json!({})).await.unwrap();
}

/// What a start is refused with.
async fn refused(config: &Config) -> String {
    let started = Server::start(config.clone(), Clock::default(), None).await;
    started.err().unwrap().to_string()
}

fn config(data: &Path) -> Config {
    let mut config = Config::new(data);
    config.builtin_driver = true;
    config
}

/// Volumes with secrets in a data folder that nobody uses, and the configuration of the server that
/// made them.
async fn left_behind() -> (Rig, Config) {
    let mut rig = Rig::start().await;
    let secrets = json!({"Secrets": {"password": "c4n4ry"}});
    rig.create("db", secrets).await.unwrap();
    rig.server.stop().await;
    let config = config(rig.server.data());
    (rig, config)
}

/// A key file with these bytes.
fn write_key(file: &Path, bytes: &[u8]) {
    std::fs::write(file, bytes).unwrap();
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
}

/// Deletes the volume that was left behind: its driver has to be told its secret.
async fn its_secret_opens(rig: &Rig) {
    rig.server.all_healthy().await;
    let delete = rig.client().delete_volume().volume_id("db");
    delete.send().await.unwrap();
    let asked: v1::DeleteVolumeRequest = rig.driver.last(Call::DeleteVolume);
    assert_eq!(asked.secrets["password"], "c4n4ry");
}

#[tokio::test]
async fn without_its_key_no_server_starts_and_nothing_is_overwritten() {
    let (mut rig, config) = left_behind().await;
    let file = config.data_dir.join("secrets.key");
    let kept = std::fs::read(&file).unwrap();

    std::fs::remove_file(&file).unwrap();
    let why = refused(&config).await;
    assert!(why.contains(file.to_str().unwrap()), "{why}");
    assert!(
        why.contains("is not there") && why.contains("data keys"),
        "{why}"
    );
    assert!(!file.exists());
    for (bytes, problem) in [
        (&[7_u8; 32][..], "does not open data key"),
        (&kept[1..], "it holds 31 bytes"),
    ] {
        write_key(&file, bytes);
        let why = refused(&config).await;
        assert!(why.contains(file.to_str().unwrap()), "{why}");
        assert!(why.contains(problem), "{why}");
        assert!(std::fs::read(&file).unwrap() == bytes, "{problem}");
    }

    write_key(&file, &kept);
    rig.server.restart().await;
    its_secret_opens(&rig).await;
}

#[tokio::test]
async fn another_key_file_takes_over_from_the_previous_one() {
    let (mut rig, standard) = left_behind().await;
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new.key");
    let mut config = standard.clone();
    config.key_file = Some(new.clone());
    config.previous_key_file = Some(standard.data_dir.join("secrets.key"));
    // A new key is not made for a store that has keys.
    let why = refused(&config).await;
    assert!(why.contains("new.key is not there"), "{why}");
    write_key(&new, &[9; 32]);

    let alone = Config {
        previous_key_file: None,
        ..config.clone()
    };
    let why = refused(&alone).await;
    assert!(why.contains("new.key does not open"), "{why}");
    let started = Server::start(config, Clock::default(), None).await;
    drop(started.unwrap());
    // From then on it is the only one.
    let why = refused_soon(&standard).await;
    assert!(why.contains("secrets.key does not open"), "{why}");

    let change = |config: &mut Config| config.key_file = Some(new);
    rig.server.restart_with(change).await;
    its_secret_opens(&rig).await;
}

/// As [`refused`], once the server before has let go of the store.
async fn refused_soon(config: &Config) -> String {
    let deadline = std::time::Instant::now() + crate::server::PATIENCE;
    loop {
        let why = refused(config).await;
        if !why.contains("in use") || std::time::Instant::now() > deadline {
            return why;
        }
        tokio::task::yield_now().await;
    }
}
