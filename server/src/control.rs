//! The control plane: what every handler and worker shares.

use crate::acl::Attempts;
use crate::attachment::AttachmentKey;
use crate::audit::Audit;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Queues;
use crate::crowd::Crowd;
use crate::csi::{Secrets, Sources};
use crate::error::{Error, Fault, Result};
use crate::id::NodeId;
use crate::seal::{SealError, Sealed, WrappingKey};
use crate::state::{Evaluations, Live, LoadError, State};
use crate::store::{Committed, Followed, Index, Store, StoreError, Transaction};
use crate::testing::Testing;
use crate::work::{Drivers, Running, backoff};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What every handler and worker shares. Cheap to clone.
#[derive(Clone)]
pub struct ControlPlane(Arc<Shared>);

/// The parts of a control plane.
pub struct Shared {
    /// Where changes go.
    pub store: Arc<dyn Store>,
    /// Where reads come from.
    pub live: Arc<Live>,
    /// What time it is.
    pub clock: Clock,
    /// Where new ids come from.
    pub chance: Chance,
    /// What opens the data keys.
    pub wrapping: WrappingKey,
    /// What secrets by reference may name.
    pub sources: Arc<Sources>,
    /// The drivers whose sockets are near.
    pub drivers: Drivers,
    /// The operations, and the attachments by their own id, that controllers are being asked about.
    pub running: Running<Uuid>,
    /// The attachments that Node services are being asked about, for themselves or their claims.
    pub mounting: Running<AttachmentKey>,
    /// What is answered to many at once.
    pub evaluations: Evaluations,
    /// The node that this process runs on.
    pub node: NodeId,
    /// Whether access control is on.
    pub acl_enabled: bool,
    /// Who tried in vain to be let in.
    pub attempts: Attempts,
    /// Where it is recorded who asked for what, if it is.
    pub audit: Option<Audit>,
    /// How much may wait for drivers.
    pub queues: Queues,
    /// Who waits for which operation.
    pub waiting: Crowd<Uuid>,
    /// What tests may do to this server; nothing, unless it is one for tests.
    pub testing: Option<Testing>,
    /// Ends waits when the server stops.
    pub stopping: CancellationToken,
}

impl std::ops::Deref for ControlPlane {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl ControlPlane {
    /// Puts the parts together.
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The newest state.
    pub fn state(&self) -> Arc<State> {
        self.live.now()
    }

    /// Commits, and waits until the state shows it. `Ok(None)`: a guard did not hold, nothing was
    /// changed; look at the state again.
    pub async fn commit(&self, transaction: Transaction) -> Result<Option<Index>> {
        match self.store.commit(transaction).await {
            Ok(Committed::At(index)) => {
                self.live.at_least(index).await;
                Ok(Some(index))
            }
            Ok(Committed::Conflict(_)) => Ok(None),
            Err(error) => Err(store_error(error)),
        }
    }

    /// Seals secrets for their owner, with the active data key. The transaction that stores them has to
    /// [hold](crate::keyring::hold) that key.
    pub fn seal(&self, owner: &str, secrets: &Secrets) -> Result<Option<Sealed>> {
        let state = self.state();
        let Some(key) = state.active_data_key() else {
            tracing::error!("the store has no active data key");
            return Err(Fault::Internal.into());
        };
        let sealed = key.row.seal(&self.wrapping, owner, secrets);
        sealed.map_err(seal_error)
    }

    /// Opens what was sealed for its owner.
    pub fn open(&self, owner: &str, sealed: Option<&Sealed>) -> Result<Secrets> {
        let Some(sealed) = sealed else {
            return Ok(Secrets::none());
        };
        let state = self.state();
        let key = sealed.data_key().and_then(|id| state.data_key(id));
        let opened = match key {
            Some(key) => key.row.open(&self.wrapping, owner, sealed),
            None => Err(SealError::Unreadable {
                owner: owner.to_owned(),
                key: sealed.key_name().to_owned(),
            }),
        };
        opened.map_err(seal_error)
    }

    /// Refuses secrets of which a reference cannot be read now.
    pub async fn check_references(&self, secrets: Secrets) -> Result<()> {
        if secrets.references().is_empty() {
            return Ok(());
        }
        let sources = Arc::clone(&self.sources);
        let read = blocking(move || sources.read(&secrets)).await;
        read.map(drop)
            .map_err(|unreadable| Fault::BadItems(unreadable.to_string()).into())
    }

    /// Takes every commit of the store into the state, until the store closes.
    pub async fn follow(self) {
        let mut from = self.state().index;
        let mut refusals = 0;
        loop {
            let mut changes = self.store.follow(from);
            let compacted = loop {
                match changes.next().await {
                    Some(Followed::Change(change)) => self.live.apply(&change),
                    Some(Followed::Compacted) => break true,
                    None => break false,
                }
            };
            if !compacted {
                return;
            }
            let failure = match self.load().await {
                Ok(state) => {
                    self.live.reload(state);
                    refusals = 0;
                    from = self.state().index;
                    continue;
                }
                Err(error) => error.to_string(),
            };
            tracing::error!("the store cannot be loaded again: {failure}");
            refusals += 1;
            let wait =
                Duration::try_from(backoff::after(&self.chance, refusals)).unwrap_or_default();
            tokio::time::sleep(wait).await;
        }
    }

    async fn load(&self) -> std::result::Result<State, LoadError> {
        load(&*self.store).await
    }
}

/// The state that the store has now.
pub(crate) async fn load(store: &dyn Store) -> std::result::Result<State, LoadError> {
    let reading = store.read().await?;
    blocking(|| State::load(reading)).await
}

/// Does what blocks, on a thread for it.
pub(crate) async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(act).await {
        Ok(done) => done,
        Err(panicked) if panicked.is_panic() => std::panic::resume_unwind(panicked.into_panic()),
        Err(_) => std::future::pending().await, // the runtime ends, and this with it
    }
}

fn store_error(error: StoreError) -> Error {
    match &error {
        StoreError::TooLarge { .. } => Fault::BodyTooLarge(error.to_string()).into(),
        StoreError::Corrupt { .. }
        | StoreError::Newer { .. }
        | StoreError::InUse { .. }
        | StoreError::Failed { .. } => {
            tracing::error!("the store cannot take changes: {error}");
            let became = match error {
                StoreError::Failed { unclear: true, .. } => "it is not known whether it is stored",
                _ => "it is not stored",
            };
            Fault::StoreUnavailable(format!("{error}; {became}")).into()
        }
    }
}

fn seal_error(error: SealError) -> Error {
    tracing::error!("{error}");
    Fault::Internal.into()
}
