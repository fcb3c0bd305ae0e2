//! Plugins, as the first published draft of the API had them.

use jiff::Timestamp;
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::ToSchema;

/// A plugin's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftPluginHealth<'a> {
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
}

/// A plugin with its jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftPluginStub<'a> {
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
    /// The ids of the jobs that bring it, by namespace.
    #[serde(rename = "JobIDs")]
    pub job_ids: BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Nodes it should run on.
    pub nodes_expected: i64,
    /// Nodes on which it is healthy.
    pub nodes_healthy: i64,
}

/// A plugin with its jobs and instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftPlugin<'a> {
    /// Its controllers, by the id of the node they run on.
    pub controllers: BTreeMap<Cow<'a, str>, DraftController<'a>>,
    /// Controllers that are healthy.
    pub controllers_healthy: i64,
    /// Whether the driver has a controller service.
    pub controllers_required: bool,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// The plugin's id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// The jobs that bring it.
    pub jobs: Vec<DraftJob<'a>>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// `default`; plugins belong to no namespace.
    pub namespace: Cow<'a, str>,
    /// Its nodes, by their ids.
    pub nodes: BTreeMap<Cow<'a, str>, DraftNode<'a>>,
    /// Nodes on which it is healthy.
    pub nodes_healthy: i64,
    /// Every place that one of its nodes reported.
    pub topologies: Vec<DraftTopology<'a>>,
}

/// A place, by the topology keys of the driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(value_type = BTreeMap<String, String>)]
pub struct DraftTopology<'a>(pub Cow<'a, BTreeMap<String, String>>);

/// A job that brings a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftJob<'a> {
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// The job's id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// The index of the last change to what was asked for.
    #[schema(format = "uint64")]
    pub job_modify_index: u64,
    /// How many allocations are in which state.
    pub job_summary: DraftJobSummary<'a>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Empty.
    #[serde(rename = "ParentID")]
    pub parent_id: Cow<'a, str>,
    /// 50, Nomad's default.
    pub priority: i64,
    /// `pending`, `running` or `dead`.
    pub status: Cow<'a, str>,
    /// Its status in words.
    pub status_description: Cow<'a, str>,
    /// `service` or `system`.
    #[serde(rename = "Type")]
    pub kind: Cow<'a, str>,
}

/// How many allocations of a job are in which state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftJobSummary<'a> {
    /// Child jobs by state.
    pub children: DraftChildren,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// The job's id.
    #[serde(rename = "JobID")]
    pub job_id: Cow<'a, str>,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// By the names of its task groups.
    pub summary: BTreeMap<Cow<'a, str>, DraftTaskGroupSummary>,
}

/// Child jobs by state. A plugin job has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftChildren {
    /// Ended.
    pub dead: i64,
    /// Not yet running.
    pub pending: i64,
    /// Running.
    pub running: i64,
}

/// Allocations of a task group by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftTaskGroupSummary {
    /// Ended well.
    pub complete: i64,
    /// Ended badly.
    pub failed: i64,
    /// On nodes that are gone.
    pub lost: i64,
    /// Waiting for a place.
    pub queued: i64,
    /// Running.
    pub running: i64,
    /// Being started.
    pub starting: i64,
}

/// A controller of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftController<'a> {
    /// What it can do.
    pub controller_info: DraftControllerInfo,
    /// Its health in words.
    pub health_description: Cow<'a, str>,
    /// Whether it is healthy.
    pub healthy: bool,
    /// The plugin's id.
    #[serde(rename = "PluginID")]
    pub plugin_id: Cow<'a, str>,
    /// Whether the driver has a controller service.
    pub requires_controller_plugin: bool,
    /// Whether volumes are reachable from some nodes only.
    pub requires_topologies: bool,
    /// When its health last changed.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub update_time: Option<Timestamp>,
}

/// What a controller can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftControllerInfo {
    /// PUBLISH_UNPUBLISH_VOLUME.
    pub supports_attach_detach: bool,
    /// LIST_VOLUMES.
    pub supports_list_volumes: bool,
    /// LIST_VOLUMES_PUBLISHED_NODES.
    pub supports_list_volumes_attached_nodes: bool,
    /// PUBLISH_READONLY.
    pub supports_read_only_attach: bool,
}

/// A plugin on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftNode<'a> {
    /// Its health in words.
    pub health_description: Cow<'a, str>,
    /// Whether it is healthy.
    pub healthy: bool,
    /// What it can do there.
    pub node_info: DraftNodeInfo<'a>,
    /// The plugin's id.
    #[serde(rename = "PluginID")]
    pub plugin_id: Cow<'a, str>,
    /// Whether the driver has a controller service.
    pub requires_controller_plugin: bool,
    /// Whether volumes are reachable from some nodes only.
    pub requires_topologies: bool,
    /// When its health last changed.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub update_time: Option<Timestamp>,
}

/// What a plugin can do on a node, and the driver's name for that node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DraftNodeInfo<'a> {
    /// Where the node is, as the driver sees it.
    pub accessible_topology: DraftTopology<'a>,
    /// The driver's id for the node.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// Volumes that may be attached at once; [`i64::MAX`] if there is no limit.
    pub max_volumes: i64,
    /// STAGE_UNSTAGE_VOLUME.
    pub requires_node_stage_volume: bool,
}
