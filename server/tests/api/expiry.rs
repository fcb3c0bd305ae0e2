//! How long operations that ended can be read.

use crate::driven::Driven;
use crate::server::refusal;
use jiff::SignedDuration;
use saddlebag::id::{PluginId, SnapshotId};
use saddlebag::operation::{Kind, Operation, Outcome, Progress, Subject};
use saddlebag::store::{Transaction, keys};
use saddlebag::work::expiry;

#[tokio::test]
async fn ended_operations_can_be_read_for_an_hour() {
    let driven = Driven::start().await;
    driven.create("db").await.unwrap().unwrap();
    let done = driven.operation("db").await;
    driven.server.clock.advance(SignedDuration::from_mins(60));
    expiry::sweep(&driven.server.control_plane).await.unwrap();
    driven.read_operation(&done.id).await.unwrap();
    driven.server.clock.advance(SignedDuration::from_secs(61));
    driven
        .server
        .until("the operation to be forgotten", |state| {
            state.ended_count() == 0
        })
        .await;
    let (status, error) = refusal(driven.read_operation(&done.id).await);
    assert_eq!((status, error.code.as_str()), (404, "operation_not_found"));
}

#[tokio::test]
async fn of_too_many_ended_operations_the_oldest_are_forgotten_first() {
    const MORE: usize = expiry::MOST_KEPT + 50;
    let driven = Driven::start().await;
    let cp = &driven.server.control_plane;
    let now = cp.clock.now();
    let ended = |age: usize| Operation {
        progress: Progress::Done(Outcome::Nothing),
        ended_at: Some(now - SignedDuration::from_millis(age as i64)),
        ..Operation::intended(
            cp,
            Subject::Snapshot(PluginId::known("scripted"), SnapshotId::known("s")),
            Kind::DeleteSnapshot,
            PluginId::known("scripted"),
            None,
        )
    };
    let all: Vec<Operation> = (0..MORE).map(ended).collect();
    for some in all.rchunks(100) {
        let mut transaction = Transaction::default();
        for operation in some {
            transaction
                .put(keys::ended(operation.id), operation)
                .unwrap();
        }
        cp.commit(transaction).await.unwrap();
    }
    driven
        .server
        .until("the oldest to be forgotten", |state| {
            state.ended_count() <= expiry::MOST_KEPT
        })
        .await;
    let state = cp.state();
    let kept = |operation: &Operation| state.operation(operation.id).is_some();
    let newest = all.iter().take_while(|operation| kept(operation)).count();
    assert_eq!(
        newest,
        state.ended_count(),
        "none is kept that is older than one forgotten"
    );
    assert!(newest >= expiry::MOST_KEPT - 100);
}
