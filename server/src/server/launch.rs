//! The drivers of a server: the built-in one, those that it starts, and those that listen already.

use super::{StartError, make_private_folder};
use crate::config::{Config, Launch, PluginConfig};
use crate::control::ControlPlane;
use crate::csi::{
    self, Connection, DriverCommand, Endpoint, Limits, MOST_SOCKET_PATH_BYTES, Process, Restart,
    Secrets, Supervisor,
};
use crate::driver;
use crate::id::{Namespace, PluginId};
use crate::plugin::{PluginJob, PluginType, Role};
use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

/// The plugin that the built-in driver is.
pub const BUILTIN: &str = "local";

/// How long a driver that we started may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// The drivers of a server.
pub(super) struct Launched {
    jobs: Vec<PluginJob>,
    connections: Vec<Connection>,
    supervisors: HashMap<usize, Supervisor>,
    builtin: TaskTracker,
    stop_builtin: CancellationToken,
    /// Where sockets are, if they are not in the data folder; removed with this.
    _sockets: Option<tempfile::TempDir>,
}

impl Launched {
    /// Starts what is to be started, and notes how each is reached.
    pub async fn start(cp: &ControlPlane, config: &Config) -> Result<Self, StartError> {
        let (folder, _sockets) = socket_folder(&config.data_dir)?;
        let mut launched = Self {
            jobs: Vec::new(),
            connections: Vec::new(),
            supervisors: HashMap::new(),
            builtin: TaskTracker::new(),
            stop_builtin: CancellationToken::new(),
            _sockets,
        };
        let mut plugins = config.plugins.clone();
        if config.builtin_driver {
            let endpoint = launched.serve_builtin(cp, config, &folder)?;
            plugins.insert(
                0,
                PluginConfig {
                    plugin: PluginId::known(BUILTIN),
                    kind: PluginType::Monolith,
                    launch: Launch::Listening(endpoint),
                    secrets: None,
                    base_dir: None,
                },
            );
        }
        let ids = PluginConfig::job_ids(&plugins);
        let mut limits: HashMap<PluginId, Limits> = HashMap::new();
        for (at, (plugin, id)) in plugins.into_iter().zip(ids).enumerate() {
            let secrets = match &plugin.secrets {
                Some(file) => secrets_of(file)?,
                None => Secrets::none(),
            };
            let (endpoint, command) = match plugin.launch {
                Launch::Listening(endpoint) => (endpoint, Vec::new()),
                Launch::Command(command) => {
                    let socket = folder.join(format!("{at}.sock"));
                    let endpoint = Endpoint::at(&socket)
                        .map_err(|error| StartError::Setup(error.to_string()))?;
                    let supervisor = supervise(&plugin.plugin, &command, &endpoint, &secrets);
                    launched.supervisors.insert(at, supervisor);
                    (endpoint, command)
                }
            };
            let new_limits = || Limits::new(config.calls_at_once, config.deadlines);
            let of_node = new_limits();
            let limits = match plugin.kind {
                PluginType::Node => of_node.clone(),
                PluginType::Controller | PluginType::Monolith => {
                    let of_plugin = limits.entry(plugin.plugin.clone());
                    of_plugin.or_insert_with(new_limits).clone()
                }
            };
            let connection = Connection::new(endpoint.clone(), limits).with_secrets(secrets);
            let namespace = Namespace::default_namespace();
            let node = connection.clone().with_limits(of_node);
            cp.drivers
                .add(namespace.clone(), id.clone(), connection.clone(), node);
            launched.connections.push(connection);
            launched.jobs.push(PluginJob {
                id,
                namespace,
                plugin: plugin.plugin,
                kind: plugin.kind,
                endpoint: format!("unix://{}", endpoint.path().display()),
                command,
                node: cp.node.clone(),
                base_dir: plugin.base_dir,
                submitted_at: cp.clock.now(),
            });
        }
        Ok(launched)
    }

    /// The plugin jobs, one for each driver.
    pub fn jobs(&self) -> &[PluginJob] {
        &self.jobs
    }

    /// Every service that a job brings, with how it is reached.
    pub fn services(
        &self,
    ) -> impl Iterator<
        Item = (
            PluginJob,
            Role,
            Connection,
            Option<watch::Receiver<Process>>,
        ),
    > {
        let jobs = self.jobs.iter().zip(&self.connections).enumerate();
        jobs.flat_map(|(at, (job, connection))| {
            let process = self.supervisors.get(&at).map(Supervisor::process);
            job.kind
                .roles()
                .iter()
                .map(move |role| (job.clone(), *role, connection.clone(), process.clone()))
        })
    }

    /// Stops what was started.
    pub async fn stop(self) {
        let stopping = self.supervisors.into_values().map(Supervisor::stop);
        futures::future::join_all(stopping).await;
        self.stop_builtin.cancel();
        self.builtin.close();
        let _ = tokio::time::timeout(GRACE, self.builtin.wait()).await;
    }

    fn serve_builtin(
        &self,
        cp: &ControlPlane,
        config: &Config,
        folder: &Path,
    ) -> Result<Endpoint, StartError> {
        let socket = folder.join(format!("{BUILTIN}.sock"));
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(at(&socket)(error));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&socket).map_err(at(&socket))?;
        let root = config.data_dir.join("local");
        let options = driver::Options::new(root, cp.node.as_str());
        let stop = self.stop_builtin.clone();
        let shutdown = async move { stop.cancelled().await };
        self.builtin.spawn(async move {
            if let Err(error) = driver::serve(listener, options, shutdown).await {
                tracing::error!(plugin.id = BUILTIN, "the built-in driver ended: {error}");
            }
        });
        Endpoint::at(socket).map_err(|error| StartError::Setup(error.to_string()))
    }
}

fn supervise(
    plugin: &PluginId,
    command: &[String],
    endpoint: &Endpoint,
    secrets: &Secrets,
) -> Supervisor {
    let (program, args) = match command {
        [program, args @ ..] => (PathBuf::from(program), args),
        [] => (PathBuf::new(), command),
    };
    csi::supervise(DriverCommand {
        plugin_id: plugin.to_string(),
        program,
        args: args.iter().map(Into::into).collect(),
        environment: std::env::vars_os().collect(),
        endpoint: endpoint.clone(),
        secrets: secrets.clone(),
        restart: Restart::default(),
        grace: GRACE,
    })
}

/// The secrets in a file. What is wrong with it is told without what is in it.
fn secrets_of(file: &Path) -> Result<Secrets, StartError> {
    let refused = |why: &str| StartError::Setup(format!("{}: {why}", file.display()));
    let mode = std::fs::metadata(file)
        .map_err(at(file))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(refused(
            "others may read these secrets: set its mode to 0600",
        ));
    }
    let text = Zeroizing::new(std::fs::read(file).map_err(at(file))?);
    let secrets: BTreeMap<String, String> = serde_json::from_slice(&text)
        .map_err(|_| refused("secrets are a JSON object of strings, this is something else"))?;
    Ok(Secrets::from_plain(secrets))
}

/// Where the sockets of our drivers are: in the data folder, or in a temporary one if its path is
/// longer than a socket's may be.
fn socket_folder(data_dir: &Path) -> Result<(PathBuf, Option<tempfile::TempDir>), StartError> {
    const LONGEST_NAME: usize = 24;
    let folder = data_dir.join("run");
    if folder.as_os_str().len() + LONGEST_NAME <= MOST_SOCKET_PATH_BYTES {
        make_private_folder(&folder)?;
        return Ok((folder, None));
    }
    let folder = tempfile::Builder::new()
        .prefix("saddlebag-")
        .tempdir()
        .map_err(at(&std::env::temp_dir()))?;
    Ok((folder.path().to_owned(), Some(folder)))
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> StartError + use<> {
    let path = path.to_owned();
    move |error| StartError::Path {
        path: path.clone(),
        error,
    }
}
