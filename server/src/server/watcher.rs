//! Seeing what becomes of a server while it serves.

use crate::control::ControlPlane;
use crate::state::State;
use crate::store::{Index, Transaction};
use crate::work;
use std::sync::Arc;
use tokio::sync::watch;

/// Sees the state of a server.
#[derive(Clone)]
pub struct Watcher(pub(super) ControlPlane);

impl Watcher {
    /// The newest state.
    pub fn state(&self) -> Arc<State> {
        self.0.state()
    }

    /// Completes when the store's writer has answered and the state has taken its answer in: what every
    /// change goes through. A store that cannot take changes answers, too; one that hangs does not.
    pub async fn round_trip(&self) {
        let nothing = Transaction::default();
        if let Err(error) = self.0.commit(nothing).await {
            tracing::debug!("the store answers with an error: {error}");
        }
    }

    /// Waits until every instance of every plugin was asked once, whatever it said.
    pub async fn all_asked(&self) {
        self.until(|state| {
            let mut instances = state.plugins().flat_map(|plugin| &plugin.instances);
            instances.all(|instance| instance.row.description != work::health::NOT_ASKED_YET)
        })
        .await;
    }

    /// Waits until every instance of every plugin is healthy.
    pub async fn all_healthy(&self) {
        self.until(|state| state.plugins().all(|plugin| plugin.health().all_healthy()))
            .await;
    }

    /// Tells the index of each new state; skips those that a slow reader misses.
    pub fn indexes(&self) -> watch::Receiver<Index> {
        self.0.live.indexes()
    }

    async fn until(&self, is_so: impl Fn(&State) -> bool) {
        let mut indexes = self.0.live.indexes();
        loop {
            indexes.mark_unchanged();
            if is_so(&self.state()) || indexes.changed().await.is_err() {
                return;
            }
        }
    }
}
