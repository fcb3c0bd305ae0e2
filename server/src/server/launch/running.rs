//! One plugin job that is wanted, and one that runs.

use crate::config::PluginConfig;
use crate::control::ControlPlane;
use crate::csi::{
    self, Confided, Connection, DriverCommand, Endpoint, Limits, Restart, Secrets, Sources,
    Supervisor,
};
use crate::plugin::PluginJob;
use crate::work::health;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// A plugin job that is to run.
pub(super) struct Wanted {
    pub job: PluginJob,
    pub config: PluginConfig,
    pub secrets: Secrets,
    pub endpoint: Endpoint,
}

/// A plugin job that runs. Dropping it kills the driver, if we started it.
pub(super) struct Running {
    wanted: Wanted,
    connection: Connection,
    /// To the same socket, with turns of its own for the Node service.
    node: Connection,
    supervisor: Option<Supervisor>,
    watches: Vec<AbortOnDropHandle<()>>,
}

impl Running {
    /// Starts the driver, if it is ours to start. It may take `grace` to end. `of_node` bounds the calls
    /// to its Node service.
    pub fn begin(wanted: Wanted, connection: Connection, of_node: Limits, grace: Duration) -> Self {
        let confided = Confided::default();
        let is_ours = !wanted.job.command.is_empty();
        let connection = connection.confiding(is_ours.then(|| confided.clone()));
        let node = connection.clone().with_limits(of_node);
        Self {
            supervisor: supervise(&wanted, &connection, confided, grace),
            node: node.to_node(&wanted.job.node),
            wanted,
            connection,
            watches: Vec::new(),
        }
    }

    /// Its row.
    pub fn job(&self) -> &PluginJob {
        &self.wanted.job
    }

    /// Whether it is what is wanted, to the last secret.
    pub fn is_as(&self, wanted: &Wanted) -> bool {
        let plain = Secrets::to_plain_for_encryption;
        self.wanted.job.id == wanted.job.id
            && self.wanted.config == wanted.config
            && plain(&self.wanted.secrets) == plain(&wanted.secrets)
    }

    /// Lets others call the driver, and records how it is from now on.
    pub fn watch(&mut self, cp: &ControlPlane) {
        let job = self.job();
        let (namespace, id) = (job.namespace.clone(), job.id.clone());
        cp.drivers
            .add(namespace, id, self.connection.clone(), self.node.clone());
        let watch = |role: &csi::Role| {
            let process = self.supervisor.as_ref().map(Supervisor::process);
            let service = match role {
                csi::Role::Controller => &self.connection,
                csi::Role::Node => &self.node,
            };
            AbortOnDropHandle::new(tokio::spawn(health::work(
                cp.clone(),
                job.clone(),
                *role,
                service.clone(),
                self.wanted.config.health,
                process,
            )))
        };
        self.watches = job.kind.roles().iter().map(watch).collect();
    }

    /// Records nothing of it any more.
    pub async fn watch_no_more(&mut self) {
        for watch in self.watches.drain(..) {
            watch.abort();
            // It ends because it was aborted.
            let _ = watch.await;
        }
    }

    /// Lets nobody call the driver any more, and ends it, if we started it.
    pub async fn end(mut self, cp: &ControlPlane) {
        self.watch_no_more().await;
        cp.drivers.remove(&self.job().namespace, &self.job().id);
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.stop().await;
        }
    }
}

fn supervise(
    wanted: &Wanted,
    connection: &Connection,
    confided: Confided,
    grace: Duration,
) -> Option<Supervisor> {
    let (program, args) = wanted.job.command.split_first()?;
    Some(csi::supervise(DriverCommand {
        plugin_id: wanted.config.plugin.to_string(),
        program: PathBuf::from(program),
        args: args.iter().map(Into::into).collect(),
        environment: environment(connection.sources()).collect(),
        endpoint: wanted.endpoint.clone(),
        secrets: wanted.secrets.clone(),
        confided,
        restart: Restart::default(),
        grace,
    }))
}

/// Our environment without what a service manager tells this process alone: a driver that believed it
/// would answer in our place. Nor is it given what secrets are read from: it is told those that it needs.
fn environment(sources: &Sources) -> impl Iterator<Item = (OsString, OsString)> {
    const OURS: [&str; 7] = [
        "CREDENTIALS_DIRECTORY",
        "NOTIFY_SOCKET",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
        "LISTEN_PID",
        "LISTEN_FDS",
        "LISTEN_FDNAMES",
    ];
    std::env::vars_os().filter(|(name, _)| {
        let is_secret = name.to_str().is_some_and(|name| sources.has_variable(name));
        !is_secret && !OURS.iter().any(|ours| OsStr::new(ours) == name)
    })
}
