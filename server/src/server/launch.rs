//! The drivers of a server: the built-in one, those that it starts, and those that listen already.
//!
//! They are begun together, and can be changed while the server runs: [`Launched::change`] ends what is
//! not wanted any more, begins what is new, and leaves all else alone.

mod builtin;
mod orphan;
mod running;
mod secrets;
mod socket;

pub(crate) use secrets::secrets_of;

use super::{StartError, setup};
use crate::config::{Config, Launch, PluginConfig};
use crate::control::ControlPlane;
use crate::csi::{Connection, Limits, Secrets};
use crate::id::{JobId, Namespace, PluginId};
use crate::plugin::{PluginJob, PluginType};
use crate::testing::CallFaults;
use builtin::Builtin;
use running::{Running, Wanted};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The plugin that the built-in driver is.
pub const BUILTIN: &str = "local";

/// The drivers of a server.
pub(super) struct Launched {
    cp: ControlPlane,
    config: Config,
    running: Vec<Running>,
    limits: HashMap<PluginId, Limits>,
    builtin: Option<Builtin>,
    /// Where the sockets of our drivers are.
    folder: PathBuf,
    /// That folder, if it is not in the data folder; removed with this.
    _sockets: Option<tempfile::TempDir>,
}

/// What a change of the plugins came to: the jobs, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Those that are new.
    pub added: Vec<JobId>,
    /// Those that are not as they were, and were begun anew.
    pub changed: Vec<JobId>,
    /// Those that are gone.
    pub removed: Vec<JobId>,
}

impl Launched {
    /// Begins every driver of the configuration, and records it.
    pub async fn start(cp: &ControlPlane, config: &Config) -> Result<Self, StartError> {
        let (folder, _sockets) = socket::folder(&config.data_dir)?;
        orphan::end_all(&folder, &config.plugins).await?;
        let builtin = match config.builtin_driver {
            true => Some(Builtin::serve(cp, config, &folder)?),
            false => None,
        };
        let mut launched = Self {
            cp: cp.clone(),
            config: config.clone(),
            running: Vec::new(),
            limits: HashMap::new(),
            builtin,
            folder,
            _sockets,
        };
        let wanted = launched.wanted(&config.plugins)?;
        let begun: Vec<&PluginJob> = wanted.iter().map(|wanted| &wanted.job).collect();
        setup::write(cp, config, &config.namespaces, &[], &begun).await?;
        wanted.into_iter().for_each(|wanted| launched.begin(wanted));
        Ok(launched)
    }

    /// Has these plugins besides the built-in one from now on, and these namespaces besides those that
    /// are there. On an error nothing was changed.
    pub async fn change(
        &mut self,
        plugins: &[PluginConfig],
        namespaces: &[Namespace],
    ) -> Result<Changed, StartError> {
        if self.cp.stopping.is_cancelled() {
            return Err(StartError::Setup("the server is stopping".to_owned()));
        }
        let wanted = self.wanted(plugins)?;
        let (staying, mut going): (Vec<Running>, Vec<Running>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|running| wanted.iter().any(|wanted| running.is_as(wanted)));
        let stays = |wanted: &Wanted| staying.iter().any(|running| running.is_as(wanted));
        let coming: Vec<Wanted> = wanted.into_iter().filter(|wanted| !stays(wanted)).collect();
        for running in &mut going {
            running.watch_no_more().await;
        }
        let begun: Vec<&PluginJob> = coming.iter().map(|wanted| &wanted.job).collect();
        let kept: Vec<&PluginJob> = staying.iter().map(Running::job).collect();
        let written = setup::write(&self.cp, &self.config, namespaces, &kept, &begun).await;
        self.running = staying;
        if let Err(error) = written {
            going.iter_mut().for_each(|running| running.watch(&self.cp));
            self.running.extend(going);
            return Err(error);
        }
        let changed = told(&coming, &going);
        let ending = going.into_iter().map(|running| running.end(&self.cp));
        futures::future::join_all(ending).await;
        coming.into_iter().for_each(|wanted| self.begin(wanted));
        Ok(changed)
    }

    /// Stops what was started.
    pub async fn stop(&mut self) {
        let running = std::mem::take(&mut self.running);
        let ending = running.into_iter().map(|running| running.end(&self.cp));
        futures::future::join_all(ending).await;
        if let Some(builtin) = self.builtin.take() {
            builtin.stop(self.config.part_of_stop()).await;
        }
    }

    /// What these plugins come to, the built-in one included.
    fn wanted(&self, plugins: &[PluginConfig]) -> Result<Vec<Wanted>, StartError> {
        let builtin = self.builtin.as_ref().map(|builtin| {
            let listening = Launch::Listening(builtin.endpoint().clone());
            PluginConfig::new(PluginId::known(BUILTIN), listening)
        });
        let plugins: Vec<PluginConfig> =
            builtin.into_iter().chain(plugins.iter().cloned()).collect();
        let ids = PluginConfig::job_ids(&plugins);
        plugins
            .into_iter()
            .zip(ids)
            .map(|(config, id)| self.wanted_as(config, id))
            .collect()
    }

    fn wanted_as(&self, config: PluginConfig, id: JobId) -> Result<Wanted, StartError> {
        let secrets = match &config.secrets {
            Some(file) => secrets_of(file)?,
            None => Secrets::none(),
        };
        let secrets = secrets.updated(None, Some(&config.secrets_from));
        let (endpoint, command) = match &config.launch {
            Launch::Listening(endpoint) => (endpoint.clone(), Vec::new()),
            Launch::Command(command) => (socket::of_job(&self.folder, &id)?, command.clone()),
        };
        let job = PluginJob {
            id,
            namespace: config.namespace.clone(),
            plugin: config.plugin.clone(),
            kind: config.kind,
            endpoint: endpoint.to_string(),
            command,
            node: self.cp.node.clone(),
            base_dir: config.base_dir.clone(),
            submitted_at: self.cp.clock.now(),
        };
        Ok(Wanted {
            job,
            config,
            secrets,
            endpoint,
        })
    }

    fn begin(&mut self, wanted: Wanted) {
        let of_node = self.new_limits();
        let limits = match wanted.config.kind {
            PluginType::Node => of_node.clone(),
            PluginType::Controller | PluginType::Monolith => {
                self.limits_of_controllers(&wanted.config.plugin)
            }
        };
        let testing = self.cp.testing.as_ref();
        let faults = testing.map(|testing| CallFaults::of(&testing.faults, &wanted.job.plugin));
        let connection = Connection::new(wanted.endpoint.clone(), limits)
            .with_secrets(wanted.secrets.clone())
            .with_sources(Arc::clone(&self.cp.sources))
            .with_faults(faults);
        let mut running = Running::begin(wanted, connection, of_node, self.config.part_of_stop());
        running.watch(&self.cp);
        self.running.push(running);
    }

    /// The controller sockets of a plugin share their turns; each node has its own.
    fn limits_of_controllers(&mut self, plugin: &PluginId) -> Limits {
        let new = self.new_limits();
        self.limits.entry(plugin.clone()).or_insert(new).clone()
    }

    fn new_limits(&self) -> Limits {
        Limits::new(self.config.calls_at_once, self.config.deadlines)
            .with_queue(self.config.queues.of_plugin)
    }
}

fn told(coming: &[Wanted], going: &[Running]) -> Changed {
    let ids_coming: Vec<&JobId> = coming.iter().map(|wanted| &wanted.job.id).collect();
    let ids_going: Vec<&JobId> = going.iter().map(|running| &running.job().id).collect();
    let pick = |ids: &[&JobId], others: &[&JobId], both: bool| -> Vec<JobId> {
        let picked = ids.iter().filter(|id| others.contains(id) == both);
        picked.map(|id| (*id).clone()).collect()
    };
    Changed {
        added: pick(&ids_coming, &ids_going, false),
        changed: pick(&ids_coming, &ids_going, true),
        removed: pick(&ids_going, &ids_coming, false),
    }
}
