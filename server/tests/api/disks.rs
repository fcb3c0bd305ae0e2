//! Disks that are full, broken or slow, as clients see them: a change that is not durable is no
//! success, reads go on, and once the disk works so does the server, without a restart.

use crate::disk::{Disk, Faults};
use crate::server::{PATIENCE, TestServer, create, refusal, volume};
use saddlebag::clock::Clock;
use saddlebag_client::types;
use std::sync::Arc;

const NOT_STORED: &str = "it is not stored";
const NOT_KNOWN: &str = "it is not known whether it is stored";

/// A server on such a disk, with a volume `there`.
async fn on(disk: &Disk) -> TestServer {
    let store = Arc::new(disk.open().unwrap());
    let clock = Clock::default();
    let server = TestServer::start_on(Some(store), clock, |config| config.builtin_driver = true);
    let server = server.await;
    server.all_healthy().await;
    server.create("there").await;
    server
}

/// A creation that takes more than the disk has at hand.
fn large(id: &str) -> types::VolumeRequest {
    let parameters = [("padding".to_owned(), "x".repeat(150_000))];
    types::VolumeRequest {
        parameters: Some(parameters.into()),
        ..volume(id)
    }
}

/// What is created is refused for now, in words with `became` in them; reads are answered.
async fn refused(server: &TestServer, volume: types::VolumeRequest, became: &str) {
    let id = volume.id.clone().unwrap();
    let (status, error) = refusal(create(&server.client, volume).await);
    assert_eq!((status, error.code.as_str()), (503, "store_unavailable"));
    assert!(error.retryable);
    assert!(error.message.contains(became), "{}", error.message);
    assert_eq!(server.read("there").await.unwrap().id, "there");
    assert_eq!(refusal(server.read(&id).await).0, 404);
    let list = server.client.list_volumes().type_("csi").send().await;
    assert_eq!(list.unwrap().len(), 1);
}

#[tokio::test]
async fn a_full_disk_is_told_and_reads_go_on_until_there_is_room() {
    let disk = Disk::default();
    let server = on(&disk).await;
    disk.set(Faults {
        full: true,
        ..Faults::NONE
    });
    for _ in 0..2 {
        refused(&server, large("large"), NOT_STORED).await;
    }
    disk.set(Faults::NONE);
    assert_eq!(server.create("db").await.id, "db");
}

#[tokio::test]
async fn a_disk_that_does_not_write_is_told_and_reads_go_on_until_it_does() {
    let disk = Disk::default();
    let server = on(&disk).await;
    disk.set(Faults {
        writes: true,
        ..Faults::NONE
    });
    for _ in 0..2 {
        refused(&server, volume("db"), "the disk does not write").await;
    }
    disk.set(Faults::NONE);
    assert_eq!(server.create("db").await.id, "db");
}

#[tokio::test]
async fn a_disk_that_fails_in_the_middle_of_a_commit_leaves_it_unclear_and_the_same_request_joins()
{
    let disk = Disk::default();
    let server = on(&disk).await;
    disk.set(Faults {
        syncs: true,
        ..Faults::NONE
    });
    refused(&server, volume("db"), NOT_KNOWN).await;
    refused(&server, volume("other"), NOT_STORED).await;
    disk.set(Faults::NONE);
    for id in ["db", "other"] {
        assert_eq!(server.create(id).await.id, id);
    }
    let external = server.client.list_external_volumes().plugin_id("local");
    let at_driver = external.send().await.unwrap().into_inner().volumes.unwrap();
    assert_eq!(at_driver.len(), 3, "no volume was made twice");
}

#[tokio::test]
async fn a_slow_disk_holds_up_the_change_alone() {
    let disk = Disk::default();
    let server = on(&disk).await;
    let before = disk.operations();
    disk.set(Faults {
        slow: true,
        ..Faults::NONE
    });
    let client = server.client.clone();
    let created = tokio::spawn(async move { create(&client, volume("db")).await });
    // it was written, and waits for its sync
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while disk.operations() == before {
        assert!(
            tokio::time::Instant::now() < deadline,
            "nothing was written"
        );
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        assert_eq!(server.read("there").await.unwrap().id, "there");
        assert_eq!(refusal(server.read("db").await).0, 404);
        let plugins = server.client.list_plugins().type_("csi").send().await;
        assert_eq!(plugins.unwrap().len(), 1);
    }
    assert!(!created.is_finished());
    disk.set(Faults::NONE);
    let created = tokio::time::timeout(PATIENCE, created).await.unwrap();
    assert_eq!(created.unwrap().unwrap().volumes[0].id, "db");
}
