//! What plugins show of themselves, and what their volumes show of them.

use super::encode;
use super::volume::{nanoseconds, topology};
use crate::csi::{ControllerCapabilities, NodeInfo};
use crate::http::wire;
use crate::plugin::{Instance, Plugin, PluginHealth, Role};
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A plugin, and its part of the answers that show its volumes.
#[derive(Debug)]
pub struct Fragments {
    /// The plugin as reading shows it.
    pub plugin: Bytes,
    /// The plugin as lists show it.
    pub plugin_stub: Bytes,
    usable: [Bytes; 2],
    unusable: [Bytes; 2],
}

impl Fragments {
    /// Encodes it.
    pub fn of(plugin: &Plugin) -> Self {
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
            plugin_stub: encode(&stub(plugin, &health)),
            usable: parts(true),
            unusable: parts(false),
        }
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
