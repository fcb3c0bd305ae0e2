//! What a driver finds when it starts on what an earlier one left.

use super::{requests::*, rig::*};
use saddlebag::{csi::v1::*, driver};
use std::{fs, path::Path};
use tokio::net::UnixListener;

/// Starts a driver that must refuse to.
async fn fails_to_start(work: &Workdir) -> driver::Error {
    let listener = UnixListener::bind(work.path().join("other.sock")).unwrap();
    let serving = driver::serve(listener, options(work), std::future::pending());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), serving).await;
    ended.expect("the driver started").unwrap_err()
}

#[tokio::test]
async fn everything_is_as_it_was() {
    let mut rig = Rig::start().await;
    let used = rig
        .clients
        .create(wanting("used", MIB, directory()))
        .await
        .unwrap();
    let id = used.volume_id.clone();
    let staging = rig.work.directory("staging");
    let target = format!("{}/target", rig.work.directory("alloc"));
    rig.clients.bring(&id, &staging, directory()).await;
    let publish = publishing_at(&id, &staging, &target, directory());
    rig.clients.publish(publish.clone()).await.unwrap();
    fs::write(format!("{target}/file"), "words").unwrap();
    let snapshot = rig.clients.snapshot(&id, "s").await.unwrap();
    let gone = rig
        .clients
        .create(wanting("gone", MIB, raw()))
        .await
        .unwrap()
        .volume_id;
    rig.clients.delete(&gone).await.unwrap();

    let work = rig.stop().await;
    let mut rig = Rig::on(work, |_| {}).await;

    assert_eq!(rig.clients.volume_ids().await, [id.as_str()]);
    assert_eq!(
        rig.clients
            .create(wanting("used", MIB, directory()))
            .await
            .unwrap(),
        used
    );
    assert_eq!(rig.clients.snapshot(&id, "s").await.unwrap(), snapshot);
    assert!(rig.clients.delete(&id).await.is_err());
    rig.clients.publish(publish).await.unwrap();
    assert_eq!(
        fs::read_to_string(format!("{target}/file")).unwrap(),
        "words"
    );
    rig.clients.unpublish(&id, &target).await.unwrap();
    rig.clients.unstage(&id, &staging).await.unwrap();
    rig.clients.detach(&id).await.unwrap();
    rig.clients.delete(&id).await.unwrap();
    let request = ListSnapshotsRequest::default();
    assert_eq!(
        rig.clients.snapshot_ids(request).await,
        [snapshot.snapshot_id]
    );
}

#[tokio::test]
async fn what_was_left_unfinished_is_swept_away() {
    let work = Workdir::new();
    let left = work.path().join("root/unfinished/vol-half");
    fs::create_dir_all(left.join("directory/deep")).unwrap();
    let _rig = Rig::on(work, |_| {}).await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while left.exists() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the leftover is still there"
        );
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_root_has_one_driver() {
    let rig = Rig::start().await;
    assert!(matches!(
        fails_to_start(&rig.work).await,
        driver::Error::InUse(_)
    ));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_named_and_nothing_is_touched() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let record = rig.root().join("volumes").join(&id).join("record.json");
    let work = rig.stop().await;
    let good = fs::read_to_string(&record).unwrap();
    for bad in [
        good[..good.len() / 2].to_owned(),
        good.replace("\"format\":1", "\"format\":2"),
        good.replace(&id, "vol-00000000000000000000000000000000"),
    ] {
        assert_ne!(bad, good);
        fs::write(&record, &bad).unwrap();
        let _ = fs::remove_file(work.path().join("other.sock"));
        let error = fails_to_start(&work).await;
        let driver::Error::Record { path, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(path, &record);
        assert_eq!(fs::read_to_string(&record).unwrap(), bad);
    }
    fs::write(&record, good).unwrap();
    let mut rig = Rig::on(work, |_| {}).await;
    assert_eq!(rig.clients.volume_ids().await, [id]);
}

#[tokio::test]
async fn a_missing_root_is_made() {
    let work = Workdir::new();
    let mut rig = Rig::on(work, |_| {}).await;
    let answer = rig.clients.identity.probe(ProbeRequest {}).await.unwrap();
    assert_eq!(answer.into_inner().ready, Some(true));
    assert!(Path::new(&rig.root()).join("volumes").is_dir());
}
