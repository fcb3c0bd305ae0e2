//! The drivers whose sockets are near: which connection serves a plugin now.

use crate::csi::Connection;
use crate::error::{Error, Fault, Result};
use crate::id::{JobId, Namespace, NodeId, PluginId};
use crate::plugin::{Instance, Plugin, Role};
use crate::state::State;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections by the plugin job that brings them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Drivers(Arc<Mutex<HashMap<(Namespace, JobId), Sockets>>>);

/// The ways to the services of one job: one socket or two, but turns of their own, so that a node
/// that hangs takes none of the controller's.
#[derive(Clone)]
struct Sockets {
    controller: Connection,
    node: Connection,
}

impl Drivers {
    /// Notes the connections of a job to its Controller and its Node service.
    pub fn add(&self, namespace: Namespace, job: JobId, controller: Connection, node: Connection) {
        let mut connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connections.insert((namespace, job), Sockets { controller, node });
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

    /// A connection to a healthy Node service of a plugin beside this node, if it is near.
    pub fn node(&self, state: &State, plugin: &PluginId, node: &NodeId) -> Option<Connection> {
        let plugin = state.plugin(plugin)?;
        let instance = plugin.node_instance(node).filter(|node| node.healthy)?;
        self.of(plugin, instance)
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
        plugin
            .of_role(role)
            .filter(|instance| instance.healthy)
            .find_map(|instance| self.of(plugin, instance))
    }

    fn of(&self, plugin: &Plugin, instance: &Instance) -> Option<Connection> {
        let connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let job = plugin.jobs_in(None).find(|job| job.id == instance.job)?;
        let sockets = connections.get(&(job.namespace.clone(), job.id.clone()))?;
        Some(match instance.role {
            Role::Controller => sockets.controller.clone(),
            Role::Node => sockets.node.clone(),
        })
    }
}
