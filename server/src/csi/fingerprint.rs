//! Discovery: asking a driver, in CSI's own order, who it is and what it can do.

use super::{
    CallError, Connection, ControllerCapabilities, NodeCapabilities, NodeIdentity, Topology,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest name, version or node id that is taken, in bytes: the most that CSI gives any of them
/// (`NodeGetInfoResponse.node_id`).
const MOST_WORD_BYTES: usize = 256;
/// The largest topology of a node that is taken, in bytes: four times what CSI gives a map.
const MOST_TOPOLOGY_BYTES: usize = 16 * 1024;

/// Which of its services a driver is asked about. A monolith is asked as each.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The Controller service.
    Controller,
    /// The Node service.
    Node,
}

impl Role {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Node => "node",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a driver said about itself in one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// Its name; never empty.
    pub provider: String,
    /// Its own version.
    pub version: String,
    /// It has a Controller service, which its volumes need.
    pub requires_controller: bool,
    /// Its volumes cannot be reached from everywhere.
    pub requires_topologies: bool,
    /// Its snapshots cannot be used everywhere.
    #[serde(default)]
    pub snapshot_topologies: bool,
    /// Volumes can grow while they are published.
    #[serde(default)]
    pub online_expansion: bool,
    /// Volumes can grow while they are not published.
    #[serde(default)]
    pub offline_expansion: bool,
    /// Of [`Role::Controller`].
    pub controller: Option<ControllerCapabilities>,
    /// Of [`Role::Node`].
    pub node: Option<NodeInfo>,
}

/// What a driver's Node service said about its node and itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeInfo {
    /// The driver's id of the node; never empty.
    pub id: String,
    /// The most volumes that the node can hold; `i64::MAX` when the driver sets no limit.
    pub max_volumes: i64,
    /// Where the node is.
    pub accessible_topology: Option<Topology>,
    /// What the service can do.
    pub capabilities: NodeCapabilities,
}

/// Why a driver could not be fingerprinted. The texts are Nomad's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// It answered Probe: not ready.
    #[error("unhealthy")]
    NotReady,
    /// It has no name.
    #[error("PluginGetInfo: plugin returned empty name field")]
    EmptyName,
    /// It has no id for its node.
    #[error("plugin failed to return nodeid")]
    EmptyNodeId,
    /// What it says of itself is longer than CSI allows, or no text for people.
    #[error("{0}")]
    Unfit(String),
    /// A call failed.
    #[error("{}", .0.rpc_text())]
    Call(#[from] CallError),
}

/// Asks the driver: Probe, GetPluginInfo, GetPluginCapabilities, and the capabilities of the role
/// (for a node its information too). Given what is known from an earlier time, only what changes
/// while a driver runs is asked: Probe and the capabilities of the role.
pub async fn fingerprint(
    driver: &Connection,
    role: Role,
    known: Option<&Fingerprint>,
) -> Result<Fingerprint, FingerprintError> {
    if !driver.probe().await? {
        return Err(FingerprintError::NotReady);
    }
    let mut found = match known {
        Some(known) => known.clone(),
        None => identity(driver).await?,
    };
    match role {
        Role::Controller => found.controller = Some(driver.controller_capabilities().await?),
        Role::Node => {
            let capabilities = driver.node_capabilities().await?;
            found.node = Some(match found.node {
                Some(known) => NodeInfo {
                    capabilities,
                    ..known
                },
                None => node(driver.node_info().await?, capabilities)?,
            });
        }
    }
    Ok(found)
}

async fn identity(driver: &Connection) -> Result<Fingerprint, FingerprintError> {
    let info = driver.plugin_info().await?;
    if info.name.is_empty() {
        return Err(FingerprintError::EmptyName);
    }
    check("name", &info.name)?;
    check("version", &info.vendor_version)?;
    let capabilities = driver.plugin_capabilities().await?;
    Ok(Fingerprint {
        provider: info.name,
        version: info.vendor_version,
        requires_controller: capabilities.controller_service,
        requires_topologies: capabilities.volume_accessibility_constraints,
        snapshot_topologies: capabilities.snapshot_accessibility_constraints,
        online_expansion: capabilities.online_expansion,
        offline_expansion: capabilities.offline_expansion,
        controller: None,
        node: None,
    })
}

fn node(
    identity: NodeIdentity,
    capabilities: NodeCapabilities,
) -> Result<NodeInfo, FingerprintError> {
    if identity.id.is_empty() {
        return Err(FingerprintError::EmptyNodeId);
    }
    check("node id", &identity.id)?;
    let place = identity.accessible_topology.iter();
    let segments = place.flat_map(|place| &place.segments);
    let bytes: usize = segments.map(|(key, value)| key.len() + value.len()).sum();
    if bytes > MOST_TOPOLOGY_BYTES {
        return Err(FingerprintError::Unfit(format!(
            "the driver's topology has {bytes} bytes, more than {MOST_TOPOLOGY_BYTES}"
        )));
    }
    Ok(NodeInfo {
        id: identity.id,
        max_volumes: match identity.max_volumes {
            limit if limit > 0 => limit,
            _ => i64::MAX,
        },
        accessible_topology: identity.accessible_topology,
        capabilities,
    })
}

/// Whether a row, a header and a terminal can hold what a driver says of itself.
fn check(what: &str, said: &str) -> Result<(), FingerprintError> {
    let bytes = said.len();
    if bytes > MOST_WORD_BYTES {
        let text = format!("the driver's {what} has {bytes} bytes, more than {MOST_WORD_BYTES}");
        return Err(FingerprintError::Unfit(text));
    }
    if said.chars().any(char::is_control) {
        let text = format!("the driver's {what} {said:?} holds control characters");
        return Err(FingerprintError::Unfit(text));
    }
    Ok(())
}
