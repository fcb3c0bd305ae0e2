//! Files of an older format, and how they become the newest: here with formats of the tests' own.

use crate::place::{InFile, commit, key, load, put, rows};
use bytes::Bytes;
use saddlebag::store::{Embedded, Formats, Index, Key, Store, StoreError};
use std::path::Path;

/// Formats 2 and 3 each add a letter to every value; format 2 has no room for `full`.
const THREE: Formats = Formats::new(&[to_two, to_three]);

fn to_two(_: &Key, value: Bytes) -> Result<Bytes, String> {
    match &value[..] {
        b"full" => Err("there is no room for another letter".into()),
        value => Ok([value, b"b"].concat().into()),
    }
}

fn to_three(_: &Key, value: Bytes) -> Result<Bytes, String> {
    Ok([&value, &b"c"[..]].concat().into())
}

/// A file of format 1 with two rows, of commits 1 and 2.
async fn first_format(path: &Path) -> Vec<u8> {
    let store = Embedded::open(path).unwrap();
    commit(&store, [], [put("x", "1"), put("y", "1")]).await;
    commit(&store, [], [put("y", "2")]).await;
    store.close().await.unwrap();
    std::fs::read(path).unwrap()
}

fn names(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_older_file_is_migrated_and_kept_as_it_was() {
    let place = InFile::new();
    let old = first_format(&place.path()).await;
    for _ in 0..2 {
        let store = Embedded::open_as(&place.path(), THREE).unwrap();
        let loaded = load(&store).await;
        assert_eq!(loaded.index, Index(2));
        let rows = rows(loaded);
        let (x, y) = (&rows[&key("x")], &rows[&key("y")]);
        assert_eq!((&x.value[..], &y.value[..]), (&b"1bc"[..], &b"2bc"[..]));
        assert_eq!((x.created, x.modified), (Index(1), Index(1)));
        assert_eq!((y.created, y.modified), (Index(1), Index(2)));
        store.close().await.unwrap();
    }
    assert_eq!(
        names(&place.path()),
        ["store.redb", "store.redb.lock", "store.redb.v1.bak"]
    );
    let kept = place.path().with_file_name("store.redb.v1.bak");
    assert!(std::fs::read(&kept).unwrap() == old);
    let back = Embedded::open(&kept).unwrap();
    assert_eq!(rows(load(&back).await)[&key("y")].value, "2");
}

#[tokio::test]
async fn a_migrated_file_takes_commits_and_is_newer_to_who_wrote_it() {
    let place = InFile::new();
    first_format(&place.path()).await;
    let store = Embedded::open_as(&place.path(), THREE).unwrap();
    assert_eq!(commit(&store, [], [put("z", "3")]).await, Index(3));
    store.close().await.unwrap();
    let migrated = std::fs::read(place.path()).unwrap();
    match Embedded::open(&place.path()).map(drop) {
        Err(error @ StoreError::Newer { .. }) => {
            let told = error.to_string();
            let file = place.path();
            let expected = format!(
                "{} has format 3, this saddlebag knows formats up to 1",
                file.display()
            );
            assert_eq!(told, expected);
        }
        other => panic!("{other:?}"),
    }
    assert!(std::fs::read(place.path()).unwrap() == migrated);
}

#[tokio::test]
async fn a_row_that_cannot_be_migrated_is_named_and_nothing_is_changed() {
    let place = InFile::new();
    first_format(&place.path()).await;
    let store = Embedded::open(&place.path()).unwrap();
    commit(&store, [], [put("odd", "full")]).await;
    store.close().await.unwrap();
    match Embedded::open_as(&place.path(), THREE).map(drop) {
        Err(StoreError::Corrupt { file, key, detail }) => {
            assert_eq!((file, key.as_str()), (place.path(), "odd"));
            assert_eq!(detail, "there is no room for another letter");
        }
        other => panic!("{other:?}"),
    }
    let store = Embedded::open(&place.path()).unwrap();
    let rows = rows(load(&store).await);
    assert_eq!((rows[&key("y")].value.as_ref(), rows.len()), (&b"2"[..], 3));
}

#[tokio::test]
async fn a_new_file_has_the_newest_format() {
    let place = InFile::new();
    let store = Embedded::open_as(&place.path(), THREE).unwrap();
    commit(&store, [], [put("x", "1")]).await;
    store.close().await.unwrap();
    let store = Embedded::open_as(&place.path(), THREE).unwrap();
    assert_eq!(rows(load(&store).await)[&key("x")].value, "1");
    assert_eq!(names(&place.path()), ["store.redb", "store.redb.lock"]);
}
