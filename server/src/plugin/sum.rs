//! What the jobs and instances of one plugin add up to.

use super::{Instance, PluginJob, Role};
use crate::csi::{ControllerCapabilities, NodeInfo, Topology};
use crate::id::{Namespace, NodeId, PluginId};
use crate::state::Stored;
use crate::store::Index;
use std::sync::Arc;

/// A plugin at an index.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Its id.
    pub id: PluginId,
    /// Its jobs, by namespace and id.
    pub jobs: Vec<Arc<Stored<PluginJob>>>,
    /// Its instances, by role, node and job.
    pub instances: Vec<Arc<Stored<Instance>>>,
    /// The commit that brought its first row.
    pub created: Index,
    /// The newest commit to any of its rows, removals included.
    pub modified: Index,
}

/// What a volume shows of its plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginHealth {
    /// The driver's name; empty until an instance said it.
    pub provider: String,
    /// The driver's version, likewise.
    pub version: String,
    /// Whether a controller says that volumes need one.
    pub controller_required: bool,
    /// How many controller instances the jobs bring.
    pub controllers_expected: usize,
    /// How many of them are healthy.
    pub controllers_healthy: usize,
    /// How many node instances the jobs bring.
    pub nodes_expected: usize,
    /// How many of them are healthy.
    pub nodes_healthy: usize,
}

impl PluginHealth {
    /// Whether a volume of the plugin can be used now (Nomad's rule).
    pub fn schedulable(&self) -> bool {
        self.nodes_healthy > 0 && (!self.controller_required || self.controllers_healthy > 0)
    }

    /// Whether every instance that the jobs bring is healthy.
    pub fn all_healthy(&self) -> bool {
        self.controllers_healthy >= self.controllers_expected
            && self.nodes_healthy >= self.nodes_expected
    }
}

impl Plugin {
    /// A plugin without jobs and instances.
    pub fn empty(id: PluginId, at: Index) -> Self {
        Self {
            id,
            jobs: Vec::new(),
            instances: Vec::new(),
            created: at,
            modified: at,
        }
    }

    /// Whether nothing speaks for it any more.
    pub fn is_gone(&self) -> bool {
        self.jobs.is_empty() && self.instances.is_empty()
    }

    /// Its instances that do this.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Instance> {
        self.instances
            .iter()
            .map(|stored| &stored.row)
            .filter(move |instance| instance.role == role)
    }

    /// Its health in numbers. Name and version are those of a healthy instance, if there is one.
    pub fn health(&self) -> PluginHealth {
        let known = self
            .instances
            .iter()
            .map(|stored| &stored.row)
            .filter(|instance| instance.fingerprint.is_some())
            .max_by_key(|instance| (instance.healthy, instance.updated_at))
            .and_then(|instance| instance.fingerprint.as_ref());
        let expected = |role| {
            let brings = |job: &&Arc<Stored<PluginJob>>| job.row.kind.roles().contains(&role);
            self.jobs.iter().filter(brings).count()
        };
        let healthy = |role| {
            self.of_role(role)
                .filter(|instance| instance.healthy)
                .count()
        };
        PluginHealth {
            provider: known.map(|f| f.provider.clone()).unwrap_or_default(),
            version: known.map(|f| f.version.clone()).unwrap_or_default(),
            controller_required: self
                .of_role(Role::Controller)
                .filter_map(|instance| instance.fingerprint.as_ref())
                .any(|fingerprint| fingerprint.requires_controller),
            controllers_expected: expected(Role::Controller),
            controllers_healthy: healthy(Role::Controller),
            nodes_expected: expected(Role::Node),
            nodes_healthy: healthy(Role::Node),
        }
    }

    /// What its controllers can do: what a healthy one says, else what one said last.
    pub fn controller_info(&self) -> Option<&ControllerCapabilities> {
        self.of_role(Role::Controller)
            .filter(|instance| instance.fingerprint.is_some())
            .max_by_key(|instance| instance.healthy)
            .and_then(|instance| instance.fingerprint.as_ref()?.controller.as_ref())
    }

    /// Whether no controller is healthy although its volumes need one. As long as none of the
    /// controllers that its jobs bring has said what it is, they may.
    pub fn lacks_controller(&self) -> bool {
        let health = self.health();
        let needed = health.controller_required || self.is_unknown();
        needed && health.controllers_healthy == 0
    }

    /// Whether jobs bring controllers, but none has said yet what it can do.
    pub fn is_unknown(&self) -> bool {
        self.health().controllers_expected > 0 && self.controller_info().is_none()
    }

    /// Whether a driver of this name is among its instances.
    pub fn is_provided_by(&self, provider: &str) -> bool {
        self.instances
            .iter()
            .filter_map(|instance| instance.row.fingerprint.as_ref())
            .any(|fingerprint| fingerprint.provider == provider)
    }

    /// Whether its volumes can be reached from some places only.
    pub fn requires_topologies(&self) -> bool {
        self.instances
            .iter()
            .filter_map(|instance| instance.row.fingerprint.as_ref())
            .any(|fingerprint| fingerprint.requires_topologies)
    }

    /// Where its nodes are, each place once.
    pub fn topologies(&self) -> Vec<Topology> {
        let mut places: Vec<Topology> = self
            .of_role(Role::Node)
            .filter_map(|instance| instance.fingerprint.as_ref()?.node.as_ref())
            .filter_map(|node| node.accessible_topology.clone())
            .collect();
        places.sort();
        places.dedup();
        places
    }

    /// Its jobs in a namespace (`None`: in all).
    pub fn jobs_in(&self, namespace: Option<&Namespace>) -> impl Iterator<Item = &PluginJob> {
        self.jobs
            .iter()
            .map(|stored| &stored.row)
            .filter(move |job| namespace.is_none_or(|wanted| &job.namespace == wanted))
    }

    /// The instance beside this node that is asked about volumes there: a healthy one, if there is
    /// one.
    pub fn node_instance(&self, node: &NodeId) -> Option<&Instance> {
        self.of_role(Role::Node)
            .filter(|instance| &instance.node == node)
            .max_by_key(|instance| instance.healthy)
    }

    /// What the driver says of this node and of its service there.
    pub fn node_info(&self, node: &NodeId) -> Option<&NodeInfo> {
        self.node_instance(node)?
            .fingerprint
            .as_ref()?
            .node
            .as_ref()
    }

    /// Whether an instance of it runs beside this node.
    pub fn is_on(&self, node: &NodeId) -> bool {
        self.of_role(Role::Node)
            .any(|instance| &instance.node == node)
    }
}
