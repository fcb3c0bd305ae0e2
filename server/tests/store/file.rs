//! The file itself: who may have it, and when it is let go.

use crate::place::{InFile, commit, load, put};
use saddlebag::store::{Embedded, Index, StoreError};
use std::{
    env,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

const HOLDER: &str = "SADDLEBAG_TEST_HOLD";

#[test]
fn only_its_owner_may_read_a_new_file() {
    let place = InFile::new();
    let store = Embedded::open(&place.path()).unwrap();
    let names = std::fs::read_dir(place.path().parent().unwrap()).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| {
            let entry = entry.unwrap();
            assert_eq!(
                entry.metadata().unwrap().permissions().mode() & 0o777,
                0o600
            );
            entry.file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    assert_eq!(names, ["store.redb", "store.redb.lock"]);
    drop(store);
}

#[tokio::test]
async fn a_dropped_store_can_be_opened_at_once() {
    let place = InFile::new();
    for n in 1..=10 {
        let store = Embedded::open(&place.path()).unwrap();
        assert_eq!(commit(&store, [], [put("a", "1")]).await, Index(n));
        drop(store);
    }
}

#[tokio::test]
async fn commits_that_were_sent_are_made_before_the_store_closes() {
    let place = InFile::new();
    let store = std::sync::Arc::new(Embedded::open(&place.path()).unwrap());
    let sent: Vec<_> = (0..50)
        .map(|n: u8| {
            let store = store.clone();
            tokio::spawn(async move { commit(&*store, [], [put(&n.to_string(), "x")]).await })
        })
        .collect();
    drop(store);
    for commit in sent {
        commit.await.unwrap();
    }
    let store = Embedded::open(&place.path()).unwrap();
    assert_eq!(load(&store).await.rows.len(), 50);
}

#[test]
fn a_file_is_refused_to_a_second_opener_until_the_first_lets_go() {
    let place = InFile::new();
    let first = Embedded::open(&place.path()).unwrap();
    match Embedded::open(&place.path()).map(drop) {
        Err(StoreError::InUse { file, holder }) => {
            assert_eq!(file, place.path());
            assert_held_by(std::process::id(), &holder);
        }
        other => panic!("{other:?}"),
    }
    drop(first);
    Embedded::open(&place.path()).unwrap();
}

#[test]
fn a_file_in_use_names_the_process_that_has_it_until_that_ends() {
    let place = InFile::new();
    let mut holder = Command::new(env::current_exe().unwrap())
        .args(["--exact", "file::holds_a_store", "--ignored", "--nocapture"])
        .env(HOLDER, place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(holder.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap() == "held"));

    let refused = Embedded::open(&place.path()).map(drop);
    let pid = holder.id();
    holder.kill().unwrap();
    holder.wait().unwrap();
    match refused {
        Err(StoreError::InUse { holder, .. }) => assert_held_by(pid, &holder),
        other => panic!("{other:?}"),
    }
    Embedded::open(&place.path()).unwrap();
}

/// Who has a file is told by process, host, command and time.
#[track_caller]
fn assert_held_by(pid: u32, told: &str) {
    let command = env::args().next().unwrap();
    assert!(told.starts_with(&format!("process {pid} on ")), "{told}");
    assert!(told.contains(&format!("(`{command}")), "{told}");
    let (_, since) = told.rsplit_once(", since ").unwrap();
    let since: jiff::Timestamp = since.parse().unwrap();
    let ago = since.duration_until(saddlebag::clock::Clock::default().now());
    assert!(ago.as_secs() < 600, "{told}");
}

#[test]
#[ignore = "the process that has the store in the test above"]
fn holds_a_store() {
    let path = env::var_os(HOLDER).expect("only the test above starts this");
    let _store = Embedded::open(Path::new(&path)).unwrap();
    println!("\nheld");
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    match Embedded::open(&folder.path().join("absent/store.redb")).map(drop) {
        Err(StoreError::Failed {
            file,
            unclear: false,
            ..
        }) => {
            assert!(file.starts_with(folder.path()));
        }
        other => panic!("{other:?}"),
    }
}
