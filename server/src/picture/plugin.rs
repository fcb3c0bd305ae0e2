//! What plugins show of themselves, and what their volumes show of them.

use super::volume::{nanoseconds, topology};
use super::{array, encode, is_running};
use crate::csi::{ControllerCapabilities, NodeInfo};
use crate::http::wire;
use crate::id::{Namespace, NodeId};
use crate::plugin::{Instance, Plugin, PluginHealth, PluginJob, Role};
use crate::state::Stored;
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A plugin, and its part of the answers that show its volumes.
#[derive(Debug)]
pub struct Fragments {
    plugin: Bytes,
    /// What runs for each of its jobs, by namespace.
    allocations: Vec<(Namespace, Bytes)>,
    /// The plugin as lists show it.
    pub plugin_stub: Bytes,
    usable: [Bytes; 2],
    unusable: [Bytes; 2],
}

/// How an encoded plugin begins.
const NO_ALLOCATIONS: &[u8] = br#"{"Allocations":null"#;

impl Fragments {
    /// Encodes it. `name_of`: the host name of a node.
    pub fn of<'a>(plugin: &'a Plugin, name_of: impl Fn(&NodeId) -> &'a str) -> Self {
        let health = plugin.health();
        let parts = |may: bool| {
            let schedulable = may && health.schedulable();
            [
                encode(&read_part(&health, schedulable)),
                encode(&stub_part(&health, schedulable)),
            ]
        };
        Self {
            plugin: encode(&read(plugin, &health)),
            allocations: allocations(plugin, name_of),
            plugin_stub: encode(&stub(plugin, &health)),
            usable: parts(true),
            unusable: parts(false),
        }
    }

    /// The plugin as reading shows it, without its allocations.
    pub fn plugin_alone(&self) -> &[u8] {
        &self.plugin
    }

    /// The plugin as reading shows it, with its allocations of these namespaces.
    pub fn plugin(&self, shows: impl Fn(&Namespace) -> bool) -> Bytes {
        let of_namespace = |(of, _): &&(Namespace, Bytes)| shows(of);
        let shown: Vec<Bytes> = self
            .allocations
            .iter()
            .filter(of_namespace)
            .map(|(_, allocation)| allocation.clone())
            .collect();
        let list = match shown.is_empty() {
            true => b"null".to_vec(),
            false => array(shown),
        };
        let rest = self.plugin.strip_prefix(NO_ALLOCATIONS);
        let rest = rest.unwrap_or(&self.plugin);
        [&br#"{"Allocations":"#[..], &list, rest].concat().into()
    }

    /// What reading a volume shows of it. `may`: nothing of the volume itself forbids its use.
    pub(super) fn read(&self, may: bool) -> &[u8] {
        if may {
            &self.usable[0]
        } else {
            &self.unusable[0]
        }
    }

    /// What a list of volumes shows of it, likewise.
    pub(super) fn stub(&self, may: bool) -> &[u8] {
        if may {
            &self.usable[1]
        } else {
            &self.unusable[1]
        }
    }
}

pub(super) fn stub_part(health: &PluginHealth, schedulable: bool) -> wire::PluginHealth<'_> {
    wire::PluginHealth {
        controller_required: health.controller_required,
        controllers_expected: health.controllers_expected as i64,
        controllers_healthy: health.controllers_healthy as i64,
        nodes_expected: health.nodes_expected as i64,
        nodes_healthy: health.nodes_healthy as i64,
        provider: health.provider.as_str().into(),
        schedulable,
    }
}

pub(super) fn read_part(health: &PluginHealth, schedulable: bool) -> wire::VolumePlugin<'_> {
    wire::VolumePlugin {
        health: stub_part(health, schedulable),
        provider_version: health.version.as_str().into(),
    }
}

fn stub<'a>(plugin: &'a Plugin, health: &'a PluginHealth) -> wire::PluginStub<'a> {
    wire::PluginStub {
        controller_required: health.controller_required,
        controllers_expected: health.controllers_expected as i64,
        controllers_healthy: health.controllers_healthy as i64,
        create_index: plugin.created.0,
        id: plugin.id.as_str().into(),
        modify_index: plugin.modified.0,
        nodes_expected: health.nodes_expected as i64,
        nodes_healthy: health.nodes_healthy as i64,
        provider: health.provider.as_str().into(),
    }
}

/// What runs for each job of a plugin, the newest first.
fn allocations<'a>(
    plugin: &'a Plugin,
    name_of: impl Fn(&NodeId) -> &'a str,
) -> Vec<(Namespace, Bytes)> {
    let mut shown: Vec<_> = plugin
        .jobs
        .iter()
        .map(|job| {
            let allocation = job_allocation(plugin, job, name_of(&job.row.node));
            let encoded = encode(&allocation);
            (allocation.modify_index, job.row.namespace.clone(), encoded)
        })
        .collect();
    shown.sort_by(|(one, ..), (other, ..)| other.cmp(one));
    let without_index = |(_, namespace, encoded)| (namespace, encoded);
    shown.into_iter().map(without_index).collect()
}

/// What runs for a job of a plugin, in the shape of Nomad's allocations.
pub fn job_allocation<'a>(
    plugin: &Plugin,
    stored: &'a Stored<PluginJob>,
    node_name: &'a str,
) -> wire::AllocationStub<'a> {
    let job = &stored.row;
    let instances = || {
        let all = plugin.instances.iter();
        all.filter(|instance| instance.row.job == job.id)
    };
    let changed = instances().map(|instance| instance.modified).max();
    let since = instances().map(|instance| instance.row.updated_at).max();
    let (status, description) = match is_running(plugin, job) {
        true => ("running", "the driver is healthy"),
        false => ("pending", "the driver is awaited"),
    };
    wire::AllocationStub {
        client_description: description.into(),
        client_status: status.into(),
        create_index: stored.created.0,
        create_time: nanoseconds(job.submitted_at),
        desired_status: "run".into(),
        id: job.allocation().to_string().into(),
        job_id: job.id.as_str().into(),
        job_type: "system".into(),
        modify_index: changed.unwrap_or_default().max(stored.modified).0,
        modify_time: nanoseconds(since.unwrap_or_default().max(job.submitted_at)),
        name: format!("{}.plugin[0]", job.id).into(),
        namespace: job.namespace.as_str().into(),
        node_id: job.node.as_str().into(),
        node_name: node_name.into(),
        task_group: "plugin".into(),
        ..wire::AllocationStub::unscheduled()
    }
}

type JobsByNamespace<'a> = BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, wire::JobDescription<'a>>>;

fn read<'a>(plugin: &'a Plugin, health: &'a PluginHealth) -> wire::Plugin<'a> {
    let jobs = |role: Role| {
        let mut jobs: JobsByNamespace<'a> = BTreeMap::new();
        for job in plugin
            .jobs_in(None)
            .filter(|job| job.kind.roles().contains(&role))
        {
            let described = wire::JobDescription {
                expected: 1,
                id: job.id.as_str().into(),
                namespace: job.namespace.as_str().into(),
            };
            let namespace = jobs.entry(job.namespace.as_str().into()).or_default();
            namespace.insert(job.id.as_str().into(), described);
        }
        jobs
    };
    let instances = |role: Role| {
        // Of several beside one node a healthy one is shown: it is put last.
        let mut of_role: Vec<&Instance> = plugin.of_role(role).collect();
        of_role.sort_by_key(|instance| instance.healthy);
        of_role
            .into_iter()
            .map(|found| (Cow::Borrowed(found.node.as_str()), instance(found)))
            .collect()
    };
    let times = plugin.jobs_in(None).map(|job| job.submitted_at).min();
    let changed = plugin
        .instances
        .iter()
        .map(|stored| stored.row.updated_at)
        .max();
    wire::Plugin {
        allocations: None,
        controller_jobs: jobs(Role::Controller),
        controller_required: health.controller_required,
        controllers: instances(Role::Controller),
        controllers_expected: health.controllers_expected as i64,
        controllers_healthy: health.controllers_healthy as i64,
        create_index: plugin.created.0,
        create_time: times.map(nanoseconds).unwrap_or_default(),
        id: plugin.id.as_str().into(),
        modify_index: plugin.modified.0,
        modify_time: changed.or(times).map(nanoseconds).unwrap_or_default(),
        node_jobs: jobs(Role::Node),
        nodes: instances(Role::Node),
        nodes_expected: health.nodes_expected as i64,
        nodes_healthy: health.nodes_healthy as i64,
        provider: health.provider.as_str().into(),
        topologies: plugin
            .topologies()
            .into_iter()
            .map(|place| wire::Topology {
                segments: Some(Cow::Owned(place.segments)),
            })
            .collect(),
        version: health.version.as_str().into(),
    }
}

/// An instance as reading its plugin shows it. Nomad's command line counts on the info of its role.
pub(super) fn instance(instance: &Instance) -> wire::PluginInstance<'_> {
    let known = instance.fingerprint.as_ref();
    let said = |text: fn(&crate::csi::Fingerprint) -> &str| known.map(text).unwrap_or_default();
    wire::PluginInstance {
        alloc_id: instance.allocation.as_str().into(),
        controller_info: (instance.role == Role::Controller)
            .then(|| controller_info(known.and_then(|known| known.controller))),
        health_description: instance.description.as_str().into(),
        healthy: instance.healthy,
        node_info: (instance.role == Role::Node)
            .then(|| node_info(known.and_then(|known| known.node.as_ref()))),
        plugin_id: instance.plugin.as_str().into(),
        provider: said(|known| &known.provider).into(),
        provider_version: said(|known| &known.version).into(),
        requires_controller_plugin: known.is_some_and(|known| known.requires_controller),
        requires_topologies: known.is_some_and(|known| known.requires_topologies),
        update_time: Some(instance.updated_at),
    }
}

fn controller_info(known: Option<ControllerCapabilities>) -> wire::ControllerInfo {
    let known = known.unwrap_or_default();
    wire::ControllerInfo {
        supports_attach_detach: known.supports_attach_detach,
        supports_clone: known.supports_clone,
        supports_condition: known.supports_condition,
        supports_create_delete: known.supports_create_delete,
        supports_create_delete_snapshot: known.supports_create_delete_snapshot,
        supports_expand: known.supports_expand,
        supports_get: known.supports_get,
        supports_get_capacity: known.supports_get_capacity,
        supports_list_snapshots: known.supports_list_snapshots,
        supports_list_volumes: known.supports_list_volumes,
        supports_list_volumes_attached_nodes: known.supports_list_volumes_attached_nodes,
        supports_read_only_attach: known.supports_read_only_attach,
    }
}

fn node_info(known: Option<&NodeInfo>) -> wire::NodeInfo<'_> {
    let can = known.map(|known| known.capabilities).unwrap_or_default();
    wire::NodeInfo {
        accessible_topology: known
            .and_then(|known| known.accessible_topology.as_ref())
            .map(topology),
        id: known
            .map(|known| known.id.as_str())
            .unwrap_or_default()
            .into(),
        max_volumes: known.map(|known| known.max_volumes).unwrap_or_default(),
        requires_node_stage_volume: can.requires_node_stage_volume,
        supports_condition: can.supports_condition,
        supports_expand: can.supports_expand,
        supports_stats: can.supports_stats,
    }
}
