//! What those who follow are told.

use crate::place::{Place, commit, delete, followed, key, load, put, replay, rows, soon};
use bytes::Bytes;
use futures::{StreamExt, future::join_all};
use saddlebag::store::{Followed, Index, Key, Row, Store};
use std::collections::BTreeMap;

pub async fn every_commit_is_told_once_in_order_and_whole(place: &dyn Place) {
    const TASKS: usize = 12;
    const TURNS: usize = 10;
    let store = place.open().await;
    let start = load(&*store).await.index;
    let follower = tokio::spawn({
        let store = store.clone();
        async move {
            let mut told = Vec::new();
            let mut stream = store.follow(start);
            while told.len() < TASKS * TURNS {
                match soon(stream.next()).await {
                    Some(Followed::Change(change)) => told.push(change),
                    other => panic!("{other:?} after {} commits", told.len()),
                }
            }
            told
        }
    });
    let writers = (0..TASKS).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut made = Vec::new();
            for turn in 0..TURNS {
                let (one, other) = (format!("row/{task}/{turn}"), format!("row/{task}"));
                let value = Bytes::from(format!("{task} {turn}"));
                let writes = [put(&one, value.clone()), put(&other, value.clone())];
                made.push((commit(&*store, [], writes).await, [one, other], value));
            }
            made
        })
    });
    let mut made: Vec<_> = join_all(writers)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    made.sort();

    let told = follower.await.unwrap();
    assert!(told.is_sorted_by(|one, next| one.index < next.index));
    for ((index, keys, value), change) in made.iter().zip(&told) {
        assert_eq!(*index, change.index);
        let keys: Vec<Key> = keys.iter().map(|at| key(at)).collect();
        assert_eq!(
            keys,
            change
                .rows
                .iter()
                .map(|(at, _)| at.clone())
                .collect::<Vec<_>>()
        );
        for (_, row) in &change.rows {
            let row = row.as_ref().unwrap();
            assert_eq!((&row.value, row.modified), (value, *index));
        }
    }
}

pub async fn a_load_is_a_replay_of_what_was_followed(place: &dyn Place) {
    let store = place.open().await;
    let start = load(&*store).await;
    for n in 0..40 {
        let (here, there) = (format!("{}", n % 7), format!("{}", n % 5));
        let writes = match here == there {
            true => vec![delete(&here)],
            false => vec![put(&here, n.to_string()), delete(&there)],
        };
        commit(&*store, [], writes).await;
    }
    let end = load(&*store).await;
    let mut replayed: BTreeMap<Key, Row> = rows(start.clone());
    for change in followed(&*store, start.index, end.index).await {
        replay(&mut replayed, &change);
    }
    assert_eq!(replayed, rows(end));
}

pub async fn a_follower_from_the_middle_gets_the_rest(place: &dyn Place) {
    let store = place.open().await;
    let mut indexes = Vec::new();
    for n in 0..5 {
        indexes.push(commit(&*store, [], [put("a", n.to_string())]).await);
    }
    let told = followed(&*store, indexes[1], indexes[4]).await;
    let told: Vec<Index> = told.iter().map(|change| change.index).collect();
    assert_eq!(told, indexes[2..]);

    let mut waiting = store.follow(indexes[4]);
    let (told, next) = tokio::join!(soon(waiting.next()), commit(&*store, [], [delete("a")]));
    let Some(Followed::Change(change)) = told else {
        panic!("{told:?}")
    };
    assert_eq!(
        (change.index, &change.rows[..]),
        (next, &[(key("a"), None)][..])
    );
}

pub async fn a_follower_that_is_too_late_is_told_so_and_can_go_on(place: &dyn Place) {
    let store = place.open().await;
    let first = commit(&*store, [], [put("a", "1")]).await;
    let mut slow = store.follow(first);
    place.forget(&*store).await;

    assert_eq!(soon(slow.next()).await, Some(Followed::Compacted));
    assert_eq!(
        soon(slow.next()).await,
        None,
        "that is the last thing it is told"
    );
    let loaded = load(&*store).await;
    let next = commit(&*store, [], [put("a", "2")]).await;
    assert_eq!(followed(&*store, loaded.index, next).await.len(), 1);
}

pub async fn dropping_the_store_ends_its_followers(place: &dyn Place) {
    let store = place.open().await;
    let newest = commit(&*store, [], [put("a", "1")]).await;
    let follow = |index| Store::follow(&*store, index);
    let (mut waiting, mut behind) = (follow(newest), follow(Index(newest.0 - 1)));
    drop(store);
    assert_eq!(soon(waiting.next()).await, None);
    assert!(matches!(
        soon(behind.next()).await,
        Some(Followed::Change(_))
    ));
    assert_eq!(soon(behind.next()).await, None);
}
