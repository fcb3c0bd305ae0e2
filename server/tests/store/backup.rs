//! Backups: what is written is what is read, whatever happens to it in between is noticed, and a
//! restore replaces a store at once or not at all.

use crate::place::{InFile, Snapshot, collected, commit, delete, followed, key, load, put, rows};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use saddlebag::clock::Clock;
use saddlebag::store::{
    Embedded, Index, Place, RESTORE_STEP, Reading, Store, StoreError, There,
    backup::{WriteError, read, write},
};
use std::{
    io::{Read, Write},
    path::Path,
};

const NAME: &str = "backup";

/// A store with rows of some kinds and sizes.
async fn filled(path: &Path) -> Embedded {
    let store = Embedded::open(path).unwrap();
    let large = serde_json::to_vec(&"ä\n\u{0}x".repeat(20_000)).unwrap();
    commit(
        &store,
        [],
        [put("a/1\u{0}\"ö", "{\"x\": 1}"), put("b", large)],
    )
    .await;
    for n in 0..30 {
        let rows = (0..100).map(|m| put(&format!("row/{n}/{m}"), format!("[{n},{m}]")));
        commit(&store, [], rows).await;
    }
    commit(&store, [], [delete("row/3/3"), put("row/4/4", "null")]).await;
    store
}

async fn backup(store: &Embedded) -> Vec<u8> {
    let reading = store.read().await.unwrap();
    let mut written = Vec::new();
    write(reading, Clock::default().now(), &mut written).unwrap();
    written
}

fn open(backup: Vec<u8>) -> Result<Reading, StoreError> {
    read(Path::new(NAME), std::io::Cursor::new(backup)).map(|(_, reading)| reading)
}

fn all(backup: Vec<u8>) -> Result<Snapshot, StoreError> {
    collected(open(backup)?)
}

#[tokio::test]
async fn what_is_written_is_what_is_read() {
    let place = InFile::new();
    let store = filled(&place.path()).await;
    let backup = backup(&store).await;
    assert!(all(backup).unwrap() == load(&store).await);
}

#[tokio::test]
async fn a_backup_is_of_the_moment_it_was_begun() {
    let place = InFile::new();
    let store = filled(&place.path()).await;
    let before = load(&store).await;
    let reading = store.read().await.unwrap();
    for n in 0..20 {
        commit(
            &store,
            [],
            [
                put(&format!("row/{n}/0"), "0"),
                delete(&format!("row/{n}/1")),
            ],
        )
        .await;
    }
    assert!(collected(reading).unwrap() == before);
}

#[tokio::test]
async fn a_backup_that_was_harmed_anywhere_is_refused_by_name_and_line() {
    let place = InFile::new();
    let store = Embedded::open(&place.path()).unwrap();
    for n in 0..20 {
        commit(&store, [], [put(&format!("row/{n}"), format!("{n}"))]).await;
    }
    let whole = backup(&store).await;
    let rows = load(&store).await;
    let refused = |harmed: Vec<u8>, what: &str| match all(harmed) {
        Err(StoreError::Corrupt { file, key, .. }) => {
            assert_eq!(file, Path::new(NAME));
            assert!(key.starts_with("line "), "{what}: {key}");
        }
        Err(StoreError::Newer { .. }) => assert!(what.starts_with("plain byte"), "{what}"),
        // bytes of the gzip header that say nothing of the content
        Ok(read) if what.starts_with("byte ") => assert!(read == rows, "{what}"),
        other => panic!("{what}: {other:?}"),
    };
    for length in 0..whole.len() {
        refused(
            whole[..length].to_vec(),
            &format!("the first {length} bytes"),
        );
    }
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        refused(flipped, &format!("byte {at}"));
    }
    // and without gzip's own checksum
    let mut plain = Vec::new();
    GzDecoder::new(&whole[..]).read_to_end(&mut plain).unwrap();
    let taken_at = plain
        .windows(8)
        .position(|part| part == b"taken_at")
        .unwrap();
    let first_row = plain.iter().position(|byte| *byte == b'\n').unwrap();
    for at in (0..taken_at).chain(first_row..plain.len()) {
        let mut flipped = plain.clone();
        flipped[at] ^= 1 << (at % 7);
        refused(zipped(&flipped), &format!("plain byte {at}"));
    }
    let twice = [&plain[..], &plain].concat();
    refused(zipped(&twice), "one behind the other");
}

fn zipped(plain: &[u8]) -> Vec<u8> {
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(plain).unwrap();
    zipped.finish().unwrap()
}

#[tokio::test]
async fn a_newer_backup_is_refused() {
    for newer in [
        r#"{"saddlebag_backup":2,"format":1,"index":1,"taken_at":"2026-11-21T17:00:00Z"}"#,
        r#"{"saddlebag_backup":1,"format":2,"index":1,"taken_at":"2026-11-21T17:00:00Z"}"#,
    ] {
        let refused = open(zipped(format!("{newer}\n").as_bytes()));
        assert!(
            matches!(
                refused,
                Err(StoreError::Newer {
                    format: 2,
                    known: 1,
                    ..
                })
            ),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_row_that_is_no_json_is_named_when_it_is_backed_up() {
    let place = InFile::new();
    let store = Embedded::open(&place.path()).unwrap();
    commit(&store, [], [put("a", "1"), put("b", "what")]).await;
    let reading = store.read().await.unwrap();
    match write(reading, Clock::default().now(), Vec::new()) {
        Err(WriteError::Row { key: named, .. }) => assert_eq!(named, key("b")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_restored_store_has_the_rows_at_a_higher_index_and_goes_on() {
    let (from, to) = (InFile::new(), InFile::new());
    let store = filled(&from.path()).await;
    let before = load(&store).await;
    let backup = backup(&store).await;

    let old = Embedded::open(&to.path()).unwrap();
    for n in 0..50 {
        commit(&old, [], [put(&n.to_string(), "1")]).await;
    }
    let newest = commit(&old, [], [put("only here", "1")]).await;
    old.close().await.unwrap();
    let place = Place::hold(&to.path()).unwrap();
    assert!(matches!(place.look(), There::Store(51, Index(51))));
    let kept = place.unused(".kept");
    let restored = place.restore(open(backup).unwrap(), Some(&kept)).unwrap();
    assert_eq!(restored, Index(before.index.0.max(newest.0) + RESTORE_STEP));
    drop(place);

    let store = Embedded::open(&to.path()).unwrap();
    let after = load(&store).await;
    assert_eq!(after.index, restored);
    assert!(after.rows.iter().all(|(_, row)| row.modified == restored));
    let created = |snapshot: &Snapshot| -> Vec<_> {
        let row = |(key, row): &(_, saddlebag::store::Row)| {
            (
                saddlebag::store::Key::clone(key),
                row.value.clone(),
                row.created,
            )
        };
        snapshot.rows.iter().map(row).collect()
    };
    assert!(created(&after) == created(&before));
    let next = commit(&store, [], [put("next", "1")]).await;
    assert_eq!(next, Index(restored.0 + 1));
    assert_eq!(followed(&store, restored, next).await.len(), 1);
    let old = Embedded::open(&kept).unwrap();
    assert!(rows(load(&old).await).contains_key(&key("only here")));
}

#[tokio::test]
async fn a_restore_that_fails_leaves_what_was_there() {
    let place = InFile::new();
    let store = filled(&place.path()).await;
    let backup = backup(&store).await;
    store.close().await.unwrap();
    let before = std::fs::read(place.path()).unwrap();
    let held = Place::hold(&place.path()).unwrap();
    let half = backup[..backup.len() / 2].to_vec();
    let refused = held.restore(open(half).unwrap(), None);
    assert!(
        matches!(refused, Err(StoreError::Corrupt { .. })),
        "{refused:?}"
    );
    // what is to be kept cannot be
    let taken = held.restore(open(backup).unwrap(), Some(&place.path()));
    assert!(matches!(taken, Err(StoreError::Failed { .. })), "{taken:?}");
    assert!(std::fs::read(place.path()).unwrap() == before);
    let names = std::fs::read_dir(place.path().parent().unwrap()).unwrap();
    assert_eq!(names.count(), 2);
}

#[tokio::test]
async fn a_place_that_is_held_is_nobody_elses() {
    let place = InFile::new();
    let held = Place::hold(&place.path()).unwrap();
    assert!(matches!(held.look(), There::Nothing));
    assert!(matches!(
        Embedded::open(&place.path()).map(drop),
        Err(StoreError::InUse { .. })
    ));
    drop(held);
    let store = Embedded::open(&place.path()).unwrap();
    assert!(matches!(
        Place::hold(&place.path()).map(drop),
        Err(StoreError::InUse { .. })
    ));
    drop(store);
    std::fs::write(place.path(), "notes").unwrap();
    let held = Place::hold(&place.path()).unwrap();
    assert!(matches!(
        held.look(),
        There::Unreadable(StoreError::Corrupt { .. })
    ));
}
