//! An operation as it is stored.

use super::Progress;
use crate::id::{ExternalId, PluginId, SnapshotId, VolumeKey};
use crate::seal::Sealed;
use crate::store::{Index, Key, keys};
use crate::volume::Volume;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};
use uuid::Uuid;

/// A change at storage that is intended, under way, or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Operation {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub subject: Subject,
    /// What is to be done; two requests with equal kinds ask for the same.
    pub kind: Kind,
    /// The plugin whose worker does it.
    pub plugin: PluginId,
    /// The backing store concerned, where one is known from the start.
    pub external_id: Option<ExternalId>,
    /// The name that CSI is given with every try: its idempotency token.
    pub csi_name: String,
    /// The secrets of the request, until it ends. They are sealed for [`Operation::owner`].
    pub secrets: Option<Sealed>,
    /// How far it is.
    pub progress: Progress,
    /// How often its driver was asked.
    pub attempts: u32,
    /// The gRPC code of the last try, as in `Unavailable`, if it failed.
    pub last_code: Option<String>,
    /// The generation of the lease under which it is worked on.
    pub generation: u64,
    /// Who asked for it.
    pub by: String,
    /// When it was intended.
    pub created_at: Timestamp,
    /// The commit that intended it; not known to that commit itself.
    pub intended: Option<Index>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What an operation is about, and so what it locks.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Subject {
    /// A volume.
    Volume(VolumeKey),
    /// A snapshot at a plugin.
    Snapshot(PluginId, SnapshotId),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Kind {
    /// CreateVolume, and then store this volume with what the driver answers.
    Create(Box<Volume>),
    /// ControllerExpandVolume, and then store this volume with what the driver answers.
    Expand(Box<Volume>),
    /// DeleteVolume, and then forget the volume.
    Delete,
    /// CreateSnapshot with these parameters; the operation's CSI name is the snapshot's.
    Snapshot(BTreeMap<String, String>),
    /// DeleteSnapshot.
    DeleteSnapshot,
}

/// What a done operation leaves to be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Outcome {
    /// Nothing but the fact.
    Nothing,
    /// A snapshot.
    Snapshot(SnapshotTaken),
}

/// A snapshot as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SnapshotTaken {
    /// The driver's id.
    pub id: SnapshotId,
    /// The driver's id of its volume.
    pub source: ExternalId,
    /// Bytes that a volume made from it needs; 0 if the driver does not say.
    pub size_bytes: i64,
    /// When it was taken, in seconds since 1970; 0 if the driver does not say.
    pub taken_at_seconds: i64,
    /// Whether a volume can be made from it now.
    pub is_ready: bool,
}

impl Operation {
    /// What its secrets are sealed for.
    pub fn owner(id: Uuid) -> String {
        format!("operation {id}")
    }

    /// The row that it has while it is under way: its lock.
    pub fn lock(&self) -> Key {
        self.subject.lock()
    }

    /// Where its row is now.
    pub fn key(&self) -> Key {
        if self.progress.has_ended() {
            keys::ended(self.id)
        } else {
            self.lock()
        }
    }

    /// Its volume, if it is about one.
    pub fn volume(&self) -> Option<&VolumeKey> {
        match &self.subject {
            Subject::Volume(volume) => Some(volume),
            Subject::Snapshot(..) => None,
        }
    }

    /// Its snapshot, if it is about one that is there already.
    pub fn snapshot(&self) -> Option<&SnapshotId> {
        match &self.subject {
            Subject::Snapshot(_, snapshot) => Some(snapshot),
            Subject::Volume(_) => None,
        }
    }

    /// It in words, as in `create of volume "db"`.
    pub fn describe(&self) -> String {
        format!("{} of {}", self.kind.word(), self.subject)
    }
}

impl Subject {
    /// The row whose presence is the lock.
    pub fn lock(&self) -> Key {
        match self {
            Subject::Volume(volume) => keys::doing(volume),
            Subject::Snapshot(plugin, snapshot) => keys::doing_snapshot(plugin, snapshot),
        }
    }
}

impl Kind {
    /// Its name in the API.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Create(_) => "create",
            Kind::Expand(_) => "expand",
            Kind::Delete => "delete",
            Kind::Snapshot(_) => "snapshot",
            Kind::DeleteSnapshot => "delete-snapshot",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Volume(volume) => write!(f, "volume {:?}", volume.id.as_str()),
            Subject::Snapshot(plugin, snapshot) => write!(
                f,
                "snapshot {:?} of plugin {:?}",
                snapshot.as_str(),
                plugin.as_str()
            ),
        }
    }
}
