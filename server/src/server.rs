//! A server: its store, its state, its workers, and the front that answers requests.
//!
//! [`Server::start`] brings everything up but the listener; [`Server::serve`] answers until it is told
//! to stop. The caller binds, so tests bind port 0.

pub mod backup;
mod launch;
mod plugins;
mod reset;
mod setup;
mod unstarted;
mod watcher;

use crate::acl::Attempts;
use crate::audit::Audit;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{ControlPlane, Shared, blocking, load};
use crate::crowd::Crowd;
use crate::http::contract::truth::{OnViolation, Truth};
use crate::http::{Front, Settings, listen};
use crate::keyring;
use crate::state::{Evaluations, Live, LoadError, State};
use crate::store::{Embedded, Store};
use crate::testing::{AskedToReset, Testing};
use crate::tls::Certificates;
use crate::work::{self, Drivers};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use unstarted::no_state;

pub(crate) use launch::secrets_of;
pub use launch::{BUILTIN, Changed};
pub use plugins::Plugins;
pub use unstarted::StartError;
pub use watcher::Watcher;

/// A running server.
pub struct Server {
    cp: ControlPlane,
    config: Config,
    /// What stands before the store of a server for tests.
    gate: Option<Arc<reset::Gate>>,
    lasting: Lasting,
    follow: tokio_util::task::AbortOnDropHandle<()>,
    backups: Option<tokio_util::task::AbortOnDropHandle<()>>,
    work: Vec<tokio_util::task::AbortOnDropHandle<()>>,
    steps: work::Steps,
    launched: Arc<Mutex<launch::Launched>>,
    on_violation: Option<OnViolation>,
    certificates: Option<Arc<Certificates>>,
    /// Who wants it to begin anew; nobody can, unless it is a server for tests.
    resets: Option<UnboundedReceiver<AskedToReset>>,
}

/// What stays when a server begins anew.
#[derive(Clone)]
struct Lasting {
    /// Ends every wait.
    stopping: CancellationToken,
    testing: Option<Testing>,
    audit: Option<Audit>,
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
        Self::start_first(Arc::new(store), state, config, clock, on_violation).await
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
        Self::start_first(store, state, config, clock, on_violation).await
    }

    async fn start_first(
        store: Arc<dyn Store>,
        state: State,
        config: Config,
        clock: Clock,
        on_violation: Option<OnViolation>,
    ) -> Result<Self, StartError> {
        let (testing, resets) = match config.testing {
            true => Some(Testing::new()).unzip(),
            false => (None, None),
        };
        let audit = config.audit.clone();
        let audit = audit.map(|settings| Audit::open(settings, clock.clone()));
        let lasting = Lasting {
            stopping: CancellationToken::new(),
            testing,
            audit: audit.transpose()?,
        };
        let begun = Self::start_with(store, state, config, clock, on_violation, lasting).await?;
        Ok(Self { resets, ..begun })
    }

    async fn start_with(
        store: Arc<dyn Store>,
        state: State,
        config: Config,
        clock: Clock,
        on_violation: Option<OnViolation>,
        lasting: Lasting,
    ) -> Result<Self, StartError> {
        let load = |files| Certificates::load(files, clock.clone());
        let certificates = config.tls.clone().map(load).transpose()?;
        let unlocked = keyring::unlock(&config.key_files(), &state)?;
        let unfit = |error: crate::error::Error| StartError::Setup(error.to_string());
        let (wrapping, keys) = unlocked.into_parts(&state, clock.now()).map_err(unfit)?;
        let is_for_tests = lasting.testing.is_some();
        let gate = is_for_tests.then(|| reset::Gate::before(Arc::clone(&store)));
        let store = match &gate {
            Some(gate) => Arc::clone(gate) as Arc<dyn Store>,
            None => store,
        };
        let node = setup::node_of(&state, &config.data_dir, &config.chance.apart("node"))?;
        let cp = ControlPlane::new(Shared {
            store,
            live: Arc::new(Live::new(state)),
            clock,
            chance: config.chance.clone(),
            wrapping,
            sources: Arc::new(config.sources.clone()),
            drivers: Drivers::default(),
            running: work::Running::default(),
            mounting: work::Running::default(),
            evaluations: Evaluations::default(),
            node,
            acl_enabled: config.acl_enabled,
            attempts: Attempts::new(config.failed_logins),
            audit: lasting.audit.clone(),
            queues: config.queues,
            waiting: Crowd::default(),
            testing: lasting.testing.clone(),
            stopping: lasting.stopping.child_token(),
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
            gate,
            lasting,
            resets: None,
            follow,
            backups: Some(backups),
            work: tasks,
            steps,
            launched: Arc::new(Mutex::new(launched)),
            on_violation,
            certificates: certificates.map(Arc::new),
        })
    }

    /// Its certificates, if it answers over TLS.
    pub fn certificates(&self) -> Option<Arc<Certificates>> {
        self.certificates.clone()
    }

    /// Its audit log, if it keeps one.
    pub fn audit(&self) -> Option<Audit> {
        self.lasting.audit.clone()
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
        mut self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let address = listener.local_addr()?.to_string();
        let truth = self.truth().map_err(std::io::Error::other)?;
        let front = self.front(&address, &truth)?;
        let (open, fronts) = watch::channel(Some(Arc::new(front)));
        let stopping = self.lasting.stopping.clone();
        let shutdown = async move {
            shutdown.await;
            stopping.cancel();
        };
        let limits = listen::Limits {
            drain: self.config.part_of_stop(),
            ..self.config.connections
        };
        let certificates = self.certificates.clone();
        // While a server begins anew there is no front, and requests wait for the next.
        let service = tower::service_fn(move |request| {
            let here = match &*fronts.borrow() {
                Some(front) => Ok(Arc::clone(front)),
                None => Err(fronts.clone()),
            };
            async move {
                let front = match here {
                    Ok(front) => Some(front),
                    Err(mut fronts) => match fronts.wait_for(Option::is_some).await {
                        Ok(front) => front.clone(),
                        Err(_) => None,
                    },
                };
                match front {
                    Some(front) => Ok(front.respond(request).await),
                    None => std::future::pending().await, // the server ends, and this with it
                }
            }
        });
        let mut resets = self.resets.take();
        let resetting = async {
            loop {
                let asked = next(resets.as_mut()).await;
                open.send_replace(None);
                let index = self.begin_anew().await.map_err(std::io::Error::other)?;
                open.send_replace(Some(Arc::new(self.front(&address, &truth)?)));
                let _ = asked.send(index); // who asked may have left
            }
        };
        let ended: std::io::Result<()> = tokio::select! {
            () = listen::serve(listener, certificates, service, limits, shutdown) => Ok(()),
            failed = resetting => failed,
        };
        self.stop().await;
        ended
    }

    /// What answers the requests for this server, as it is now.
    fn front(
        &self,
        address: &str,
        truth: &Option<(Arc<Truth>, OnViolation)>,
    ) -> std::io::Result<Front> {
        let settings = Settings {
            status: self.config.status,
            region: self.config.region.clone(),
            host_names: self.config.host_names.clone(),
            address: address.to_owned(),
            tls: self.certificates.is_some(),
            body: self.config.bodies,
            head_bytes: self.config.connections.head_bytes,
            limits: self.config.requests,
            truth: truth.clone(),
        };
        Front::new(self.cp.clone(), settings).map_err(std::io::Error::other)
    }

    /// Ends all work and every driver. To do it again does nothing.
    async fn halt(&mut self) {
        self.work.clear();
        if let Some(backups) = self.backups.take() {
            backups.abort();
            let _ = backups.await; // its socket is gone before another server makes its own
        }
        self.steps.end(self.config.part_of_stop()).await;
        self.launched.lock().await.stop().await;
    }

    async fn stop(mut self) {
        self.halt().await;
        // What the last steps commit is waited for in the state.
        drop(self.follow);
        if let Err(error) = self.cp.store.close().await {
            tracing::warn!("{error}");
        }
        if let Some(audit) = self.lasting.audit {
            let settled = timeout(self.config.part_of_stop(), audit.settle()).await;
            settled.unwrap_or_else(|_| tracing::warn!("the audit log is not written to its end"));
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

/// The next who wants the server to begin anew.
async fn next(resets: Option<&mut UnboundedReceiver<AskedToReset>>) -> AskedToReset {
    match resets {
        Some(resets) => match resets.recv().await {
            Some(asked) => asked,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
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
