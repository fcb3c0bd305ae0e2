//! Where data is, and whether it is there afterwards.

use crate::process::{Dev, Folders, names, text};
use rustix::process::Signal;

#[tokio::test]
async fn a_data_folder_survives_a_restart() {
    let folders = Folders::new();
    let data = folders.own("data");
    let args = ["--data-dir", text(&data)];
    let dev = Dev::start(folders.temporary.path(), &args).await;
    let (status, created) = dev.create("db", "local").await;
    assert_eq!(status, 200, "{created}");
    let before = dev.get("/v1/volume/csi/db").await;
    dev.stop().await;

    let dev = Dev::start(folders.temporary.path(), &args).await;
    let after = dev.get("/v1/volume/csi/db").await;
    assert_eq!(after.0, 200);
    for field in [
        "ID",
        "ExternalID",
        "Capacity",
        "CreateIndex",
        "ModifyIndex",
        "CreateTime",
    ] {
        assert_eq!(after.1[field], before.1[field], "{field}");
    }
    let (_, external) = dev.get("/v1/volumes/external?plugin_id=local").await;
    assert_eq!(external["Volumes"][0]["ExternalID"], before.1["ExternalID"]);
    dev.stop().await;
}

#[tokio::test]
async fn without_one_nothing_is_left_after_either_signal() {
    for signal in [Signal::INT, Signal::TERM] {
        let folders = Folders::new();
        let dev = Dev::start(folders.temporary.path(), &[]).await;
        assert_eq!(dev.create("db", "local").await.0, 200);
        let names_meanwhile = names(folders.temporary.path());
        assert!(
            names_meanwhile
                .iter()
                .any(|name| name.starts_with("saddlebag-dev-"))
        );
        dev.signal(signal);
        let ended = dev.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(names(folders.temporary.path()), ["ready"]);
    }
}

#[tokio::test]
async fn a_path_that_is_relative_or_longer_than_a_sockets_may_be_works() {
    let folders = Folders::new();
    let long = "x".repeat(120);
    for given in ["here", "./and/../there", long.as_str()] {
        let args = ["--data-dir", given];
        let dev = Dev::start(folders.temporary.path(), &args).await;
        assert_eq!(dev.create("db", "local").await.0, 200, "{given}");
        dev.stop().await;
        assert!(
            folders
                .temporary
                .path()
                .join(given)
                .join("store.redb")
                .is_file()
        );
    }
    let left = names(folders.temporary.path());
    let mut expected = vec![
        "and".to_owned(),
        "here".into(),
        "ready".into(),
        "there".into(),
        long,
    ];
    expected.retain(|name| name != "and" || left.contains(name));
    assert_eq!(left, expected);
}

#[tokio::test]
async fn the_folder_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt;
    let folders = Folders::new();
    let data = folders.own("data");
    let dev = Dev::start(folders.temporary.path(), &["--data-dir", text(&data)]).await;
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(data.clone()), 0o700);
    assert_eq!(mode(data.join("secrets.key")), 0o600);
    dev.stop().await;
}
