//! A claim as it is stored.

use super::Stage;
use crate::attachment::AttachmentKey;
use crate::csi::{AccessMode, AttachmentMode, MountOptions};
use crate::error::Error;
use crate::id::{AllocationId, ExternalId, NodeId, PluginId, VolumeKey};
use crate::seal::Sealed;
use crate::store::{Index, Key, keys};
use crate::tries::Tries;
use crate::volume::{Capability, SealedMountOptions};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use uuid::Uuid;

/// What names a claim: its volume, and who uses it.
pub type ClaimKey = (VolumeKey, AllocationId);

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClaimRequest {
    /// Who uses the volume: the idempotency key. `None`: a new one is made.
    pub allocation: Option<AllocationId>,
    /// Where. `None`: on the only node.
    pub node: Option<NodeId>,
    /// Whether it only reads.
    pub read_only: bool,
    /// By how many nodes and how. `None`: as the volume is used now, else the only one that it may
    /// be used in.
    pub access_mode: Option<AccessMode>,
    /// As a file system or as a device. `None`: likewise.
    pub attachment_mode: Option<AttachmentMode>,
    /// Laid over the volume's own: a type if it is not empty, flags if there are any. A row has them sealed, in
    /// [`Claim::asked_options`].
    #[serde(skip)]
    pub mount_options: Option<MountOptions>,
    /// Where the user finds the volume. `None`: below the node's data directory.
    pub target_path: Option<PathBuf>,
    /// What becomes of it when its node is booted anew.
    pub on_reboot: OnReboot,
    /// A label.
    pub name: String,
    /// A label.
    pub job_id: String,
}

/// What becomes of a claim when its node is booted anew: nothing is mounted there any more.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OnReboot {
    /// The volume is published again.
    #[default]
    Republish,
    /// The claim is released.
    Release,
}

impl OnReboot {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            OnReboot::Republish => "republish",
            OnReboot::Release => "release",
        }
    }
}

/// That a claim's release was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Release {
    /// By whom or what.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was released.
    Released,
    /// A driver refused it for good.
    Failed,
}

/// A claim as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Claim {
    /// The volume used.
    pub volume: VolumeKey,
    /// The allocation that uses it.
    pub allocation: AllocationId,
    /// Where.
    pub node: NodeId,
    /// The volume's plugin.
    pub plugin: PluginId,
    /// The driver's id of the volume.
    pub external_id: ExternalId,
    /// Whether it only reads.
    pub read_only: bool,
    /// How it uses the volume.
    pub capability: Capability,
    /// How the file system is mounted: the volume's options with the request's on top.
    pub mount_options: SealedMountOptions,
    /// Where the user finds the volume, on the host.
    pub target_path: PathBuf,
    /// The topmost folder that was made for a target path that the request named, if one was.
    pub made_folder: Option<PathBuf>,
    /// What becomes of it when its node is booted anew.
    pub on_reboot: OnReboot,
    /// A label.
    pub name: String,
    /// A label.
    pub job_id: String,
    /// What was asked, with the allocation and the node filled in: two requests that are equal so ask
    /// for the same.
    pub request: ClaimRequest,
    /// The mount options that were asked for.
    pub asked_options: Option<SealedMountOptions>,
    /// The [`crate::attachment::Attachment::id`] of the attachment that it uses or waits for; `None`
    /// while the one before that is being taken down.
    pub attachment: Option<Uuid>,
    /// How far it is.
    pub stage: Stage,
    /// Whether its release was asked.
    pub release: Option<Release>,
    /// What a driver refused it with for good.
    pub failure: Option<Error>,
    /// The gRPC code of that, by name.
    pub failure_code: Option<String>,
    /// The tries of the step under way.
    pub tries: Tries,
    /// The boot of the node in which it was published; empty before, and where boots are not known.
    pub boot: String,
    /// Who asked for it.
    pub by: String,
    /// When it was taken.
    pub created_at: Timestamp,
    /// When it came to its stage.
    pub since: Timestamp,
    /// The commit that took it; not known to that commit itself.
    pub intended: Option<Index>,
    /// Its volume was deregistered by force: it does not hold it any more, and is released all the
    /// same.
    pub dropped: bool,
    /// When it ended. Such a row is kept apart from live ones.
    pub ended_at: Option<Timestamp>,
}

impl Claim {
    /// What names it.
    pub fn key(&self) -> ClaimKey {
        (self.volume.clone(), self.allocation.clone())
    }

    /// What is sealed in it.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = &Sealed> {
        let asked = self.asked_options.as_ref();
        let asked = asked.and_then(|asked| asked.mount_flags.as_ref());
        self.mount_options.mount_flags.iter().chain(asked)
    }

    /// Where its row is.
    pub fn row_key(&self) -> Key {
        match (self.ended_at, self.dropped) {
            (Some(_), _) => keys::ended_claim(&self.volume, &self.allocation),
            (None, true) => keys::dropped_claim(&self.volume, &self.allocation),
            (None, false) => keys::claim(&self.volume, &self.allocation),
        }
    }

    /// What it is attached by.
    pub fn attachment_key(&self) -> AttachmentKey {
        AttachmentKey {
            plugin: self.plugin.clone(),
            external_id: self.external_id.clone(),
            node: self.node.clone(),
        }
    }

    /// Whether it is on its way out: its release was asked, or it failed for good.
    pub fn is_leaving(&self) -> bool {
        self.release.is_some() || self.failure.is_some()
    }

    /// Whether the volume is, or may be, in use at its target path, or is to be.
    pub fn needs_its_attachment(&self) -> bool {
        self.stage != Stage::Unpublished
    }

    /// Whether there is nothing to be done for it.
    pub fn is_at_rest(&self) -> bool {
        self.stage == Stage::Published && !self.is_leaving()
    }

    /// How it ended, or will end; nothing for one that is not leaving.
    pub fn end(&self) -> Option<Ended> {
        match (&self.failure, &self.release) {
            (Some(_), _) => Some(Ended::Failed),
            (None, Some(_)) => Some(Ended::Released),
            (None, None) => None,
        }
    }

    /// Whether readers of its volume see both alike.
    pub fn is_seen_like(&self, other: &Claim) -> bool {
        let seen = |claim: &Claim| {
            (
                claim.stage,
                claim.is_leaving(),
                claim.read_only,
                claim.capability,
                claim.node.clone(),
                claim.since,
            )
        };
        seen(self) == seen(other)
    }
}
