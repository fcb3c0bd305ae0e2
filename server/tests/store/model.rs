//! Random transactions, alone and at once, against a plain map; with the store closed, and its
//! power cut, at random moments.

use crate::{
    disk::Disk,
    place::{delete, followed, key, load, put, replay, rows, transaction},
};
use futures::future::join_all;
use proptest::{collection::vec, prelude::*, sample::select, test_runner::TestCaseResult};
use saddlebag::store::{
    Change, Committed, Embedded, Guard, Index, Key, Row, Store, Transaction, Write,
};
use std::collections::BTreeMap;

const KEYS: [&str; 7] = ["a", "a/", "a/1", "a/1/2", "a0", "b/1", "ü"];

#[derive(Clone, Debug)]
enum Step {
    /// Transactions that are made at once.
    Commit(Vec<Wish>),
    Reopen,
    LosePower(u64),
}

/// A transaction whose guards are made of what is there when it is sent.
#[derive(Clone, Debug)]
struct Wish {
    guards: Vec<(&'static str, Wanted)>,
    writes: BTreeMap<&'static str, Option<(u8, usize)>>,
}

#[derive(Clone, Copy, Debug)]
enum Wanted {
    AsItIs,
    AsItWas,
    Absent,
    Empty,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => vec(wish(), 1..5).prop_map(Step::Commit),
        1 => Just(Step::Reopen),
        1 => any::<u64>().prop_map(Step::LosePower),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let wanted = prop_oneof![
        6 => Just(Wanted::AsItIs),
        1 => Just(Wanted::AsItWas),
        1 => Just(Wanted::Absent),
        1 => Just(Wanted::Empty),
    ];
    let size = prop_oneof![10 => 0..50_usize, 1 => 3_000..20_000_usize];
    let value = prop::option::weighted(0.7, (any::<u8>(), size));
    let writes = prop::collection::btree_map(select(&KEYS[..]), value, 0..5);
    (vec((select(&KEYS[..]), wanted), 0..3), writes)
        .prop_map(|(guards, writes)| Wish { guards, writes })
}

/// What the store should be.
#[derive(Default)]
struct Model {
    rows: BTreeMap<Key, Row>,
    index: Index,
}

impl Model {
    fn transaction(&self, wish: &Wish) -> Transaction {
        let guard = |(at, wanted): &(&str, Wanted)| {
            let modified = self.rows.get(&key(at)).map(|row| row.modified);
            match (wanted, modified) {
                (Wanted::AsItIs, Some(modified)) => Guard::At(key(at), modified),
                (Wanted::AsItWas, Some(modified)) => Guard::At(key(at), Index(modified.0 - 1)),
                (Wanted::AsItWas, None) => Guard::At(key(at), self.index),
                (Wanted::AsItIs | Wanted::Absent, _) => Guard::Absent(key(at)),
                (Wanted::Empty, _) => Guard::Empty(key(at)),
            }
        };
        let write = |(at, value): (&&str, &Option<(u8, usize)>)| match value {
            Some((byte, size)) => put(at, vec![*byte; *size]),
            None => delete(at),
        };
        transaction(wish.guards.iter().map(guard), wish.writes.iter().map(write))
    }

    fn commit(&mut self, transaction: &Transaction) -> Committed {
        for guard in &transaction.guards {
            let holds = match guard {
                Guard::At(at, index) => self.rows.get(at).is_some_and(|row| row.modified == *index),
                Guard::Absent(at) => !self.rows.contains_key(at),
                Guard::Empty(prefix) => !self
                    .rows
                    .keys()
                    .any(|at| at.as_str().starts_with(prefix.as_str())),
            };
            if !holds {
                return Committed::Conflict(guard.key().clone());
            }
        }
        let index = Index(self.index.0 + 1);
        for write in &transaction.writes {
            match write {
                Write::Put(at, value) => {
                    let created = self.rows.get(at).map_or(index, |row| row.created);
                    let row = Row {
                        value: value.clone(),
                        created,
                        modified: index,
                    };
                    self.rows.insert(at.clone(), row);
                    self.index = index;
                }
                Write::Delete(at) if self.rows.remove(at).is_some() => self.index = index,
                Write::Delete(_) => {}
            }
        }
        Committed::At(self.index)
    }
}

async fn walk(steps: Vec<Step>) -> TestCaseResult {
    let mut disk = Disk::default();
    let mut store: Embedded = disk.open().unwrap();
    let mut model = Model::default();
    let mut replayed = BTreeMap::new();
    let mut told = Index(0);
    for step in steps {
        match step {
            Step::Commit(wishes) => {
                let made: Vec<Transaction> =
                    wishes.iter().map(|wish| model.transaction(wish)).collect();
                // in one thread, they arrive in this order
                let outcomes = join_all(made.iter().map(|one| store.commit(one.clone()))).await;
                for (transaction, outcome) in made.iter().zip(outcomes) {
                    prop_assert_eq!(outcome.unwrap(), model.commit(transaction));
                }
                for change in followed(&store, told, model.index).await {
                    let Change { index, .. } = &*change;
                    prop_assert_eq!(index.0, told.0 + 1);
                    told = *index;
                    replay(&mut replayed, &change);
                }
                prop_assert_eq!(&replayed, &model.rows);
                continue;
            }
            Step::Reopen => store.close().await.unwrap(),
            Step::LosePower(seed) => {
                let found = disk.after_power_loss(seed);
                disk.cut_power();
                drop(store);
                disk = found;
            }
        }
        store = disk.open().unwrap();
        let loaded = load(&store).await;
        prop_assert_eq!(loaded.index, model.index);
        prop_assert_eq!(&rows(loaded), &model.rows);
    }
    let loaded = load(&store).await;
    prop_assert_eq!(loaded.index, model.index);
    prop_assert_eq!(rows(loaded), model.rows);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_a_map_that_is_never_lost(steps in vec(step(), 1..40)) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(walk(steps))?;
    }
}
