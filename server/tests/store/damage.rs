//! A damaged file is refused by name and left as it is, or every row of it is right.

use crate::{
    disk::{Disk, NAME},
    place::{Snapshot, commit, load, put},
};
use redb::{Builder, ReadableTable, TableDefinition};
use saddlebag::store::{Embedded, Store, StoreError};
use std::path::Path;

const PAGE: usize = 4_096;
/// The part of the first page in which redb keeps anything.
const HEADER: usize = 320;

/// A file as a stop left it.
struct Left {
    how: &'static str,
    image: Vec<u8>,
    /// What may be found in it: all rows. Where nobody closed the file, damage to the newest commit
    /// cannot be told from a newest commit that was never finished, so there the commit before it,
    /// whole, is right too.
    right: Vec<Snapshot>,
}

/// A store with small rows, rows larger than a page, and pages that are free again; as it is left
/// when it is closed, and when its process is killed.
async fn left() -> [Left; 2] {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    for n in 0..30 {
        let size = if n % 10 == 0 { 20_000 } else { 300 };
        commit(&store, [], [put(&format!("row/{n}"), vec![n; size])]).await;
    }
    for n in 0..7 {
        commit(&store, [], [put("row/7", vec![n; 6_000])]).await;
    }
    let before = load(&store).await;
    commit(&store, [], [put("row/7", vec![7; 6_000])]).await;
    let newest = load(&store).await;
    let killed = Left {
        how: "killed",
        image: disk.image(),
        right: vec![newest.clone(), before],
    };
    store.close().await.unwrap();
    let closed = Left {
        how: "closed",
        image: disk.image(),
        right: vec![newest],
    };
    [closed, killed]
}

/// A store that was closed.
async fn closed() -> (Vec<u8>, Snapshot) {
    let [mut closed, _] = left().await;
    (closed.image, closed.right.remove(0))
}

/// Opens the image in both ways. If it is taken, everything in it must be right, and stay so over a
/// commit.
async fn taken_or_refused(image: Vec<u8>, right: &[Snapshot], what: &str) -> bool {
    let read = taken_by(Disk::open_by_reading, image.clone(), right, what).await;
    let taken = taken_by(Disk::open, image, right, what).await;
    assert_eq!(read, taken, "{what}");
    taken
}

async fn taken_by(
    open: fn(&Disk) -> Result<Embedded, StoreError>,
    image: Vec<u8>,
    right: &[Snapshot],
    what: &str,
) -> bool {
    let disk = Disk::holding(image.clone());
    let store = match open(&disk) {
        Ok(store) => store,
        Err(StoreError::Corrupt { file, detail, .. }) => {
            assert_eq!(file, Path::new(NAME));
            assert!(!detail.is_empty());
            assert!(disk.image() == image, "{what}: a refused file was changed");
            return false;
        }
        Err(other) => panic!("{what}: {other}"),
    };
    let loaded = load(&store).await;
    let rows = right.iter().find(|rows| **rows == loaded);
    let rows = rows.unwrap_or_else(|| panic!("{what}: wrong rows"));
    // pages taken for free that are not would be written over now
    for n in 0..2 {
        commit(&store, [], [put(&format!("next/{n}"), vec![1; 30_000])]).await;
    }
    store.close().await.unwrap();
    let store = disk
        .open()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut after = load(&store).await;
    assert_eq!(after.index.0, rows.index.0 + 2, "{what}");
    after
        .rows
        .retain(|(at, _)| !at.as_str().starts_with("next/"));
    assert!(after.rows == rows.rows, "{what}: wrong rows after a commit");
    true
}

#[tokio::test]
async fn a_flipped_byte_or_a_zeroed_page_is_noticed_on_every_page() {
    for Left { how, image, right } in left().await {
        let (mut taken, mut refused) = (0, 0);
        for start in (0..image.len()).step_by(PAGE) {
            let page = &image[start..start + PAGE];
            if page.iter().all(|byte| *byte == 0) {
                continue; // redb has not used it yet
            }
            let used = page.iter().rposition(|byte| *byte != 0).unwrap();
            for place in [0, used / 2, used] {
                let mut flipped = image.clone();
                flipped[start + place] ^= 0x10;
                let what = format!("{how}, byte {place} of the page at {start}");
                match taken_or_refused(flipped, &right, &what).await {
                    true => taken += 1,
                    false => refused += 1,
                }
            }
            let mut zeroed = image.clone();
            zeroed[start..start + PAGE].fill(0);
            taken_or_refused(zeroed, &right, &format!("{how}, the page at {start}")).await;
        }
        assert!(
            refused > 20,
            "{how}: {refused} of the flips refused, {taken} in pages that are free"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_cut_off_at_any_page_is_refused() {
    for Left { how, image, right } in left().await {
        // without any byte it is a new storage; a file is refused (below)
        let pages = (PAGE..image.len()).step_by(PAGE);
        for length in pages.chain([1, 8, 100, 511, image.len() - 1]) {
            let what = format!("{how}, the first {length} bytes");
            let cut = image[..length].to_vec();
            assert!(!taken_or_refused(cut, &right, &what).await, "{what}");
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_header_is_noticed_or_harmless() {
    const FLAGS: usize = 9;
    for Left { how, image, right } in left().await {
        let bits = (0..HEADER).map(|place| (place, place % 8));
        for (place, bit) in bits.chain((0..8).map(|bit| (FLAGS, bit))) {
            let mut flipped = image.clone();
            flipped[place] ^= 1 << bit;
            let what = format!("{how}, bit {bit} of byte {place}");
            taken_or_refused(flipped, &right, &what).await;
        }
    }
}

#[tokio::test]
async fn what_redb_does_not_notice_is_refused_too() {
    const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
    const ABOUT: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("about");
    type Harm = fn(&redb::WriteTransaction);
    let harms: [(&str, Harm); 8] = [
        ("row/3", |file| {
            let mut rows = file.open_table(ROWS).unwrap();
            let mut row = rows.get(&b"row/3"[..]).unwrap().unwrap().value().to_vec();
            *row.last_mut().unwrap() ^= 1;
            rows.insert(&b"row/3"[..], &row[..]).unwrap();
        }),
        ("row/4", |file| {
            let mut rows = file.open_table(ROWS).unwrap();
            let other = rows.get(&b"row/5"[..]).unwrap().unwrap().value().to_vec();
            rows.insert(&b"row/4"[..], &other[..]).unwrap();
        }),
        ("row/3", |file| {
            file.open_table(ROWS)
                .unwrap()
                .insert(&b"row/3"[..], &b"short"[..])
                .unwrap();
        }),
        ("rows", |file| {
            file.open_table(ROWS)
                .unwrap()
                .remove(&b"row/3"[..])
                .unwrap();
        }),
        ("row/\\xff", |file| {
            file.open_table(ROWS)
                .unwrap()
                .insert(&b"row/\xff"[..], &b""[..])
                .unwrap();
        }),
        ("head", |file| {
            file.open_table(ABOUT)
                .unwrap()
                .remove(&b"head"[..])
                .unwrap();
        }),
        ("format", |file| {
            file.open_table(ABOUT)
                .unwrap()
                .insert(&b"format"[..], &[1; 12][..])
                .unwrap();
        }),
        ("the file", |file| {
            file.delete_table(ROWS).unwrap();
        }),
    ];
    let (image, _) = closed().await;
    for (named, harm) in harms {
        let disk = Disk::holding(image.clone());
        harmed(&disk, harm);
        for open in [Disk::open, Disk::open_by_reading] {
            match open(&disk).map(drop) {
                Err(StoreError::Corrupt { key, .. }) => assert_eq!(key, named),
                other => panic!("{named}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_was_not_read_to_its_end_is_verified_before_it_is_changed() {
    const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
    let (image, _) = closed().await;
    let disk = Disk::holding(image);
    harmed(&disk, |file| {
        let mut rows = file.open_table(ROWS).unwrap();
        rows.remove(&b"row/3"[..]).unwrap();
    });
    let harmed = disk.image();
    for batches in 0..3 {
        let opening = disk.begin().unwrap();
        let read = opening.rows().unwrap().batches.take(batches);
        let wrong = read.filter(Result::is_err).count();
        assert_eq!(wrong, usize::from(batches > 0), "a row is missing");
        match opening.finish().map(drop) {
            Err(StoreError::Corrupt { key, .. }) => assert_eq!(key, "rows"),
            other => panic!("{batches}: {other:?}"),
        }
        assert!(disk.image() == harmed);
    }
}

#[tokio::test]
async fn an_opening_that_is_given_up_leaves_the_file_as_it_was() {
    for Left { how, image, right } in left().await {
        let disk = Disk::holding(image.clone());
        let opening = disk.begin().unwrap();
        assert_eq!(opening.rows().unwrap().index, right[0].index, "{how}");
        drop(opening);
        assert!(disk.image() == image, "{how}");
        assert!(load(&disk.open().unwrap()).await == right[0], "{how}");
    }
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone() {
    let (image, _) = closed().await;
    let disk = Disk::holding(image);
    harmed(&disk, |file| {
        let mut about = file
            .open_table(TableDefinition::<&[u8], &[u8]>::new("about"))
            .unwrap();
        let mut format = 9_u64.to_le_bytes().to_vec();
        format.extend(crc32fast::hash(&format).to_le_bytes());
        about.insert(&b"format"[..], &format[..]).unwrap();
    });
    let before = disk.image();
    let Err(StoreError::Newer {
        format: 9,
        known: 1,
        ..
    }) = disk.open().map(drop)
    else {
        panic!("a newer file was not refused");
    };
    assert!(disk.image() == before);
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    for content in [&b""[..], b"# notes\n", &[0; 5_000]] {
        std::fs::write(&path, content).unwrap();
        match Embedded::open(&path).map(drop) {
            Err(StoreError::Corrupt { file, .. }) => assert_eq!(file, path),
            other => panic!("{other:?}"),
        }
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}

/// Changes the file by way of redb, so that redb finds nothing wrong with it.
fn harmed(disk: &Disk, harm: impl FnOnce(&redb::WriteTransaction)) {
    let file = Builder::new().create_with_backend(disk.clone()).unwrap();
    let write = file.begin_write().unwrap();
    harm(&write);
    write.commit().unwrap();
    file.close().unwrap();
}
