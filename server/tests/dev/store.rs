//! `saddlebag store`, on the data of running servers and of none.

use crate::process::{Dev, Folders, names, saddlebag, soon, text};
use rustix::process::Signal;
use saddlebag::store::{Embedded, Key, Store, Transaction, Write};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What one command said, and whether it succeeded.
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn store(args: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let mut command = saddlebag(folder.path(), &["store"]);
    let output = soon("the command to end", command.args(args).output()).await;
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Said {
    #[track_caller]
    fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        assert_eq!(self.stderr, "");
        self.stdout
    }

    #[track_caller]
    fn refused(self) -> String {
        assert_eq!(self.code, Some(1), "{}", self.stdout);
        assert_eq!(self.stdout, "");
        self.stderr
    }
}

#[track_caller]
fn tells(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
}

/// A server with volumes `a` and `b` on data of its own.
async fn with_volumes(folders: &Folders) -> (Dev, std::path::PathBuf) {
    let data = folders.own("data");
    let dev = start(folders, &data).await;
    for id in ["a", "b"] {
        assert_eq!(dev.create(id, "local").await.0, 200);
    }
    (dev, data)
}

async fn start(folders: &Folders, data: &Path) -> Dev {
    Dev::start(folders.temporary.path(), &["--data-dir", text(data)]).await
}

#[tokio::test]
async fn a_backup_of_a_running_server_brings_back_what_was_lost() {
    let folders = Folders::new();
    let (dev, data) = with_volumes(&folders).await;
    let backup = folders.own("backup");
    let before = dev.get("/v1/volume/csi/a").await;

    let told = store(&["backup", "--data-dir", text(&data), text(&backup)])
        .await
        .done();
    tells(
        &told,
        &[
            text(&backup),
            " rows at index ",
            "secrets.key (or in the key_file that",
            "which is not in it",
        ],
    );
    let mode = std::fs::metadata(&backup).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let (deleted, _) = dev
        .ask(reqwest::Method::DELETE, "/v1/volume/csi/a", None)
        .await;
    assert_eq!(deleted, 200);
    assert_eq!(dev.create("c", "local").await.0, 200);
    let index = dev.get("/v1/volumes?type=csi").await;
    assert_eq!(index.1.as_array().unwrap().len(), 2);
    dev.stop().await;

    let args = ["restore", "--data-dir", text(&data), text(&backup)];
    let told = store(&args).await.refused();
    tells(
        &told,
        &["nothing was changed", "store.redb holds ", "--force"],
    );
    let told = store(&[&args[..], &["--force"]].concat()).await.done();
    let kept = data.join("store.redb.before-restore");
    tells(&told, &["Restored ", text(&backup), text(&kept)]);
    assert!(kept.is_file());

    let dev = start(&folders, &data).await;
    let after = dev.get("/v1/volume/csi/a").await;
    assert_eq!(after.0, 200, "{}", after.1);
    for field in [
        "ID",
        "ExternalID",
        "Capacity",
        "CreateIndex",
        "CreateTime",
        "ModifyTime",
    ] {
        assert_eq!(after.1[field], before.1[field], "{field}");
    }
    assert_eq!(dev.get("/v1/volume/csi/b").await.0, 200);
    assert_eq!(dev.get("/v1/volume/csi/c").await.0, 404);
    // what is sealed opens again: the driver is asked with the secrets of the volume
    let grow = json!({"Volumes": [{
        "ID": "a", "Name": "a", "PluginID": "local", "RequestedCapacityMin": 2 << 20,
        "RequestedCapabilities": [
            {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}
        ],
    }]});
    let grown = dev
        .ask(reqwest::Method::PUT, "/v1/volume/csi/a/create", Some(grow))
        .await;
    assert_eq!(grown.0, 200, "{}", grown.1);
    dev.stop().await;
}

#[tokio::test]
async fn who_blocked_before_a_restore_is_answered_after_it() {
    let folders = Folders::new();
    let (dev, data) = with_volumes(&folders).await;
    let backup = folders.own("backup");
    store(&["backup", "--data-dir", text(&data), text(&backup)])
        .await
        .done();
    for id in ["c", "d", "e"] {
        assert_eq!(dev.create(id, "local").await.0, 200);
    }
    let seen = index_of(&dev).await;
    dev.stop().await;
    // the host of the server was lost, and with it how far its index came
    let new = folders.own("new");
    let told = store(&["restore", "--data-dir", text(&new), text(&backup)])
        .await
        .done();
    tells(&told, &["secrets.key is not there", "no server starts"]);
    // without the key nothing starts, and nothing is made in its place
    let mut refused = saddlebag(folders.temporary.path(), &["dev", "--data-dir", text(&new)]);
    let refused = soon("dev to be refused", refused.output()).await.unwrap();
    assert!(!refused.status.success());
    let why = String::from_utf8(refused.stderr).unwrap();
    let key = new.join("secrets.key");
    tells(&why, &[text(&key), "is not there", "data keys"]);
    assert!(!key.exists());
    std::fs::copy(data.join("secrets.key"), &key).unwrap();

    let dev = start(&folders, &new).await;
    assert!(index_of(&dev).await > seen);
    for path in ["/v1/volumes?type=csi", "/v1/volume/csi/a?"] {
        let path = format!("{path}&wait=10m&index={seen}");
        assert_eq!(soon("a blocked read", dev.get(&path)).await.0, 200);
    }
    dev.stop().await;
}

/// The index of the list of volumes.
async fn index_of(dev: &Dev) -> u64 {
    let answer = saddlebag_client::http()
        .build()
        .unwrap()
        .get(format!("{}/v1/volumes?type=csi", dev.url))
        .send()
        .await
        .unwrap();
    answer.headers()["x-nomad-index"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a_backup_under_load_is_whole_and_of_one_moment() {
    let folders = Folders::new();
    let (dev, data) = with_volumes(&folders).await;
    let dev = std::sync::Arc::new(dev);
    let load = tokio::spawn({
        let dev = dev.clone();
        async move {
            for n in 0.. {
                let (status, created) = dev.create(&format!("load-{n}"), "local").await;
                assert_eq!(status, 200, "{created}");
            }
        }
    });
    for n in 0..5 {
        let (backup, copy) = (
            folders.own(&format!("{n}")),
            folders.own(&format!("copy-{n}")),
        );
        store(&["backup", "--data-dir", text(&data), text(&backup)])
            .await
            .done();
        store(&["restore", "--data-dir", text(&copy), text(&backup)])
            .await
            .done();
        let told = store(&["check", "--data-dir", text(&copy)]).await.done();
        // each volume has its backing store beside it, in one commit
        let rows = |kind: &str| {
            let line = told
                .lines()
                .find(|line| line.trim_start().starts_with(kind));
            line.unwrap().split_whitespace().nth(1).unwrap().to_owned()
        };
        assert_eq!(rows("volume"), rows("backing"), "{told}");
    }
    load.abort();
    assert!(load.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_restore_is_refused_while_a_server_has_the_data() {
    let folders = Folders::new();
    let (dev, data) = with_volumes(&folders).await;
    let backup = folders.own("backup");
    store(&["backup", "--data-dir", text(&data), text(&backup)])
        .await
        .done();
    let args = [
        "restore",
        "--force",
        "--data-dir",
        text(&data),
        text(&backup),
    ];
    let told = store(&args).await.refused();
    let process = format!("process {} on ", dev.pid().as_raw_nonzero());
    tells(
        &told,
        &["store.redb is in use by ", &process, "saddlebag dev"],
    );
    assert_eq!(dev.get("/v1/volume/csi/a").await.0, 200);
    dev.stop().await;
}

#[tokio::test]
async fn a_backup_that_is_not_whole_changes_nothing() {
    let folders = Folders::new();
    let (dev, data) = with_volumes(&folders).await;
    dev.stop().await;
    let backup = folders.own("backup");
    store(&["backup", "--data-dir", text(&data), text(&backup)])
        .await
        .done();
    let whole = std::fs::read(&backup).unwrap();
    let before = (
        names(&data),
        std::fs::read(data.join("store.redb")).unwrap(),
    );
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    for harmed in [
        &flipped,
        &whole[..whole.len() - 9],
        &whole[..20],
        b"notes\n",
        b"",
    ] {
        std::fs::write(&backup, harmed).unwrap();
        let args = [
            "restore",
            "--force",
            "--data-dir",
            text(&data),
            text(&backup),
        ];
        let told = store(&args).await.refused();
        tells(&told, &["nothing was changed", text(&backup), "line "]);
        let after = (
            names(&data),
            std::fs::read(data.join("store.redb")).unwrap(),
        );
        assert!(before == after, "{:?} {:?}", before.0, after.0);
    }
}

#[tokio::test]
async fn check_and_stats_read_the_data_of_a_running_server_and_of_a_killed_one() {
    let folders = Folders::new();
    let (dev, data) = with_volumes(&folders).await;
    let process = format!("process {}", dev.pid().as_raw_nonzero());
    for (command, parts) in [
        (
            "check",
            ["store.redb is whole: ", "Read through ", &process],
        ),
        ("stats", ["store.redb", "in use by", &process]),
    ] {
        let told = store(&[command, "--data-dir", text(&data)]).await.done();
        tells(&told, &parts);
        tells(&told, &["volume                     2"]);
    }
    dev.signal(Signal::KILL);
    dev.ended().await;

    let file = data.join("store.redb");
    let left = std::fs::read(&file).unwrap();
    let told = store(&["check", "--data-dir", text(&data)]).await.done();
    tells(
        &told,
        &["is whole", "every page", "volume                     2"],
    );
    let told = store(&["stats", "--data-dir", text(&data)]).await.done();
    tells(
        &told,
        &[
            "nobody",
            &format!("{} bytes", left.len()),
            "volume                     2",
        ],
    );
    assert!(std::fs::read(&file).unwrap() == left, "it was changed");
}

#[tokio::test]
async fn a_damaged_file_is_told_by_check_and_at_the_start_with_what_to_do() {
    let folders = Folders::new();
    let (dev, data) = with_volumes(&folders).await;
    dev.stop().await;
    let file = data.join("store.redb");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes
        .windows(9)
        .rposition(|part| part == b"\"name\":\"a")
        .unwrap();
    bytes[at + 8] = b'z';
    std::fs::write(&file, &bytes).unwrap();

    let next = ["is damaged", "saddlebag store restore"];
    let told = store(&["check", "--data-dir", text(&data)]).await.refused();
    tells(&told, &[text(&file)]);
    tells(&told, &next);
    let args = ["--data-dir", text(&data)];
    let dev = Dev::start_unready(folders.temporary.path(), &args)
        .await
        .ended()
        .await;
    assert_eq!(dev.code, Some(1));
    tells(&dev.stderr, &[text(&file)]);
    tells(&dev.stderr, &next);
    assert!(std::fs::read(&file).unwrap() == bytes);
}

#[tokio::test]
async fn a_row_that_this_saddlebag_cannot_read_is_named() {
    let folders = Folders::new();
    let (from, to) = (folders.own("from"), folders.own("to"));
    std::fs::create_dir(&from).unwrap();
    let store_file = Embedded::open(&from.join("store.redb")).unwrap();
    let row = Write::Put(Key::new("volume/default\0odd"), "{}".into());
    let transaction = Transaction {
        guards: Vec::new(),
        writes: vec![row],
    };
    store_file.commit(transaction).await.unwrap();
    store_file.close().await.unwrap();

    let named = "volume/default\\u{0}odd";
    let told = store(&["check", "--data-dir", text(&from)]).await.refused();
    tells(&told, &["cannot read all of it", named, "missing field"]);
    let backup = folders.own("backup");
    store(&["backup", "--data-dir", text(&from), text(&backup)])
        .await
        .done();
    let told = store(&["restore", "--data-dir", text(&to), text(&backup)])
        .await
        .refused();
    tells(&told, &["nothing was changed", text(&backup), named]);
    assert!(!to.join("store.redb").exists());
}

#[tokio::test]
async fn what_a_command_cannot_use_is_named() {
    let folders = Folders::new();
    let (nowhere, file) = (folders.own("nowhere"), folders.own("file"));
    std::fs::write(&file, "mine").unwrap();
    for command in ["check", "stats"] {
        let told = store(&[command, "--data-dir", text(&nowhere)])
            .await
            .refused();
        tells(&told, &["there is no store", text(&nowhere)]);
    }
    let told = store(&["backup", "--data-dir", text(&nowhere), text(&file)])
        .await
        .refused();
    tells(&told, &[text(&file), "is there already"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn a_data_folder_with_a_long_path_is_backed_up_while_its_server_runs() {
    let folders = Folders::new();
    let data = folders.own(&"x".repeat(120));
    let dev = start(&folders, &data).await;
    let backup = folders.own("backup");
    store(&["backup", "--data-dir", text(&data), text(&backup)])
        .await
        .done();
    dev.stop().await;
    assert!(!data.join("run/store.sock").exists());
}
