//! Plugins and their instances.

use super::{AllocationStub, Topology};
use jiff::Timestamp;
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::ToSchema;

/// A plugin, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PluginStub<'a> {
    /// Whether the driver has a controller service.
    pub controller_required: bool,
    /// Controllers there should be.
    pub controllers_expected: i64,
    /// Controllers that are healthy.
    pub controllers_healthy: i64,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// The plugin's id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Nodes it should run on.
    pub nodes_expected: i64,
    /// Nodes on which it is healthy.
    pub nodes_healthy: i64,
    /// The driver's name for itself; empty until it answered once.
    pub provider: Cow<'a, str>,
}

/// A plugin with its instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Plugin<'a> {
    /// The allocations that run it; `None` if none, never empty.
    #[schema(required)]
    pub allocations: Option<Vec<AllocationStub<'a>>>,
    /// The jobs that bring its controllers, by namespace and job id.
    pub controller_jobs: BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, JobDescription<'a>>>,
    /// Whether the driver has a controller service.
    pub controller_required: bool,
    /// Its controllers, by the id of the node they run on.
    pub controllers: BTreeMap<Cow<'a, str>, PluginInstance<'a>>,
    /// Controllers there should be.
    pub controllers_expected: i64,
    /// Controllers that are healthy.
    pub controllers_healthy: i64,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// When it was first seen; nanoseconds since 1970.
    pub create_time: i64,
    /// The plugin's id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// When it last changed; nanoseconds since 1970.
    pub modify_time: i64,
    /// The jobs that bring its nodes, by namespace and job id.
    pub node_jobs: BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, JobDescription<'a>>>,
    /// Its nodes, by their ids.
    pub nodes: BTreeMap<Cow<'a, str>, PluginInstance<'a>>,
    /// Nodes it should run on.
    pub nodes_expected: i64,
    /// Nodes on which it is healthy.
    pub nodes_healthy: i64,
    /// The driver's name for itself; empty until it answered once.
    pub provider: Cow<'a, str>,
    /// Every place that one of its nodes reported. Nomad does not say it.
    #[schema(required = false)]
    pub topologies: Vec<Topology<'a>>,
    /// The driver's version.
    pub version: Cow<'a, str>,
}

/// A job that brings a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobDescription<'a> {
    /// Instances it should run.
    pub expected: i64,
    /// The job's id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// The job's namespace.
    pub namespace: Cow<'a, str>,
}

/// One instance of a plugin: with `controller_info` as a controller, with `node_info` on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PluginInstance<'a> {
    /// The allocation that runs it.
    #[serde(rename = "AllocID")]
    pub alloc_id: Cow<'a, str>,
    /// What it can do as a controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub controller_info: Option<ControllerInfo>,
    /// Its health in words.
    pub health_description: Cow<'a, str>,
    /// Whether it is healthy.
    pub healthy: bool,
    /// What it can do on its node.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub node_info: Option<NodeInfo<'a>>,
    /// The plugin's id.
    #[serde(rename = "PluginID")]
    pub plugin_id: Cow<'a, str>,
    /// The driver's name for itself.
    pub provider: Cow<'a, str>,
    /// The driver's version.
    pub provider_version: Cow<'a, str>,
    /// Whether the driver has a controller service.
    pub requires_controller_plugin: bool,
    /// Whether volumes are reachable from some nodes only.
    pub requires_topologies: bool,
    /// When its health last changed.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub update_time: Option<Timestamp>,
}

/// What a controller can do. Each flag is a capability of CSI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ControllerInfo {
    /// PUBLISH_UNPUBLISH_VOLUME.
    pub supports_attach_detach: bool,
    /// CLONE_VOLUME.
    pub supports_clone: bool,
    /// VOLUME_CONDITION.
    pub supports_condition: bool,
    /// CREATE_DELETE_VOLUME.
    pub supports_create_delete: bool,
    /// CREATE_DELETE_SNAPSHOT.
    pub supports_create_delete_snapshot: bool,
    /// EXPAND_VOLUME.
    pub supports_expand: bool,
    /// GET_VOLUME.
    pub supports_get: bool,
    /// GET_CAPACITY.
    pub supports_get_capacity: bool,
    /// LIST_SNAPSHOTS.
    pub supports_list_snapshots: bool,
    /// LIST_VOLUMES.
    pub supports_list_volumes: bool,
    /// LIST_VOLUMES_PUBLISHED_NODES.
    pub supports_list_volumes_attached_nodes: bool,
    /// PUBLISH_READONLY.
    pub supports_read_only_attach: bool,
}

/// What a plugin can do on a node, and the driver's name for that node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct NodeInfo<'a> {
    /// Where the node is, as the driver sees it.
    #[schema(required)]
    pub accessible_topology: Option<Topology<'a>>,
    /// The driver's id for the node.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// Volumes that may be attached at once; [`i64::MAX`] if there is no limit.
    pub max_volumes: i64,
    /// STAGE_UNSTAGE_VOLUME.
    pub requires_node_stage_volume: bool,
    /// VOLUME_CONDITION.
    pub supports_condition: bool,
    /// EXPAND_VOLUME.
    pub supports_expand: bool,
    /// GET_VOLUME_STATS.
    pub supports_stats: bool,
}
