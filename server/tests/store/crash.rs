//! Nothing that was answered is lost: not when the process is killed, not when the power fails.

use crate::{
    disk::{Disk, Faults},
    place::{InFile, commit, delete, key, load, put, rows, transaction},
};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::join_all};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use saddlebag::store::{
    Committed, Embedded, Followed, Guard, Index, Key, Row, Store, Transaction, Write,
};
use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

/// Where the process that is to be killed keeps its store.
const VICTIM: &str = "SADDLEBAG_TEST_STORE";
const ANSWERED: &str = "answered";
const TASKS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_that_it_was_answered() {
    const ROUNDS: u64 = 10;
    let place = InFile::new();
    let mut chance = StdRng::seed_from_u64(1);
    let mut answered = BTreeMap::new();
    for round in 0..ROUNDS {
        let lines = chance.random_range(1..400);
        let more = tokio::task::spawn_blocking({
            let path = place.path();
            move || answers_until_killed(&path, round, lines)
        });
        answered.extend(more.await.unwrap());

        let store = Embedded::open(&place.path()).unwrap();
        let loaded = load(&store).await;
        let (newest, rows) = (loaded.index, rows(loaded));
        for (at, (value, index)) in &answered {
            let row = rows
                .get(at)
                .unwrap_or_else(|| panic!("{at} is lost in round {round}"));
            assert_eq!(
                (&row.value[..], row.modified),
                (value.as_bytes(), Index(*index)),
                "{at}"
            );
            assert!(*index <= newest.0);
        }
        let halves = rows
            .keys()
            .filter(|at| at.as_str().ends_with("/twin"))
            .count();
        assert_eq!(rows.len(), 2 * halves, "half a transaction is there");
        store.close().await.unwrap();
    }
    assert!(answered.len() > TASKS, "the process was killed under load");
}

/// Starts a process that commits, kills it after this many answers, and says what they were.
fn answers_until_killed(store: &Path, round: u64, lines: usize) -> BTreeMap<Key, (String, u64)> {
    let mut victim = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::commits_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(VICTIM, store)
        .env("ROUND", round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(victim.stdout.take().unwrap());
    let mut answered = BTreeMap::new();
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        // the last line may be cut off
        let words: Vec<&str> = line.trim_end_matches('\n').split(' ').collect();
        if let (true, [ANSWERED, at, value, index]) = (line.ends_with('\n'), &words[..]) {
            answered.insert(key(at), (value.to_string(), index.parse().unwrap()));
        }
        line.clear();
        if answered.len() == lines {
            victim.kill().unwrap();
        }
    }
    assert!(
        !victim.wait().unwrap().success(),
        "it ended before it was killed"
    );
    answered
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that the test above kills; it never ends by itself"]
async fn commits_until_it_is_killed() {
    let path = env::var_os(VICTIM).expect("only the test above starts this");
    let round = env::var("ROUND").unwrap();
    let store = Arc::new(Embedded::open(Path::new(&path)).unwrap());
    let tasks = (0..TASKS).map(|task| {
        let (store, round) = (store.clone(), round.clone());
        tokio::spawn(async move {
            for turn in 0.. {
                let at = format!("{round}/{task}/{turn}");
                let value = format!("{}", turn * 7).repeat(1 + turn % 50);
                let writes = [put(&at, value.clone()), put(&format!("{at}/twin"), "")];
                let index = commit(&*store, [], writes).await;
                let line = format!("\n{ANSWERED} {at} {value} {index}\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        })
    });
    join_all(tasks).await;
}

#[tokio::test]
async fn power_that_fails_at_any_moment_loses_nothing_that_was_answered() {
    let whole = Disk::default();
    let store = whole.open().unwrap();
    let begin = whole.operations();
    assert_eq!(
        script(&store).await.len(),
        SCRIPT,
        "without a fault everything is answered"
    );
    store.close().await.unwrap();
    let end = whole.operations();
    assert!(end - begin > 50);

    for last in (begin..end).step_by(2) {
        let disk = Disk::default();
        let store = disk.open().unwrap();
        disk.set(Faults {
            power_fails_at: Some(last),
            ..Faults::default()
        });
        let answered = script(&store).await;
        drop(store);

        let found = disk.after_power_loss(last);
        let store = found
            .open()
            .unwrap_or_else(|error| panic!("operation {last}: {error}"));
        let loaded = load(&store).await;
        let newest = loaded.index.0;
        assert!(
            answered.iter().all(|index| index.0 <= newest),
            "operation {last}"
        );
        assert!(newest as usize <= SCRIPT);
        assert_eq!(rows(loaded), expected(newest), "operation {last}");
        let next = commit(&store, [], [put("next", "1")]).await;
        assert_eq!(next.0, newest + 1);
    }
}

const SCRIPT: usize = 24;

/// Commits that add, change and remove rows, large and small, two at a time; those answered.
async fn script(store: &Embedded) -> Vec<Index> {
    let mut answered = Vec::new();
    for n in (1..=SCRIPT as u64).step_by(2) {
        let (one, other) = futures::join!(store.commit(nth(n)), store.commit(nth(n + 1)));
        for outcome in [one, other] {
            if let Ok(Committed::At(index)) = outcome {
                answered.push(index);
            }
        }
    }
    answered
}

/// The transaction that gets the index `n`.
fn nth(n: u64) -> Transaction {
    let size = if n.is_multiple_of(5) { 30_000 } else { 40 };
    let written = [
        put(&format!("row/{}", n % 9), vec![n as u8; size]),
        put("always", n.to_string()),
    ];
    let removed = delete(&format!("row/{}", (n + 4) % 9));
    transaction([], written.into_iter().chain([removed]))
}

/// The rows after the commit `newest`.
fn expected(newest: u64) -> BTreeMap<Key, Row> {
    let mut rows = BTreeMap::new();
    for n in 1..=newest {
        for write in nth(n).writes {
            match write {
                Write::Put(at, value) => {
                    let modified = Index(n);
                    let row = rows.entry(at).or_insert(Row {
                        value: Bytes::new(),
                        created: modified,
                        modified,
                    });
                    (row.value, row.modified) = (value, modified);
                }
                Write::Delete(at) => {
                    rows.remove(&at);
                }
            }
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_commit_at_once_share_a_sync() {
    const COMMITS: usize = 64;
    let disk = Disk::default();
    let store = Arc::new(disk.open().unwrap());
    let before = disk.syncs();
    let commits = (0..COMMITS).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { commit(&*store, [], [put(&n.to_string(), "x")]).await })
    });
    let mut indexes: Vec<Index> = join_all(commits)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    indexes.sort();
    indexes.dedup();
    assert_eq!(indexes.len(), COMMITS, "each has an index of its own");
    let syncs = disk.syncs() - before;
    assert!(
        (1..=COMMITS as u64 / 4).contains(&syncs),
        "{syncs} syncs for {COMMITS} commits"
    );
}

#[tokio::test]
async fn a_commit_alone_takes_one_sync_and_a_refused_one_none() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    commit(&store, [], [put("a", "1")]).await;
    let before = disk.syncs();
    commit(&store, [], [put("a", "2"), put("b", "1")]).await;
    assert_eq!(disk.syncs(), before + 1);

    let operations = disk.operations();
    let conflict = store
        .commit(transaction([Guard::Absent(key("a"))], [put("c", "1")]))
        .await;
    assert_eq!(conflict.unwrap(), Committed::Conflict(key("a")));
    commit(&store, [], [delete("c")]).await;
    assert_eq!(
        disk.operations(),
        operations,
        "what changes nothing leaves the disk alone"
    );
}

#[tokio::test]
async fn a_commit_is_told_before_it_is_answered() {
    let store = Disk::default().open().unwrap();
    let mut follower = store.follow(Index(0));
    for n in 1..50 {
        let index = commit(&store, [], [put("a", n.to_string())]).await;
        match follower.next().now_or_never().flatten() {
            Some(Followed::Change(change)) => assert_eq!(change.index, index),
            other => panic!("{other:?} although {index} was answered"),
        }
    }
}
