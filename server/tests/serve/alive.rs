//! A server on a store that hangs or is closed: whether it counts as alive, and what a reload does.

use crate::process::soon;
use async_trait::async_trait;
use futures::stream::BoxStream;
use saddlebag::clock::Clock;
use saddlebag::config::Config;
use saddlebag::server::Server;
use saddlebag::store::{
    Committed, Embedded, Followed, Index, Reading, Store, StoreError, Transaction,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A store whose commits can be held up.
struct Held {
    store: Embedded,
    is_held: watch::Sender<bool>,
}

#[async_trait]
impl Store for Held {
    async fn read(&self) -> Result<Reading, StoreError> {
        self.store.read().await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Committed, StoreError> {
        let mut is_held = self.is_held.subscribe();
        is_held.wait_for(|held| !held).await.unwrap();
        self.store.commit(transaction).await
    }

    fn follow(&self, from: Index) -> BoxStream<'static, Followed> {
        self.store.follow(from)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

async fn start(folder: &Path) -> (Arc<Held>, Server) {
    let store = Arc::new(Held {
        store: Embedded::open(&folder.join("store.redb")).unwrap(),
        is_held: watch::Sender::new(false),
    });
    let config = Config {
        builtin_driver: true,
        ..Config::new(folder)
    };
    let server = Server::start_on(store.clone(), config, Clock::default(), None);
    (store, server.await.unwrap())
}

#[tokio::test]
async fn the_server_counts_as_alive_when_its_store_answers_and_not_while_it_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let (store, server) = start(folder.path()).await;
    let watcher = server.watcher();
    soon("health", watcher.all_healthy()).await;
    let before = watcher.state().index;
    soon("an answer", watcher.round_trip()).await;
    assert_eq!(watcher.state().index, before, "asking is no change");

    store.is_held.send_replace(true);
    let asking = tokio::spawn(async move { watcher.round_trip().await });
    let answered = tokio::time::timeout(Duration::from_millis(200), async {
        while !asking.is_finished() {
            tokio::task::yield_now().await;
        }
    });
    assert!(answered.await.is_err(), "it answers while its store hangs");
    store.is_held.send_replace(false);
    soon("an answer", asking).await.unwrap();

    store.close().await.unwrap();
    soon("an answer", server.watcher().round_trip()).await;
}

#[tokio::test]
async fn a_change_of_plugins_that_cannot_be_recorded_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, server) = start(folder.path()).await;
    let watcher = server.watcher();
    soon("health", watcher.all_healthy()).await;
    let (plugins, started) = (server.plugins(), folder.path().join("started"));
    let new = format!("id=new,command=/usr/bin/touch {}", started.display());
    store.close().await.unwrap();
    let refused = plugins.change(&[new.parse().unwrap()], &[]).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("store"), "{refused}");
    let jobs: Vec<_> = watcher
        .state()
        .jobs()
        .map(|job| job.row.id.to_string())
        .collect();
    assert_eq!(jobs, ["local"]);
    assert!(!started.exists(), "its driver was started");
}
