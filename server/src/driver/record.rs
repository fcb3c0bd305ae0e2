//! What is remembered of a volume and of a snapshot: one small JSON file each.
//!
//! A volume's record holds all that is true of it, attachments and publications included, so every
//! change is one atomic replacement of one file.

use super::capability::{Capability, Content};
use crate::chance::Chance;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};

/// What lies in a directory of its own, under a name of its own, beside its record.
pub(super) trait Record: Clone + Serialize + DeserializeOwned {
    /// The directory under the root that holds all of these.
    const SHELF: &'static str;
    /// The first part of every id; the rest is 32 hexadecimal digits.
    const PREFIX: &'static str;
    fn id(&self) -> &str;
    /// The name that the orchestrator gave, its key to asking twice and getting one.
    fn name(&self) -> &str;
    /// What it counts against the capacity.
    fn bytes(&self) -> u64;

    /// A new id. Ids are made here, never from what was sent, so they are safe parts of paths.
    fn new_id(chance: &Chance) -> String {
        format!("{}{}", Self::PREFIX, chance.uuid().simple())
    }

    /// Whether a text could be an id of such a record.
    fn is_id(text: &str) -> bool {
        text.strip_prefix(Self::PREFIX).is_some_and(|digits| {
            digits.len() == 32
                && digits
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
    }
}

/// A volume.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Volume {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) bytes: u64,
    /// What it can be used as.
    pub(super) contents: BTreeSet<Content>,
    /// `CreateVolumeRequest.parameters`, kept to compare with when the name comes again.
    pub(super) parameters: BTreeMap<String, String>,
    /// `CreateVolumeRequest.mutable_parameters`, kept for the same reason.
    pub(super) mutable_parameters: BTreeMap<String, String>,
    pub(super) source: Option<Source>,
    /// Where it is controller-published, by node id.
    pub(super) attachments: BTreeMap<String, Attachment>,
    pub(super) staging: Option<Staging>,
    /// Where it is node-published, by target path.
    pub(super) publications: BTreeMap<String, Publication>,
}

/// Where a volume's first content came from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Source {
    Snapshot(String),
    Volume(String),
}

/// A volume published to a node by the controller.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attachment {
    pub(super) capability: Capability,
    pub(super) readonly: bool,
}

/// A volume staged on the node. Nothing is mounted at the path: publishing goes straight to the data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Staging {
    pub(super) path: String,
    pub(super) capability: Capability,
}

/// A volume published at a target path.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Publication {
    pub(super) capability: Capability,
    pub(super) readonly: bool,
}

impl Volume {
    /// Whether anything still uses it, in words, or `None`.
    pub(super) fn in_use(&self) -> Option<String> {
        if let Some(target) = self.publications.keys().next() {
            return Some(format!("published at {target:?}"));
        }
        if let Some(staging) = &self.staging {
            return Some(format!("staged at {:?}", staging.path));
        }
        let node = self.attachments.keys().next()?;
        Some(format!("published to node {node:?}"))
    }
}

impl Record for Volume {
    const SHELF: &'static str = "volumes";
    const PREFIX: &'static str = "vol-";
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A snapshot: a copy of a volume's content at one time.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) source_volume_id: String,
    /// The capacity of the volume when it was taken: the least that a volume made from it needs.
    pub(super) bytes: u64,
    pub(super) contents: BTreeSet<Content>,
    /// When the copy began, by the clock of the file system: seconds and nanoseconds since 1970.
    pub(super) taken: (i64, i32),
}

impl Record for Snapshot {
    const SHELF: &'static str = "snapshots";
    const PREFIX: &'static str = "snap-";
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn bytes(&self) -> u64 {
        self.bytes
    }
}
