//! What a plugin can do, in the words that Nomad's command line has for it.

use saddlebag_client::types::{ControllerInfo, NodeInfo, PluginInstance};

/// What its controllers can do: what all that are there can.
pub(super) fn of_controllers<'a>(
    instances: impl Iterator<Item = &'a PluginInstance>,
) -> Vec<&'static str> {
    shared(
        instances
            .filter_map(|it| it.controller_info.as_ref())
            .map(controller),
    )
}

/// What it can do on its nodes: what it can on all.
pub(super) fn of_nodes<'a>(
    instances: impl Iterator<Item = &'a PluginInstance>,
) -> Vec<&'static str> {
    let told = instances.filter_map(|instance| {
        let node = instance.node_info.as_ref()?;
        Some(node_capabilities(node, instance.requires_topologies))
    });
    shared(told)
}

fn shared(sets: impl Iterator<Item = Vec<&'static str>>) -> Vec<&'static str> {
    let both = |all: Vec<&'static str>, one: Vec<&'static str>| {
        all.into_iter().filter(|it| one.contains(it)).collect()
    };
    sets.reduce(both).unwrap_or_default()
}

fn controller(info: &ControllerInfo) -> Vec<&'static str> {
    // Every flag is named, so that a new one is not forgotten.
    let ControllerInfo {
        supports_attach_detach,
        supports_clone,
        supports_condition,
        supports_create_delete,
        supports_create_delete_snapshot,
        supports_expand,
        supports_get,
        supports_get_capacity,
        supports_list_snapshots,
        supports_list_volumes,
        supports_list_volumes_attached_nodes,
        supports_read_only_attach,
    } = *info;
    chosen([
        (supports_read_only_attach, "ATTACH_READONLY"),
        (supports_clone, "CLONE_VOLUME"),
        (supports_attach_detach, "CONTROLLER_ATTACH_DETACH"),
        (supports_create_delete_snapshot, "CREATE_DELETE_SNAPSHOT"),
        (supports_create_delete, "CREATE_DELETE_VOLUME"),
        (supports_expand, "EXPAND_VOLUME"),
        (supports_get_capacity, "GET_CAPACITY"),
        (supports_get, "GET_VOLUME"),
        (supports_list_snapshots, "LIST_SNAPSHOTS"),
        (supports_list_volumes, "LIST_VOLUMES"),
        (
            supports_list_volumes_attached_nodes,
            "LIST_VOLUMES_PUBLISHED_NODES",
        ),
        (supports_condition, "VOLUME_CONDITION"),
    ])
}

fn node_capabilities(info: &NodeInfo, requires_topologies: bool) -> Vec<&'static str> {
    chosen([
        (info.supports_expand, "EXPAND_VOLUME"),
        (info.supports_stats, "GET_VOLUME_STATS"),
        (info.requires_node_stage_volume, "STAGE_UNSTAGE_VOLUME"),
        (requires_topologies, "VOLUME_ACCESSIBILITY_CONSTRAINTS"),
        (info.supports_condition, "VOLUME_CONDITION"),
    ])
}

fn chosen<const N: usize>(flags: [(bool, &'static str); N]) -> Vec<&'static str> {
    let set = flags.into_iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, name)| name).collect()
}
