//! An attachment as it is stored.

use super::{Left, Stage};
use crate::error::Error;
use crate::id::{ExternalId, NodeId, PluginId, VolumeKey};
use crate::keyring;
use crate::seal::Sealed;
use crate::state::State;
use crate::store::{Index, Key, Transaction, keys};
use crate::tries::Tries;
use crate::volume::{Capability, SealedMountOptions};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use uuid::Uuid;

/// What names an attachment. Ordered by plugin, external id, node.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct AttachmentKey {
    /// The plugin.
    pub plugin: PluginId,
    /// The driver's id of the backing store.
    pub external_id: ExternalId,
    /// The node.
    pub node: NodeId,
}

/// An attachment as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Attachment {
    /// What names it.
    pub key: AttachmentKey,
    /// Tells it from those that were there before, and will be.
    pub id: Uuid,
    /// The volume by whose claim it came.
    pub volume: VolumeKey,
    /// The driver's id of the node.
    pub external_node_id: String,
    /// How the volume is used there.
    pub capability: Capability,
    /// How its file system is mounted.
    pub mount_options: SealedMountOptions,
    /// Whether the controller publishes it for reading only.
    pub read_only: bool,
    /// What the driver said of the volume at its creation.
    pub volume_context: BTreeMap<String, String>,
    /// The volume's secrets, sealed for [`Attachment::owner`]: for when its row is gone.
    pub secrets: Option<Sealed>,
    /// What the controller said at publish, sealed for [`Attachment::owner_of_context`].
    pub publish_context: Option<Sealed>,
    /// Whether the controller is asked to publish it (PUBLISH_UNPUBLISH_VOLUME).
    pub attaches: bool,
    /// Where it is staged, on the host; `None` for a driver that does not stage
    /// (STAGE_UNSTAGE_VOLUME).
    pub staging_path: Option<PathBuf>,
    /// How far it is.
    pub stage: Stage,
    /// Whether it is on its way down.
    pub leaving: bool,
    /// What a driver refused it with for good: every claim that waits for it fails with this.
    pub failure: Option<Error>,
    /// The gRPC code of that, by name.
    pub failure_code: Option<String>,
    /// What the node still has to do because the volume grew.
    pub expansion: Option<Expansion>,
    /// What a fence of the node passed over; it may still be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// The tries of the step under way.
    pub tries: Tries,
    /// The boot of the node in which it was staged; empty before, and where boots are not known.
    pub boot: String,
    /// The generation of the lease under which it is worked on.
    pub generation: u64,
    /// When it was wanted.
    pub created_at: Timestamp,
    /// When it came to its stage.
    pub since: Timestamp,
    /// The commit that intended where it is going, up or down; not known to that commit itself.
    pub intended: Option<Index>,
}

/// What a node still has to do because the volume grew at the controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Expansion {
    /// How big the volume is, in bytes.
    pub bytes: i64,
    /// What the driver refused it with; it is tried again at the next stage, or when somebody kicks
    /// it.
    pub refused: Option<Error>,
    /// The tries so far.
    pub tries: Tries,
}

impl AttachmentKey {
    /// Where its row is.
    pub fn row_key(&self) -> Key {
        keys::attachment(&self.plugin, &self.external_id, &self.node)
    }
}

impl Attachment {
    /// What its secrets are sealed for.
    pub fn owner(key: &AttachmentKey) -> String {
        let AttachmentKey {
            plugin,
            external_id,
            node,
        } = key;
        format!("attachment {plugin}\0{external_id}\0{node}")
    }

    /// What its publish context is sealed for.
    pub fn owner_of_context(key: &AttachmentKey) -> String {
        format!("publish context of {}", Self::owner(key))
    }

    /// Has the transaction that stores it fail if a data key of what is sealed in it has changed since this state.
    pub(crate) fn hold_keys(&self, transaction: &mut Transaction, state: &State) {
        for sealed in self.sealed() {
            keyring::hold(transaction, state, Some(sealed));
        }
    }

    /// What is sealed in it.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = &Sealed> {
        let flags = &self.mount_options.mount_flags;
        let all = [&self.secrets, &self.publish_context, flags];
        all.into_iter().flatten()
    }

    /// Whether there is nothing to be done for it.
    pub fn is_at_rest(&self) -> bool {
        let grown = self.expansion.as_ref();
        self.stage == Stage::Staged
            && !self.leaving
            && !self.has_left_targets()
            && grown.is_none_or(|expansion| expansion.refused.is_some())
    }
}
