//! The drivers whose sockets are near: which connection serves a plugin now.

use crate::csi::Connection;
use crate::error::{Error, Fault, Result};
use crate::id::{JobId, Namespace, PluginId};
use crate::plugin::{Plugin, Role};
use crate::state::State;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections by the plugin job that brings them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Drivers(Arc<Mutex<HashMap<(Namespace, JobId), Connection>>>);

impl Drivers {
    /// Notes the connection of a job.
    pub fn add(&self, namespace: Namespace, job: JobId, connection: Connection) {
        let mut connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connections.insert((namespace, job), connection);
    }

    /// Forgets the connection of a job. Calls under way go on.
    pub fn remove(&self, namespace: &Namespace, job: &JobId) {
        let mut connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connections.remove(&(namespace.clone(), job.clone()));
    }

    /// A connection to a healthy controller of a plugin.
    pub fn controller(&self, state: &State, plugin: &PluginId) -> Result<Connection> {
        let none = || {
            let fault = Fault::NoHealthyController(plugin.to_string());
            Error::from(fault).plugin(plugin)
        };
        let found = state.plugin(plugin).ok_or_else(none)?;
        self.near(found, Role::Controller).ok_or_else(none)
    }

    /// A connection to a healthy controller, for a question that not every driver answers; `lacking`
    /// is Nomad's text for one that does not.
    pub fn to_ask(
        &self,
        state: &State,
        plugin: &str,
        can: impl Fn(&Plugin) -> bool,
        lacking: &str,
    ) -> Result<Connection> {
        let about = |fault: Fault| Error::from(fault).plugin(plugin);
        let id = PluginId::known(plugin);
        let found = state
            .plugin(&id)
            .ok_or_else(|| about(Fault::NoPluginToAsk))?;
        if found.is_unknown() {
            return Err(about(Fault::NoHealthyController(plugin.to_owned())));
        }
        if !can(found) {
            return Err(about(Fault::CapabilityMissing(lacking.to_owned())));
        }
        self.near(found, Role::Controller)
            .ok_or_else(|| about(Fault::NoHealthyController(plugin.to_owned())))
    }

    /// A connection to a healthy instance that is near: the first by node and job, so that calls
    /// of one plugin go the same way while it is healthy.
    fn near(&self, plugin: &Plugin, role: Role) -> Option<Connection> {
        let connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plugin
            .of_role(role)
            .filter(|instance| instance.healthy)
            .find_map(|instance| {
                let job = plugin.jobs_in(None).find(|job| job.id == instance.job)?;
                connections
                    .get(&(job.namespace.clone(), job.id.clone()))
                    .cloned()
            })
    }
}
