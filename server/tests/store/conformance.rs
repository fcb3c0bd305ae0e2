//! What every store does. Each test takes the place where the store is kept, so that another
//! implementation is held to the same by one line.

use crate::{
    disk::Disk,
    place::{InFile, Place, commit, delete, key, load, put, row, rows, try_commit},
};
use futures::future::join_all;
use saddlebag::store::{Committed, Guard, Index};
use std::collections::BTreeSet;

/// Runs these tests on a store in this place.
macro_rules! hold {
    ($implementation:ident: $place:expr => $($suite:ident::{$($test:ident),* $(,)?})*) => {
        mod $implementation {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    crate::$suite::$test(&$place).await;
                }
            )*)*
        }
    };
}

macro_rules! hold_everything {
    ($implementation:ident: $place:expr) => {
        hold! { $implementation: $place =>
            conformance::{
                a_new_store_is_empty,
                indexes_grow_and_are_never_reused,
                a_row_knows_who_made_it_and_who_changed_it_last,
                guards_hold_and_refuse,
                a_conflict_changes_nothing_and_names_its_key,
                guards_are_looked_at_before_the_first_write,
                what_changes_nothing_is_no_commit,
                concurrent_changes_of_one_row_are_never_lost,
                everything_is_there_after_reopening,
            }
            following::{
                every_commit_is_told_once_in_order_and_whole,
                a_load_is_a_replay_of_what_was_followed,
                a_follower_from_the_middle_gets_the_rest,
                a_follower_that_is_too_late_is_told_so_and_can_go_on,
                dropping_the_store_ends_its_followers,
            }
            limits::{
                what_is_as_large_as_allowed_is_taken,
                what_is_larger_is_refused_by_name_and_changes_nothing,
            }
        }
    };
}

hold_everything!(in_a_file: InFile::new());
hold_everything!(in_memory: Disk::default());

pub async fn a_new_store_is_empty(place: &dyn Place) {
    let snapshot = load(&*place.open().await).await;
    assert_eq!((snapshot.index, snapshot.rows.len()), (Index(0), 0));
}

pub async fn indexes_grow_and_are_never_reused(place: &dyn Place) {
    let mut seen = Vec::new();
    for _ in 0..3 {
        let store = place.open().await;
        seen.push(commit(&*store, [], [put("a", "1")]).await);
        let conflict = try_commit(&*store, [Guard::Absent(key("a"))], [put("b", "1")]).await;
        assert_eq!(conflict.unwrap(), Committed::Conflict(key("a")));
        seen.push(commit(&*store, [], [delete("a")]).await);
        let commits = (0..20).map(|n| commit(&*store, [], [put("n", n.to_string())]));
        let mut concurrent = join_all(commits).await;
        concurrent.sort();
        seen.extend(concurrent);
        seen.push(commit(&*store, [], [delete("n")]).await);
        assert_eq!(load(&*store).await.index, *seen.last().unwrap());
    }
    assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
    assert!(seen[0] > Index(0));
}

pub async fn a_row_knows_who_made_it_and_who_changed_it_last(place: &dyn Place) {
    let store = place.open().await;
    let made = commit(&*store, [], [put("a", "1"), put("b", "1")]).await;
    let changed = commit(&*store, [], [put("a", "2")]).await;
    let a = row(&*store, "a").await.unwrap();
    assert_eq!(
        (a.created, a.modified, &a.value[..]),
        (made, changed, &b"2"[..])
    );
    let b = row(&*store, "b").await.unwrap();
    assert_eq!((b.created, b.modified), (made, made));

    commit(&*store, [], [delete("a")]).await;
    assert_eq!(row(&*store, "a").await, None);
    let made_again = commit(&*store, [], [put("a", "3")]).await;
    assert_eq!(row(&*store, "a").await.unwrap().created, made_again);
}

pub async fn guards_hold_and_refuse(place: &dyn Place) {
    let store = place.open().await;
    let old = commit(
        &*store,
        [],
        [put("a/1", "old"), put("b", ""), put("gone", "")],
    )
    .await;
    let new = commit(&*store, [], [put("a/1", "new"), delete("gone")]).await;
    let later = Index(new.0 + 1);

    let table = [
        (Guard::At(key("a/1"), new), true),
        (Guard::At(key("a/1"), old), false),
        (Guard::At(key("a/1"), later), false),
        (Guard::At(key("b"), old), true),
        (Guard::At(key("gone"), new), false),
        (Guard::At(key("never"), Index(0)), false),
        (Guard::At(key("a/"), new), false),
        (Guard::Absent(key("a/1")), false),
        (Guard::Absent(key("a/")), true),
        (Guard::Absent(key("a/11")), true),
        (Guard::Absent(key("gone")), true),
        (Guard::Empty(key("a/")), false),
        (Guard::Empty(key("a/1")), false),
        (Guard::Empty(key("a/1/")), true),
        (Guard::Empty(key("a0")), true),
        (Guard::Empty(key("A")), true),
        (Guard::Empty(key("gon")), true),
        (Guard::Empty(key("zzz")), true),
    ];
    for (guard, holds) in table {
        let expected = if holds {
            Committed::At(new)
        } else {
            Committed::Conflict(guard.key().clone())
        };
        let outcome = try_commit(&*store, [guard.clone()], []).await.unwrap();
        assert_eq!(outcome, expected, "{guard:?}");
    }
}

pub async fn a_conflict_changes_nothing_and_names_its_key(place: &dyn Place) {
    let store = place.open().await;
    commit(&*store, [], [put("a", "1"), put("b", "1")]).await;
    let before = load(&*store).await;
    let guards = [
        Guard::Absent(key("c")),
        Guard::Absent(key("b")),
        Guard::Absent(key("d")),
    ];
    let outcome = try_commit(&*store, guards, [put("a", "2"), delete("b"), put("c", "2")]).await;
    assert_eq!(outcome.unwrap(), Committed::Conflict(key("b")));
    assert_eq!(load(&*store).await, before);
}

pub async fn guards_are_looked_at_before_the_first_write(place: &dyn Place) {
    let store = place.open().await;
    commit(
        &*store,
        [Guard::Empty(key("a/"))],
        [put("a/1", "1"), put("a/2", "1")],
    )
    .await;
    commit(&*store, [Guard::Absent(key("b"))], [put("b", "1")]).await;
    let at = row(&*store, "b").await.unwrap().modified;
    commit(&*store, [Guard::At(key("b"), at)], [delete("b")]).await;
    assert_eq!(row(&*store, "b").await, None);
}

pub async fn what_changes_nothing_is_no_commit(place: &dyn Place) {
    let store = place.open().await;
    let first = commit(&*store, [], [put("a", "1")]).await;
    let absent = commit(&*store, [], [delete("b")]).await;
    let empty = commit(&*store, [Guard::Absent(key("b"))], []).await;
    assert_eq!((absent, empty), (first, first));
    assert_eq!(load(&*store).await.index, first);

    let next = commit(&*store, [], [delete("b"), put("a", "1")]).await;
    assert!(
        next > first,
        "a row that is put is changed, even if its value is the same"
    );
    let changes = crate::place::followed(&*store, first, next).await;
    assert_eq!(changes.len(), 1);
    assert_eq!(
        changes[0].rows.len(),
        1,
        "a row that was not there is not told to be removed"
    );
}

pub async fn concurrent_changes_of_one_row_are_never_lost(place: &dyn Place) {
    const TASKS: usize = 8;
    const TURNS: usize = 5;
    let store = place.open().await;
    commit(&*store, [], [put("count", "0")]).await;
    let count = async || {
        for _ in 0..TURNS {
            loop {
                let seen = row(&*store, "count").await.unwrap();
                let number: usize = str::from_utf8(&seen.value).unwrap().parse().unwrap();
                let guard = Guard::At(key("count"), seen.modified);
                let more = put("count", (number + 1).to_string());
                match try_commit(&*store, [guard], [more]).await.unwrap() {
                    Committed::At(_) => break,
                    Committed::Conflict(at) => assert_eq!(at, key("count")),
                }
            }
        }
    };
    join_all((0..TASKS).map(|_| count())).await;
    assert_eq!(
        row(&*store, "count").await.unwrap().value,
        (TASKS * TURNS).to_string()
    );
}

pub async fn everything_is_there_after_reopening(place: &dyn Place) {
    let store = place.open().await;
    let long = "long/".repeat(200);
    let values = [
        ("empty", vec![]),
        ("ü/\u{1f980}/\n", vec![1]),
        (long.as_str(), vec![2; 200_000]),
    ];
    for (at, value) in &values {
        commit(&*store, [], [put(at, value.clone())]).await;
    }
    let before = load(&*store).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(load(&*store).await, before);
    let keys: BTreeSet<_> = values.iter().map(|(at, _)| key(at)).collect();
    assert!(
        rows(before).into_keys().eq(keys),
        "rows are in the order of their keys"
    );
}
