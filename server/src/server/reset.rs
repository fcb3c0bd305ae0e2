//! A server for tests begins anew: all that it had goes, and what serves is started again on the same
//! store and folder, at a later index.

use super::{Server, StartError};
use crate::control::blocking;
use crate::driver;
use crate::server::BUILTIN;
use crate::state::State;
use crate::store::{
    Committed, Followed, Index, MOST_OPERATIONS, Reading, Store, StoreError, Transaction, Write,
};
use async_trait::async_trait;
use futures::stream::BoxStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;

/// How long the plugins may take to be healthy before the reset is answered all the same.
const PATIENCE: Duration = Duration::from_secs(5);

impl Server {
    /// Ends all work, empties store and folder, and starts again. The error leaves nothing running.
    pub(super) async fn begin_anew(&mut self) -> Result<Index, StartError> {
        if let Some(testing) = &self.cp.testing {
            testing.faults.set(Vec::new());
        }
        self.cp.stopping.cancel();
        self.halt().await;
        let Some(gate) = self.gate.clone() else {
            return Err(StartError::Setup(
                "this server is none for tests".to_owned(),
            ));
        };
        gate.close().await;
        let store = Arc::clone(&gate.store);
        let index = empty(&*store).await?;
        let data_dir = self.config.data_dir.clone();
        blocking(move || empty_folders(&data_dir)).await?;
        self.cp.clock.begin_anew();
        self.config.chance.begin_anew();
        let fresh = Self::start_with(
            store,
            State::emptied_at(index),
            self.config.clone(),
            self.cp.clock.clone(),
            self.on_violation.clone(),
            self.lasting.clone(),
        );
        let fresh = fresh.await?;
        let watcher = fresh.watcher();
        if tokio::time::timeout(PATIENCE, watcher.all_healthy())
            .await
            .is_err()
        {
            tracing::warn!("the server began anew, and not every plugin is healthy yet");
        }
        *self = fresh;
        Ok(self.cp.state().index)
    }
}

/// Removes all rows, and says at which index there are none.
async fn empty(store: &dyn Store) -> Result<Index, StartError> {
    loop {
        let reading = store.read().await?;
        let index = reading.index;
        let keys = blocking(move || keys_of(reading)).await?;
        if keys.is_empty() {
            return Ok(index);
        }
        for some in keys.chunks(MOST_OPERATIONS) {
            let writes = some.to_vec();
            let guards = Vec::new();
            store.commit(Transaction { guards, writes }).await?;
        }
    }
}

fn keys_of(reading: Reading) -> Result<Vec<Write>, StoreError> {
    let mut keys = Vec::new();
    for batch in reading.batches {
        keys.extend(batch?.into_iter().map(|(key, _)| Write::Delete(key)));
    }
    Ok(keys)
}

/// Removes the volumes of the built-in driver, and the folders of claims and attachments where nothing is
/// mounted any more. What is in them is another driver's, and stays.
fn empty_folders(data_dir: &Path) -> Result<(), StartError> {
    driver::erase(&data_dir.join(BUILTIN))?;
    for folder in ["claims", "staging"] {
        let entries = std::fs::read_dir(data_dir.join(folder))
            .into_iter()
            .flatten();
        for entry in entries.flatten() {
            let path = entry.path();
            let removed = match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                true => std::fs::remove_dir(&path),
                false => std::fs::remove_file(&path),
            };
            if let Err(error) = removed {
                tracing::debug!("{} is left: {error}", path.display());
            }
        }
    }
    Ok(())
}

/// A store that takes no more changes from those who have it once it is closed to them. The store behind
/// it stays open.
pub(super) struct Gate {
    store: Arc<dyn Store>,
    is_open: RwLock<bool>,
}

impl Gate {
    pub fn before(store: Arc<dyn Store>) -> Arc<Self> {
        let is_open = RwLock::new(true);
        Arc::new(Self { store, is_open })
    }

    /// Takes no more changes. Those under way are made before this ends.
    async fn close(&self) {
        *self.is_open.write().await = false;
    }
}

#[async_trait]
impl Store for Gate {
    async fn read(&self) -> Result<Reading, StoreError> {
        self.store.read().await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Committed, StoreError> {
        let is_open = self.is_open.read().await;
        if *is_open {
            return self.store.commit(transaction).await;
        }
        Err(StoreError::Failed {
            file: "store".into(),
            detail: "the server began anew after this request arrived".to_owned(),
            unclear: false,
        })
    }

    fn follow(&self, index: Index) -> BoxStream<'static, Followed> {
        self.store.follow(index)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}
