//! Plugin jobs and instances as they are stored.

use crate::config::BaseDir;
use crate::csi::{Fingerprint, Role};
use crate::id::{AllocationId, JobId, Namespace, NodeId, PluginId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which services a plugin job brings (Nomad's words).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum PluginType {
    /// The controller service.
    Controller,
    /// The node service.
    Node,
    /// Both.
    #[default]
    Monolith,
}

impl PluginType {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            PluginType::Controller => "controller",
            PluginType::Node => "node",
            PluginType::Monolith => "monolith",
        }
    }

    /// The roles that it brings.
    pub fn roles(self) -> &'static [Role] {
        match self {
            PluginType::Controller => &[Role::Controller],
            PluginType::Node => &[Role::Node],
            PluginType::Monolith => &[Role::Controller, Role::Node],
        }
    }
}

/// A plugin job: a driver, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PluginJob {
    /// Its id.
    pub id: JobId,
    /// Its namespace.
    pub namespace: Namespace,
    /// The plugin that it brings.
    pub plugin: PluginId,
    /// The services that it brings.
    #[serde(rename = "type")]
    pub kind: PluginType,
    /// Where its socket is, as a `unix://` address.
    pub endpoint: String,
    /// The program that we start and its arguments; empty when the socket is somebody else's.
    pub command: Vec<String>,
    /// The node beside which it runs.
    pub node: NodeId,
    /// What its driver sees of the host, if not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_dir: Option<BaseDir>,
    /// When it was first given like this.
    pub submitted_at: Timestamp,
}

impl PluginJob {
    /// The id under which this job's one process is shown where Nomad shows allocations.
    pub fn allocation(&self) -> AllocationId {
        let name = format!("{}/{}/{}", self.namespace, self.id, self.node);
        AllocationId::known(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string())
    }
}

/// What one socket of a driver said last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Instance {
    /// The plugin.
    pub plugin: PluginId,
    /// The service asked.
    pub role: Role,
    /// The node beside which it runs.
    pub node: NodeId,
    /// The job that brings it.
    pub job: JobId,
    /// That job's allocation.
    pub allocation: AllocationId,
    /// Whether it can be used now.
    pub healthy: bool,
    /// Why, or why not.
    pub description: String,
    /// What it said of itself; `None` until it said it once.
    pub fingerprint: Option<Fingerprint>,
    /// When this was last changed.
    pub updated_at: Timestamp,
}
