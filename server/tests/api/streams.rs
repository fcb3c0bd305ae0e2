//! What makes the Rust client pleasant: pages as a stream, watching as a stream, failures, tries.

use crate::server::{PATIENCE, TestServer, create, volume};
use futures::TryStreamExt as _;
use saddlebag_client::{Client, Failure, Seen, pages, retried, watch};
use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn pages_stream_a_whole_list() {
    let server = TestServer::start().await;
    for id in ["a", "b", "c", "d", "e"] {
        server.create(id).await;
    }
    let pages = pages(|token| {
        let page = server.client.list_volumes().type_("csi").per_page(2);
        match token {
            Some(token) => page.next_token(token).send(),
            None => page.send(),
        }
    });
    let pages: Vec<Vec<_>> = pages.try_collect().await.unwrap();
    let ids: Vec<Vec<&str>> = pages
        .iter()
        .map(|page| page.iter().map(|volume| volume.id.as_str()).collect())
        .collect();
    assert_eq!(ids, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
}

#[tokio::test]
async fn watching_sees_what_is_there_and_then_each_change_until_a_failure() {
    let server = TestServer::start().await;
    server.create("db").await;
    let mut seen = pin!(watch(|index| {
        let read = server.client.read_volume().volume_id("db");
        read.index(index).wait(Duration::from_secs(10)).send()
    }));
    let Seen { index, value } = seen.try_next().await.unwrap().unwrap();
    assert_eq!(value.capacity, 1 << 20);

    let mut larger = volume("db");
    larger.requested_capacity_min = Some(1 << 21);
    let (grown, changed) = tokio::join!(
        create(&server.client, larger),
        timeout(PATIENCE, async {
            loop {
                let seen = seen.try_next().await.unwrap().unwrap();
                if seen.value.capacity == 1 << 21 {
                    return seen;
                }
            }
        })
    );
    grown.unwrap();
    assert!(changed.unwrap().index > index);

    let deletion = server.client.delete_volume().volume_id("db");
    deletion.send().await.unwrap();
    let end = timeout(PATIENCE, async {
        while seen.try_next().await?.is_some() {}
        Ok::<_, Failure>(())
    });
    let failure = end.await.unwrap().unwrap_err();
    assert_eq!(failure.code(), Some("volume_not_found"));
}

#[tokio::test]
async fn only_what_may_succeed_later_is_tried_again() {
    let server = TestServer::start().await;
    let tries = Cell::new(0);
    let nowhere = Client::new("http://127.0.0.1:1");
    let failure = retried(3, || {
        tries.set(tries.get() + 1);
        // Nobody listens at first.
        let client = if tries.get() < 2 {
            &nowhere
        } else {
            &server.client
        };
        client.read_volume().volume_id("nope").send()
    });
    let failure = failure.await.unwrap_err();
    assert_eq!(tries.get(), 2);
    assert!(!failure.is_retryable());
    assert_eq!(failure.to_string(), "volume not found");
    assert!(matches!(failure, Failure::Refused { status: 404, .. }));

    let failure = retried(2, || nowhere.read_leader().send())
        .await
        .unwrap_err();
    assert!(failure.is_retryable() && failure.code().is_none());
}
