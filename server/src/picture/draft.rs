//! Plugins as the first published draft of the API shows them.

use crate::csi::Topology;
use crate::http::wire::{
    DraftChildren, DraftController, DraftControllerInfo, DraftJob, DraftJobSummary, DraftNode,
    DraftNodeInfo, DraftPlugin, DraftTaskGroupSummary, DraftTopology,
};
use crate::plugin::{Instance, Plugin, PluginJob, Role};
use crate::state::Stored;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A plugin with its jobs and instances.
pub fn draft(plugin: &Plugin) -> DraftPlugin<'_> {
    let health = plugin.health();
    DraftPlugin {
        controllers: plugin
            .of_role(Role::Controller)
            .map(|instance| (instance.node.as_str().into(), controller(instance)))
            .collect(),
        controllers_healthy: health.controllers_healthy as i64,
        controllers_required: health.controller_required,
        create_index: plugin.created.0,
        id: plugin.id.as_str().into(),
        jobs: plugin
            .jobs
            .iter()
            .map(|stored| job(plugin, stored))
            .collect(),
        modify_index: plugin.modified.0,
        namespace: "default".into(),
        nodes: plugin
            .of_role(Role::Node)
            .map(|instance| (instance.node.as_str().into(), node(instance)))
            .collect(),
        nodes_healthy: health.nodes_healthy as i64,
        topologies: plugin
            .topologies()
            .into_iter()
            .map(|place| DraftTopology(Cow::Owned(place.segments)))
            .collect(),
    }
}

/// Whether every service that a job brings is healthy.
pub fn is_running(plugin: &Plugin, job: &PluginJob) -> bool {
    let healthy = |role: &Role| {
        plugin
            .of_role(*role)
            .any(|instance| instance.job == job.id && instance.healthy)
    };
    job.kind.roles().iter().all(healthy)
}

/// A job of a plugin.
pub fn job<'a>(plugin: &Plugin, stored: &'a Stored<PluginJob>) -> DraftJob<'a> {
    let row = &stored.row;
    let running = is_running(plugin, row);
    let tasks = DraftTaskGroupSummary {
        running: i64::from(running),
        starting: i64::from(!running),
        ..DraftTaskGroupSummary::default()
    };
    DraftJob {
        create_index: stored.created.0,
        id: row.id.as_str().into(),
        job_modify_index: stored.modified.0,
        job_summary: DraftJobSummary {
            children: DraftChildren::default(),
            create_index: stored.created.0,
            job_id: row.id.as_str().into(),
            modify_index: stored.modified.0,
            summary: BTreeMap::from([("plugin".into(), tasks)]),
        },
        modify_index: stored.modified.0,
        name: row.id.as_str().into(),
        parent_id: "".into(),
        priority: 50,
        status: if running { "running" } else { "pending" }.into(),
        status_description: "".into(),
        kind: "system".into(),
    }
}

fn controller(instance: &Instance) -> DraftController<'_> {
    let known = instance.fingerprint.as_ref();
    let can = known.and_then(|known| known.controller).unwrap_or_default();
    DraftController {
        controller_info: DraftControllerInfo {
            supports_attach_detach: can.supports_attach_detach,
            supports_list_volumes: can.supports_list_volumes,
            supports_list_volumes_attached_nodes: can.supports_list_volumes_attached_nodes,
            supports_read_only_attach: can.supports_read_only_attach,
        },
        health_description: instance.description.as_str().into(),
        healthy: instance.healthy,
        plugin_id: instance.plugin.as_str().into(),
        requires_controller_plugin: known.is_some_and(|known| known.requires_controller),
        requires_topologies: known.is_some_and(|known| known.requires_topologies),
        update_time: Some(instance.updated_at),
    }
}

fn node(instance: &Instance) -> DraftNode<'_> {
    let known = instance.fingerprint.as_ref();
    let info = known.and_then(|known| known.node.as_ref());
    let place = info.and_then(|info| info.accessible_topology.as_ref());
    DraftNode {
        health_description: instance.description.as_str().into(),
        healthy: instance.healthy,
        node_info: DraftNodeInfo {
            accessible_topology: topology(place),
            id: info.map_or("", |info| info.id.as_str()).into(),
            max_volumes: info.map_or(0, |info| info.max_volumes),
            requires_node_stage_volume: info
                .is_some_and(|info| info.capabilities.requires_node_stage_volume),
        },
        plugin_id: instance.plugin.as_str().into(),
        requires_controller_plugin: known.is_some_and(|known| known.requires_controller),
        requires_topologies: known.is_some_and(|known| known.requires_topologies),
        update_time: Some(instance.updated_at),
    }
}

fn topology(place: Option<&Topology>) -> DraftTopology<'_> {
    DraftTopology(match place {
        Some(place) => Cow::Borrowed(&place.segments),
        None => Cow::Owned(BTreeMap::new()),
    })
}
