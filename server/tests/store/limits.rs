//! How much a store takes.

use crate::place::{Place, delete, key, load, put, transaction};
use saddlebag::store::{
    Committed, Guard, MOST_KEY_BYTES, MOST_OPERATIONS, MOST_TRANSACTION_BYTES, MOST_VALUE_BYTES,
    StoreError, Transaction,
};

pub async fn what_is_as_large_as_allowed_is_taken(place: &dyn Place) {
    let store = place.open().await;
    let absent = |n| Guard::Absent(key(&format!("absent/{n}")));
    let row = |n| put(&format!("row/{n}"), "x");
    let taken = [
        transaction(
            [],
            [put(&"k".repeat(MOST_KEY_BYTES), vec![1; MOST_VALUE_BYTES])],
        ),
        transaction(
            (0..MOST_OPERATIONS).map(absent),
            (0..MOST_OPERATIONS).map(row),
        ),
        of_bytes(MOST_TRANSACTION_BYTES),
    ];
    for transaction in taken {
        let outcome = store.commit(transaction).await;
        assert!(matches!(outcome, Ok(Committed::At(_))), "{outcome:?}");
    }
}

pub async fn what_is_larger_is_refused_by_name_and_changes_nothing(place: &dyn Place) {
    let store = place.open().await;
    let (too_many, long) = (0..=MOST_OPERATIONS, "k".repeat(MOST_KEY_BYTES + 1));
    let absent = |n| Guard::Absent(key(&format!("absent/{n}")));
    let refused = [
        (transaction([], [put(&long, "")]), "key kkk", MOST_KEY_BYTES),
        (transaction([], [delete(&long)]), "key kkk", MOST_KEY_BYTES),
        (
            transaction([Guard::Empty(key(&long))], []),
            "key kkk",
            MOST_KEY_BYTES,
        ),
        (
            transaction(
                [],
                [
                    put("fine", ""),
                    put("big/one", vec![0; MOST_VALUE_BYTES + 1]),
                ],
            ),
            "value of big/one",
            MOST_VALUE_BYTES,
        ),
        (
            transaction(too_many.clone().map(absent), []),
            "guards",
            MOST_OPERATIONS,
        ),
        (
            transaction([], too_many.map(|n| delete(&format!("row/{n}")))),
            "writes",
            MOST_OPERATIONS,
        ),
        (
            of_bytes(MOST_TRANSACTION_BYTES + 1),
            "transaction",
            MOST_TRANSACTION_BYTES,
        ),
        (
            transaction([], [put("a", "1"), put("b", "1"), delete("a")]),
            "writes to a",
            1,
        ),
    ];
    for (transaction, named, most) in refused {
        match store.commit(transaction).await {
            Err(StoreError::TooLarge { what, size, limit }) => {
                assert!(what.contains(named), "{what} names {named}");
                assert_eq!((size, limit), (most + 1, most), "{what}");
            }
            other => panic!("{named}: {other:?}"),
        }
    }
    assert_eq!(load(&*store).await.rows, []);
}

/// A transaction whose keys and values have this many bytes.
fn of_bytes(bytes: usize) -> Transaction {
    let guard = Guard::Absent(key("guard"));
    let mut left = bytes - "guard".len();
    let mut writes = Vec::new();
    while left > 0 {
        let at = format!("row/{}", writes.len());
        let value = (left - at.len()).min(MOST_VALUE_BYTES);
        left -= at.len() + value;
        writes.push(put(&at, vec![0; value]));
    }
    transaction([guard], writes)
}
