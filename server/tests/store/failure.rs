//! A disk that fails for a while: what fails is said, what was answered stays, and once the disk
//! works so does the store.

use crate::{
    disk::{Disk, Faults},
    place::{commit, followed, key, load, put, row, soon, transaction, try_load},
};
use futures::StreamExt;
use saddlebag::store::{Embedded, Followed, Index, Store, StoreError};

const WORKING: Faults = Faults::NONE;

#[tokio::test]
async fn a_full_disk_refuses_clearly_and_recovers() {
    let (disk, store) = with_rows().await;
    disk.set(Faults {
        full: true,
        ..WORKING
    });
    for _ in 0..3 {
        let large = transaction([], [put("b", vec![1; 200_000])]);
        let outcome = store.commit(large).await;
        let unclear = matches!(outcome, Err(StoreError::Failed { unclear: true, .. }));
        assert!(outcome.is_err() && !unclear, "{outcome:?}");
        assert_eq!(load(&store).await.index, Index(1));
    }
    disk.set(WORKING);
    assert_eq!(
        commit(&store, [], [put("c", vec![1; 200_000])]).await,
        Index(2)
    );
    assert_eq!(row(&store, "b").await, None);
    survives_power_loss(disk, store, &["a", "c"]).await;
}

#[tokio::test]
async fn a_disk_that_cannot_write_refuses_and_recovers() {
    let (disk, store) = with_rows().await;
    disk.set(Faults {
        writes: true,
        ..WORKING
    });
    for _ in 0..3 {
        let (detail, _) = failed(&store, "b").await;
        assert!(detail.contains("the disk does not write"), "{detail}");
    }
    disk.set(WORKING);
    let index = commit(&store, [], [put("c", "1")]).await;
    assert_eq!(index, Index(2), "nothing of what failed is there");
    assert_eq!(row(&store, "b").await, None);
    survives_power_loss(disk, store, &["a", "c"]).await;
}

#[tokio::test]
async fn a_disk_that_cannot_sync_leaves_it_unclear_until_it_can() {
    let (disk, store) = with_rows().await;
    let mut follower = store.follow(Index(1));
    disk.set(Faults {
        syncs: true,
        ..WORKING
    });
    assert!(
        failed(&store, "b").await.1,
        "nobody knows what a failed sync left"
    );
    assert!(!failed(&store, "c").await.1, "this one was never written");
    disk.set(WORKING);

    // the bytes were written, and are made durable before they are believed
    let index = commit(&store, [], [put("z", "1")]).await;
    assert_eq!(index, Index(3));
    for (index, at) in [(2, "b"), (3, "z")] {
        let told = soon(follower.next()).await;
        let Some(Followed::Change(change)) = told else {
            panic!("{told:?}")
        };
        assert_eq!((change.index, &change.rows[0].0), (Index(index), &key(at)));
    }
    assert_eq!(row(&store, "c").await, None);
    survives_power_loss(disk, store, &["a", "b", "z"]).await;
}

#[tokio::test]
async fn reads_that_fail_are_refused_and_recover() {
    let (disk, store) = with_rows().await;
    disk.set(Faults {
        writes: true,
        reads: true,
        ..WORKING
    });
    failed(&store, "b").await;
    let loaded = try_load(&store).await;
    assert!(
        matches!(loaded, Err(StoreError::Failed { unclear: false, .. })),
        "{loaded:?}"
    );
    disk.set(WORKING);
    assert_eq!(load(&store).await.index, Index(1));
    survives_power_loss(disk, store, &["a"]).await;
}

#[tokio::test]
async fn a_panic_below_the_store_is_a_failure_like_any_other() {
    let (disk, store) = with_rows().await;
    disk.set(Faults {
        panics: true,
        ..WORKING
    });
    let (detail, unclear) = failed(&store, "b").await;
    assert!(detail.contains("a bug below the store"), "{detail}");
    assert!(unclear);
    let opened = disk.open().map(drop);
    assert!(
        matches!(opened, Err(StoreError::Corrupt { .. })),
        "{opened:?}"
    );

    disk.set(WORKING);
    assert_eq!(commit(&store, [], [put("c", "1")]).await, Index(3));
    survives_power_loss(disk, store, &["a", "b", "c"]).await;
}

/// A store with a row under `a`, and many under `m/` so that `b` and `z` are pages apart.
async fn with_rows() -> (Disk, Embedded) {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let many = (0..100).map(|n| put(&format!("m/{n}"), vec![n; 500]));
    commit(&store, [], many.chain([put("a", "1")])).await;
    (disk, store)
}

/// The detail of the failure of a commit under this key, and whether it is unclear.
async fn failed(store: &Embedded, at: &str) -> (String, bool) {
    match store.commit(transaction([], [put(at, "1")])).await {
        Err(StoreError::Failed {
            detail, unclear, ..
        }) => (detail, unclear),
        other => panic!("{at}: {other:?}"),
    }
}

async fn survives_power_loss(disk: Disk, store: Embedded, keys: &[&str]) {
    let newest = load(&store).await.index;
    let found = disk.after_power_loss(7);
    disk.cut_power();
    drop(store);
    let store = found.open().unwrap();
    let loaded = load(&store).await;
    assert_eq!(loaded.index, newest);
    let there = loaded.rows.iter().map(|(at, _)| at.as_str());
    let there: Vec<&str> = there.filter(|at| !at.starts_with("m/")).collect();
    assert_eq!(
        (there, loaded.rows.len()),
        (keys.to_vec(), keys.len() + 100)
    );
    let next = commit(&store, [], [put("next", "1")]).await;
    assert_eq!(followed(&store, newest, next).await.len(), 1);
}
