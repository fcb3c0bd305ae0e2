//! Calls that meet each other.

use super::{requests::*, rig::*};
use std::{fs, path::Path, time::Duration};
use tonic::Code;

/// Gives a volume so many files that copying them takes a while.
fn make_slow_to_copy(directory: &Path) {
    for number in 0..20_000 {
        fs::File::create(directory.join(number.to_string())).unwrap();
    }
}

/// Waits until a copy is under way.
async fn until_something_is_unfinished(root: &Path) {
    let unfinished = root.join("unfinished");
    while fs::read_dir(&unfinished).unwrap().count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_volume_being_copied_is_not_deleted_and_others_do_not_wait() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("slow", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    make_slow_to_copy(&rig.directory_of(&id));
    let mut clients = rig.clients.clone();
    let source = id.clone();
    let copy = tokio::spawn(async move { clients.snapshot(&source, "s").await });
    until_something_is_unfinished(&rig.root()).await;

    refused(rig.clients.delete(&id).await, Code::Aborted);
    refused(rig.clients.snapshot(&id, "s").await, Code::Aborted);
    let other = rig
        .clients
        .create(wanting("other", MIB, raw()))
        .await
        .unwrap()
        .volume_id;
    rig.clients
        .attach(attaching(&id, directory()))
        .await
        .unwrap();
    rig.clients.detach(&id).await.unwrap();
    rig.clients.delete(&other).await.unwrap();
    assert!(!copy.is_finished(), "the copy was too fast for this test");

    let snapshot = copy.await.unwrap().unwrap();
    rig.clients.delete(&id).await.unwrap();
    let copied = rig
        .root()
        .join("snapshots")
        .join(snapshot.snapshot_id)
        .join("directory");
    assert_eq!(fs::read_dir(copied).unwrap().count(), 20_000);
}

#[tokio::test]
async fn work_goes_on_when_its_caller_leaves() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("slow", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    make_slow_to_copy(&rig.directory_of(&id));
    let mut request = wanting("copy", MIB, directory());
    request.volume_content_source = from_volume(&id);
    let mut clients = rig.clients.clone();
    let asked = request.clone();
    let caller = tokio::spawn(async move { clients.create(asked).await });
    until_something_is_unfinished(&rig.root()).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());

    let made = loop {
        if let Some(made) = rig
            .clients
            .volume_ids()
            .await
            .into_iter()
            .find(|other| *other != id)
        {
            break made;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(rig.clients.create(request).await.unwrap().volume_id, made);
}

#[tokio::test]
async fn one_name_asked_for_by_many_at_once_gives_one_volume() {
    let mut rig = Rig::start().await;
    let asks = (0..32).map(|_| {
        let mut clients = rig.clients.clone();
        tokio::spawn(async move {
            loop {
                match clients.create(wanting("a", MIB, raw())).await {
                    Ok(volume) => return volume.volume_id,
                    Err(status) => assert_eq!(status.code(), Code::Aborted),
                }
            }
        })
    });
    let mut answers = vec![];
    for ask in asks.collect::<Vec<_>>() {
        answers.push(ask.await.unwrap());
    }
    answers.dedup();
    assert_eq!(rig.clients.volume_ids().await, answers);
}
