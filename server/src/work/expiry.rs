//! Forgets operations that ended long ago.

use crate::control::ControlPlane;
use crate::error::Result;
use crate::operation::{Kind, Operation, Progress};
use crate::state::Stored;
use crate::store::{Guard, Transaction, Write};
use jiff::SignedDuration;
use std::sync::Arc;

/// How long an ended operation can be read.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
/// How long a create that was given up can be read: it may have left a volume at the storage.
pub const GIVEN_UP_KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How many ended operations can be read; the oldest go first.
pub const MOST_KEPT: usize = 10_000;

const BETWEEN_SWEEPS: SignedDuration = SignedDuration::from_secs(60);
const SWEPT_AT_ONCE: usize = 100;

/// Works until the task is dropped.
pub async fn work(cp: ControlPlane) {
    loop {
        let swept = sweep(&cp).await;
        let next = cp.clock.until(cp.clock.after(BETWEEN_SWEEPS));
        match swept {
            Ok(()) => tokio::select! {
                () = next => {}
                () = too_many(&cp) => {}
            },
            Err(error) => {
                tracing::warn!("ended operations are not forgotten yet: {error}");
                next.await;
            }
        }
    }
}

/// Waits until more ended operations are kept than can be read.
async fn too_many(cp: &ControlPlane) {
    let mut indexes = cp.live.indexes();
    while cp.state().ended_count() <= MOST_KEPT {
        if indexes.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

fn kept_for(operation: &Operation) -> SignedDuration {
    match (&operation.kind, &operation.progress) {
        (Kind::Create(_), Progress::Abandoned(_)) => GIVEN_UP_KEPT_FOR,
        _ => KEPT_FOR,
    }
}

/// Forgets what is too old or too many now; of too many a few more than it must, so that the next one
/// to end makes no work.
pub async fn sweep(cp: &ControlPlane) -> Result<()> {
    let state = cp.state();
    let mut ended: Vec<&Arc<Stored<Operation>>> = state
        .operations()
        .filter(|operation| operation.row.progress.has_ended())
        .collect();
    ended.sort_by_key(|operation| std::cmp::Reverse(operation.row.ended_at));
    let now = cp.clock.now();
    let is_old = |operation: &Stored<Operation>| {
        let ended_at = operation.row.ended_at.unwrap_or(operation.row.created_at);
        now.duration_since(ended_at) > kept_for(&operation.row)
    };
    let most = match ended.len() {
        0..=MOST_KEPT => MOST_KEPT,
        _ => MOST_KEPT - SWEPT_AT_ONCE,
    };
    let forgotten: Vec<_> = ended
        .into_iter()
        .enumerate()
        .filter(|(newer, operation)| *newer >= most || is_old(operation))
        .map(|(_, operation)| operation)
        .collect();
    for some in forgotten.rchunks(SWEPT_AT_ONCE) {
        let mut transaction = Transaction::default();
        for operation in some {
            let key = operation.row.key();
            transaction
                .guards
                .push(Guard::At(key.clone(), operation.modified));
            transaction.writes.push(Write::Delete(key));
        }
        cp.commit(transaction).await?;
    }
    Ok(())
}
