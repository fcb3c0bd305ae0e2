//! Forgets operations and claims that ended long ago, and tokens that have expired.

use crate::acl;
use crate::control::ControlPlane;
use crate::error::Result;
use crate::operation::{Kind, Operation, Progress};
use crate::state::State;
use crate::store::{Guard, Index, Key, Transaction, Write};
use jiff::{SignedDuration, Timestamp};

/// How long an ended operation or claim can be read.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
/// How long a create that was given up can be read: it may have left a volume at the storage.
pub const GIVEN_UP_KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How many ended operations, and how many ended claims, can be read; the oldest go first.
pub const MOST_KEPT: usize = 10_000;

const BETWEEN_SWEEPS: SignedDuration = SignedDuration::from_secs(60);
const SWEPT_AT_ONCE: usize = 100;

/// Works until the task is dropped.
pub async fn work(cp: ControlPlane) {
    loop {
        let swept = sweep(&cp).await;
        let next = cp.clock.pause(BETWEEN_SWEEPS);
        match swept {
            Ok(()) => tokio::select! {
                () = next => {}
                () = too_many(&cp) => {}
            },
            Err(error) => {
                tracing::warn!("what has ended is not forgotten yet: {error}");
                next.await;
            }
        }
    }
}

/// Waits until more is kept than can be read.
async fn too_many(cp: &ControlPlane) {
    let mut indexes = cp.live.indexes();
    let most = |state: &State| state.ended_count().max(state.ended_claims().len());
    while most(&cp.state()) <= MOST_KEPT {
        if indexes.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// A row of something that ended, with its last commit.
struct Ended {
    key: Key,
    modified: Index,
    at: Timestamp,
    kept_for: SignedDuration,
}

/// Forgets what is too old or too many now; of too many a few more than it must, so that the next one
/// to end makes no work.
pub async fn sweep(cp: &ControlPlane) -> Result<()> {
    let state = cp.state();
    let operations = state
        .operations()
        .filter(|operation| operation.row.progress.has_ended())
        .map(|operation| Ended {
            key: operation.row.key(),
            modified: operation.modified,
            at: operation.row.ended_at.unwrap_or(operation.row.created_at),
            kept_for: kept_for(&operation.row),
        });
    forget(cp, operations.collect()).await?;
    let claims = state.ended_claims().map(|claim| Ended {
        key: claim.row.row_key(),
        modified: claim.modified,
        at: claim.row.ended_at.unwrap_or(claim.row.created_at),
        kept_for: KEPT_FOR,
    });
    forget(cp, claims.collect()).await?;
    acl::expire_tokens(cp).await
}

fn kept_for(operation: &Operation) -> SignedDuration {
    match (&operation.kind, &operation.progress) {
        (Kind::Create(_), Progress::Abandoned(_)) => GIVEN_UP_KEPT_FOR,
        _ => KEPT_FOR,
    }
}

async fn forget(cp: &ControlPlane, mut ended: Vec<Ended>) -> Result<()> {
    ended.sort_by_key(|ended| std::cmp::Reverse(ended.at));
    let now = cp.clock.now();
    let most = match ended.len() {
        0..=MOST_KEPT => MOST_KEPT,
        _ => MOST_KEPT - SWEPT_AT_ONCE,
    };
    let forgotten: Vec<_> = ended
        .into_iter()
        .enumerate()
        .filter(|(newer, ended)| *newer >= most || now.duration_since(ended.at) > ended.kept_for)
        .map(|(_, ended)| ended)
        .collect();
    for some in forgotten.rchunks(SWEPT_AT_ONCE) {
        let mut transaction = Transaction::default();
        for ended in some {
            let at = Guard::At(ended.key.clone(), ended.modified);
            transaction.guards.push(at);
            transaction.writes.push(Write::Delete(ended.key.clone()));
        }
        cp.commit(transaction).await?;
    }
    Ok(())
}
