//! A volume as it is stored.

use super::SealedMountOptions;
use crate::csi::{self, AccessMode, AttachmentMode, MountOptions, Topology};
use crate::id::{ExternalId, PluginId, VolumeKey};
use crate::plugin::Plugin;
use crate::seal::Sealed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// A volume. What a claim or a plugin adds to its picture is not in here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Volume {
    /// Its namespace and id.
    pub key: VolumeKey,
    /// What people call it; may be empty.
    pub name: String,
    /// The plugin that provides it.
    pub plugin: PluginId,
    /// The driver's id of it; empty when a volume was registered without one.
    pub external_id: ExternalId,
    /// The driver's name, as last seen when the volume was written.
    pub provider: String,
    /// The driver's version, likewise.
    pub provider_version: String,
    /// Whether the plugin needed a controller, likewise.
    pub controller_required: bool,
    /// Its size in bytes, as the driver said; 0 when it never did.
    pub capacity: i64,
    /// The least size asked for, in bytes; 0 for none.
    pub capacity_min: i64,
    /// The largest size asked for, in bytes; 0 for none.
    pub capacity_max: i64,
    /// The ways in which it may be used.
    pub capabilities: Vec<Capability>,
    /// How its file system is mounted.
    pub mount_options: SealedMountOptions,
    /// What the driver was told at its creation.
    pub parameters: BTreeMap<String, String>,
    /// What the driver wants to hear with every call.
    pub context: BTreeMap<String, String>,
    /// The volume that it was cloned from: the driver's id.
    pub clone_id: String,
    /// The snapshot that it was made from: the driver's id.
    pub snapshot_id: String,
    /// From where it can be reached.
    pub topologies: Vec<Topology>,
    /// From where it was asked to be reachable.
    pub requested_topologies: Option<TopologyRequest>,
    /// The secrets for calls about it.
    pub secrets: Option<Sealed>,
    /// A driver grew it and waits for the node's part, at the next stage.
    #[serde(default)]
    pub node_expansion_pending: bool,
    /// A delete of it was given up, so it may be gone at the storage, or half of it. Taken away when the
    /// volume is registered again or grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_given_up: Option<GivenUp>,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it was last stored.
    pub modified_at: Timestamp,
}

/// That an operator ended an operation without its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GivenUp {
    /// The operation.
    pub operation: Uuid,
    /// The operator's words.
    pub reason: String,
    /// Who did.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// One way in which a volume may be used.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Capability {
    /// By how many nodes and how.
    pub access_mode: AccessMode,
    /// As a file system or as a device.
    pub attachment_mode: AttachmentMode,
}

/// From where a volume is asked to be reachable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TopologyRequest {
    /// It must be reachable from one of these.
    pub required: Option<Vec<Topology>>,
    /// Tried in this order.
    pub preferred: Option<Vec<Topology>>,
}

impl Capability {
    /// As a service is told it: `knows_young_modes` if it has SINGLE_NODE_MULTI_WRITER.
    pub fn told(&self, knows_young_modes: bool, options: &MountOptions) -> csi::Capability {
        csi::Capability {
            access_mode: self.access_mode.known_to(knows_young_modes),
            attachment_mode: self.attachment_mode,
            mount_options: options.clone(),
        }
    }
}

impl Volume {
    /// The id that drivers are given: the external id, or the volume's own where there is none
    /// (Nomad's RemoteID).
    pub fn remote_id(&self) -> ExternalId {
        if self.external_id.as_str().is_empty() {
            ExternalId::known(self.key.id.as_str())
        } else {
            self.external_id.clone()
        }
    }

    /// What its secrets are sealed for.
    pub fn owner(key: &VolumeKey) -> String {
        format!("volume {}\0{}", key.namespace, key.id)
    }

    /// Its capabilities as the controllers of its plugin are told them, each with these mount options.
    pub fn csi_capabilities(
        &self,
        plugin: Option<&Plugin>,
        options: &MountOptions,
    ) -> Vec<csi::Capability> {
        let knows_young_modes = plugin
            .and_then(Plugin::controller_info)
            .is_some_and(|controller| controller.supports_single_node_multi_writer);
        let mut told: Vec<_> = self
            .capabilities
            .iter()
            .map(|capability| capability.told(knows_young_modes, options))
            .collect();
        let mut known = HashSet::new();
        told.retain(|capability| known.insert(capability.clone()));
        told
    }

    /// Whether every way of use that it asks for lets many nodes hold it at once.
    pub fn asks_only_to_be_shared(&self) -> bool {
        self.capabilities.iter().all(|capability| {
            matches!(
                capability.access_mode,
                AccessMode::MultiNodeReaderOnly | AccessMode::MultiNodeMultiWriter
            )
        })
    }
}

/// Which volumes stand for one backing store of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Backing {
    /// The volumes, in the order of their registration.
    pub volumes: Vec<VolumeKey>,
    /// Whether every one of them asks only to be shared.
    pub shared: bool,
}
