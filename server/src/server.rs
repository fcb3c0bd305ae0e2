//! A server: its store, its state, its workers, and the front that answers requests.
//!
//! [`Server::start`] brings everything up but the listener; [`Server::serve`] answers until it is told
//! to stop. The caller binds, so tests bind port 0.

pub mod backup;
mod launch;
mod setup;

use crate::clock::Clock;
use crate::config::{Config, PluginConfig};
use crate::control::{ControlPlane, Shared, blocking, load};
use crate::driver;
use crate::http::contract::truth::{OnViolation, Truth};
use crate::http::{Front, Settings, listen};
use crate::id::Namespace;
use crate::keyring;
use crate::seal::SealError;
use crate::state::{Evaluations, Live, LoadError, State};
use crate::store::{Embedded, Index, Store, StoreError, Transaction};
use crate::work::{self, Drivers};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

pub(crate) use launch::secrets_of;
pub use launch::{BUILTIN, Changed};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be used.
    #[error("the store cannot be used: {0}. {advice}", advice = .0.advice())]
    Store(#[from] StoreError),
    /// A row of the store is not what its key says.
    #[error("{file}: {row}")]
    Row {
        /// The store's file.
        file: PathBuf,
        /// The row.
        row: crate::state::Unreadable,
    },
    /// The key of the secrets cannot be used.
    #[error("the key of the secrets cannot be used: {0}")]
    Key(#[from] SealError),
    /// A folder or socket cannot be made.
    #[error("{path}: {error}")]
    Path {
        /// The folder or socket.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The built-in driver does not start.
    #[error("the built-in driver: {0}")]
    Driver(#[from] driver::Error),
    /// What a server finds or writes at its start is refused.
    #[error("{0}")]
    Setup(String),
}

/// A running server.
pub struct Server {
    cp: ControlPlane,
    config: Config,
    follow: tokio_util::task::AbortOnDropHandle<()>,
    backups: tokio_util::task::AbortOnDropHandle<()>,
    work: Vec<tokio_util::task::AbortOnDropHandle<()>>,
    steps: work::Steps,
    launched: Arc<Mutex<launch::Launched>>,
    on_violation: Option<OnViolation>,
}

impl Server {
    /// Brings up store, state, drivers and workers. `on_violation` hears what goes against the
    /// document, if the configuration asks for that check; without it, the log does.
    pub async fn start(
        config: Config,
        clock: Clock,
        on_violation: Option<OnViolation>,
    ) -> Result<Self, StartError> {
        make_private_folder(&config.data_dir)?;
        let file = config.data_dir.join(STORE);
        let opened = blocking(move || open(&file)).await;
        let (store, state) = opened.map_err(|error| no_state(error, &config))?;
        Self::start_with(Arc::new(store), state, config, clock, on_violation).await
    }

    /// As [`Server::start`], on this store.
    pub async fn start_on(
        store: Arc<dyn Store>,
        config: Config,
        clock: Clock,
        on_violation: Option<OnViolation>,
    ) -> Result<Self, StartError> {
        make_private_folder(&config.data_dir)?;
        let loaded = load(&*store).await;
        let state = loaded.map_err(|error| no_state(error, &config))?;
        Self::start_with(store, state, config, clock, on_violation).await
    }

    async fn start_with(
        store: Arc<dyn Store>,
        state: State,
        config: Config,
        clock: Clock,
        on_violation: Option<OnViolation>,
    ) -> Result<Self, StartError> {
        let unlocked = keyring::unlock(&config.key_files(), &state)?;
        let unfit = |error: crate::error::Error| StartError::Setup(error.to_string());
        let (wrapping, keys) = unlocked.into_parts(&state, clock.now()).map_err(unfit)?;
        let node = setup::node_of(&state, &config.data_dir)?;
        let cp = ControlPlane::new(Shared {
            store,
            live: Arc::new(Live::new(state)),
            clock,
            wrapping,
            sources: Arc::new(config.sources.clone()),
            drivers: Drivers::default(),
            running: work::Running::default(),
            mounting: work::Running::default(),
            evaluations: Evaluations::default(),
            node,
            acl_enabled: config.acl_enabled,
            stopping: CancellationToken::new(),
        });
        let follow = spawn(cp.clone().follow());
        cp.commit(keys).await.map_err(unfit)?;
        let mut tasks = Vec::new();
        let launched = launch::Launched::start(&cp, &config).await?;
        // After whatever an earlier run left in the folder of sockets was cleared away.
        let listening = backup::Listening::in_folder(&config.data_dir)?;
        let backups = spawn(backup::give(cp.clone(), listening));
        let steps = work::Steps::default();
        tasks.push(spawn(work::controller::work(cp.clone(), steps.clone())));
        let node = work::node::work(cp.clone(), cp.node.clone(), steps.clone());
        tasks.push(spawn(node));
        tasks.push(spawn(work::settle::work(cp.clone())));
        tasks.push(spawn(work::expiry::work(cp.clone())));
        tasks.push(spawn(work::rekey::work(cp.clone())));
        Ok(Self {
            cp,
            config,
            follow,
            backups,
            work: tasks,
            steps,
            launched: Arc::new(Mutex::new(launched)),
            on_violation,
        })
    }

    /// What handlers and workers share.
    pub fn control_plane(&self) -> &ControlPlane {
        &self.cp
    }

    /// How long its stop may take.
    pub fn shutdown_timeout(&self) -> Duration {
        self.config.shutdown_timeout
    }

    /// Something to see the state with while the server serves.
    pub fn watcher(&self) -> Watcher {
        Watcher(self.cp.clone())
    }

    /// Something to change the plugins with while the server serves.
    pub fn plugins(&self) -> Plugins {
        Plugins(Arc::downgrade(&self.launched))
    }

    /// Answers requests on `listener` until `shutdown` completes. Then no new work is begun, whoever
    /// waits is answered, drivers' calls under way end or are left to be taken up by the next start,
    /// the drivers that were started are stopped, and the store is closed: another server can have the
    /// data, whoever still holds on to this one. Each of these takes [`Config::part_of_stop`] at most.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let address = listener.local_addr()?;
        let stopping = self.cp.stopping.clone();
        let settings = Settings {
            status: self.config.status,
            region: self.config.region.clone(),
            host_names: self.config.host_names.clone(),
            address: address.to_string(),
            body: self.config.bodies,
            truth: self.truth().map_err(std::io::Error::other)?,
        };
        let front = Front::new(self.cp.clone(), settings).map_err(std::io::Error::other)?;
        let shutdown = async move {
            shutdown.await;
            stopping.cancel();
        };
        let limits = listen::Limits {
            drain: self.config.part_of_stop(),
            ..self.config.connections
        };
        listen::serve(listener, front.into_service(), limits, shutdown).await;
        self.stop().await;
        Ok(())
    }

    async fn stop(self) {
        drop(self.work);
        self.backups.abort();
        let _ = self.backups.await; // its socket is gone before another server makes its own
        self.steps.end(self.config.part_of_stop()).await;
        self.launched.lock().await.stop().await;
        // What the last steps commit is waited for in the state.
        drop(self.follow);
        if let Err(error) = self.cp.store.close().await {
            tracing::warn!("{error}");
        }
    }

    fn truth(&self) -> Result<Option<(Arc<Truth>, OnViolation)>, String> {
        if !self.config.check_truth {
            return Ok(None);
        }
        let truth = Truth::of_the_contract().map_err(ToString::to_string)?;
        let told = self.on_violation.clone().unwrap_or_else(|| {
            Arc::new(|violation| tracing::error!("against the document: {violation}"))
        });
        Ok(Some((truth, told)))
    }
}

/// Changes the plugins of a server while it serves.
#[derive(Clone)]
pub struct Plugins(Weak<Mutex<launch::Launched>>);

impl Plugins {
    /// Has these plugins besides the built-in one from now on, and these namespaces besides those that
    /// are there. A plugin job that stays as it was is left alone, its driver included; of one that is
    /// gone nothing is left. On an error nothing was changed.
    pub async fn change(
        &self,
        plugins: &[PluginConfig],
        namespaces: &[Namespace],
    ) -> Result<Changed, StartError> {
        match self.0.upgrade() {
            Some(launched) => launched.lock().await.change(plugins, namespaces).await,
            None => Err(StartError::Setup("the server has stopped".to_owned())),
        }
    }
}

/// Sees the state of a server.
#[derive(Clone)]
pub struct Watcher(ControlPlane);

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

/// The store's file in the data folder.
pub const STORE: &str = "store.redb";

/// Opens the store in this file and loads it. The load is what verifies the file: before it is done
/// nothing is changed.
fn open(file: &Path) -> Result<(Embedded, State), LoadError> {
    let opening = Embedded::begin(file)?;
    let state = State::load(opening.rows()?)?;
    Ok((opening.finish()?, state))
}

fn no_state(error: LoadError, config: &Config) -> StartError {
    match error {
        LoadError::Store(error) => StartError::Store(error),
        LoadError::Row(row) => StartError::Row {
            file: config.data_dir.join(STORE),
            row,
        },
    }
}

fn spawn(
    work: impl Future<Output = ()> + Send + 'static,
) -> tokio_util::task::AbortOnDropHandle<()> {
    tokio_util::task::AbortOnDropHandle::new(tokio::spawn(work))
}

/// Makes a folder that only its owner can enter; one that is there stays as it is.
pub(crate) fn make_private_folder(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| StartError::Path {
            path: path.to_owned(),
            error,
        })
}
