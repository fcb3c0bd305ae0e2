//! The jobs that bring plugins, in Nomad's shape.

use super::blank::Blanks;
use super::{DraftJob, DraftPluginHealth};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// A job that brings a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Job<'a> {
    /// The plugin's health, as the first draft had it. Nomad does not say it.
    #[serde(rename = "CSIPlugin")]
    pub csi_plugin: Option<DraftPluginHealth<'a>>,
    /// The index of the change that made it.
    #[schema(format = "uint64")]
    pub create_index: u64,
    /// Where it may run.
    #[schema(required)]
    pub datacenters: Option<Vec<Cow<'a, str>>>,
    /// The job's id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// The index of the last change to what was asked for.
    #[schema(format = "uint64")]
    pub job_modify_index: u64,
    /// The index of the last change to it.
    #[schema(format = "uint64")]
    pub modify_index: u64,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its namespace.
    pub namespace: Cow<'a, str>,
    /// Empty.
    #[serde(rename = "ParentID")]
    pub parent_id: Cow<'a, str>,
    /// 50, Nomad's default.
    pub priority: i64,
    /// `global`.
    pub region: Cow<'a, str>,
    /// `pending`, `running` or `dead`.
    pub status: Cow<'a, str>,
    /// Its status in words.
    pub status_description: Cow<'a, str>,
    /// Whether it was stopped.
    pub stop: bool,
    /// When it was given; nanoseconds since 1970.
    pub submit_time: i64,
    /// Its task groups.
    #[schema(required)]
    pub task_groups: Option<Vec<TaskGroup<'a>>>,
    /// `service`, `batch`, `system` or `sysbatch`.
    #[serde(rename = "Type")]
    pub kind: Cow<'a, str>,
    /// The version of the job.
    #[schema(format = "uint64")]
    pub version: u64,
    /// What only a scheduler knows.
    #[serde(flatten)]
    #[schema(ignore)]
    pub blanks: Blanks,
}

/// A job that brings a plugin, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct JobStub<'a> {
    /// What the first draft shows of it.
    #[serde(flatten)]
    pub draft: DraftJob<'a>,
    /// Where it may run.
    pub datacenters: [&'static str; 1],
    /// Its namespace.
    pub namespace: Cow<'a, str>,
    /// When it was given; nanoseconds since 1970.
    pub submit_time: i64,
    /// What only a scheduler knows.
    #[serde(flatten)]
    pub blanks: Blanks,
}

/// Tasks that run together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TaskGroup<'a> {
    /// How many of it should run.
    pub count: i64,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its tasks.
    #[schema(required)]
    pub tasks: Option<Vec<Task<'a>>>,
    /// What only a scheduler knows.
    #[serde(flatten)]
    #[schema(ignore)]
    pub blanks: Blanks,
}

/// One program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Task<'a> {
    /// Which plugin it is.
    #[serde(rename = "CSIPluginConfig")]
    #[schema(required)]
    pub csi_plugin_config: Option<PluginConfig<'a>>,
    /// How it is run.
    pub driver: Cow<'a, str>,
    /// Its name.
    pub name: Cow<'a, str>,
    /// What only a scheduler knows.
    #[serde(flatten)]
    #[schema(ignore)]
    pub blanks: Blanks,
}

/// How a task is a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PluginConfig<'a> {
    /// How long it may take to become healthy; nanoseconds.
    pub health_timeout: i64,
    /// The plugin's id.
    #[serde(rename = "ID")]
    pub id: Cow<'a, str>,
    /// Where its socket is, as it sees it.
    pub mount_dir: Cow<'a, str>,
    /// Where it stages and publishes volumes, as it sees it.
    pub stage_publish_base_dir: Cow<'a, str>,
    /// `controller`, `node` or `monolith`.
    #[serde(rename = "Type")]
    pub kind: Cow<'a, str>,
}
