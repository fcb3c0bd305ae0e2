//! What the driver has, what happened to it, and what CSI allows at the controller:
//!
//! - a name makes one volume, ever; the same name again comes with the same parameters;
//! - every call about a volume carries its secrets and its context;
//! - a volume is published to a node in one way at a time, in one access mode on all nodes together,
//!   and in a mode of single nodes to one node only;
//! - ControllerUnpublishVolume comes when nothing is staged, published or under way on that node, unless
//!   its host was switched off since;
//! - DeleteVolume comes when the volume is published nowhere.

use super::call::{Subject, is_final};
use super::context_of;
use super::node::OnNode;
use saddlebag::csi::{Call, v1};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use tonic::{Code, Status};
use v1::volume_capability::access_mode::Mode;

/// The most lines of history that are kept.
const KEPT: usize = 20_000;

pub type Text = HashMap<String, String>;

/// What comes of a call.
pub type Answer<A> = Result<A, Refusal>;

pub enum Refusal {
    /// The driver says no.
    Status(Status),
    /// CSI does not allow the call.
    Breach(String),
}

/// A call that does not fit.
pub fn breach<A>(what: impl Into<String>) -> Answer<A> {
    Err(Refusal::Breach(what.into()))
}

/// Refuses.
pub fn refuse<A>(code: Code, what: &str) -> Answer<A> {
    Err(Refusal::Status(Status::new(code, what)))
}

/// A call that CSI does not allow.
#[derive(Clone, Debug)]
pub struct Breach {
    pub what: String,
    /// Every call about that volume so far, and what came of it.
    pub history: Vec<String>,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "breach of CSI: {}", self.what)?;
        let mut lines = self.history.iter();
        lines.try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// A volume at the storage.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// The request that made it.
    made_by: Option<v1::CreateVolumeRequest>,
    pub bytes: i64,
    secrets: Option<Text>,
    /// By the driver's id of the node.
    pub published: BTreeMap<String, Publication>,
    pub nodes: BTreeMap<String, OnNode>,
}

/// A volume as it is published to a node by the controller.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    pub capability: v1::VolumeCapability,
    pub readonly: bool,
    /// What the Node service is to be told.
    pub context: Text,
}

/// Everything that the driver has.
#[derive(Default)]
pub struct Storage {
    pub disks: BTreeMap<String, Disk>,
    /// Source volume and name, by id.
    pub snapshots: BTreeMap<String, (String, String)>,
    /// The volume that each name made, gone or not.
    names: BTreeMap<String, String>,
    off: BTreeSet<String>,
    /// Nodes that somebody vouches for, and volumes that were on one when that ended.
    vouched: BTreeSet<String>,
    doubted: BTreeSet<(String, String)>,
    boots: BTreeMap<String, u64>,
    /// Calls under way, those whose callers gave up included.
    pub open: HashSet<Subject>,
    pub counts: HashMap<Call, u64>,
    history: VecDeque<(u64, String, String)>,
    arrived: u64,
    pub breaches: Vec<Breach>,
    /// Volumes and snapshots of which a caller was told falsely, or may have been, that they were not
    /// made or not deleted.
    pub doubtful: BTreeSet<String>,
    /// How often the calls that bring a volume to a user were refused for good, by volume.
    turned_away: BTreeMap<String, u64>,
}

impl Disk {
    /// The name that it was made by; none for one that was brought.
    pub fn name(&self) -> Option<&str> {
        self.made_by.as_ref().map(|asked| asked.name.as_str())
    }
}

impl Storage {
    /// Notes a call; answers its number.
    pub fn arrives(&mut self, call: Call, subject: &Subject, asked: String) -> u64 {
        self.arrived += 1;
        *self.counts.entry(call).or_default() += 1;
        let at = subject.node.as_deref().unwrap_or("controller");
        self.note(self.arrived, &subject.name, format!("{at}: {asked}"));
        self.arrived
    }

    /// Notes what came of it.
    pub fn ends(&mut self, number: u64, subject: &Subject, answer: &Result<(), Status>) {
        let told = match answer {
            Ok(()) => "OK".to_owned(),
            Err(status) => format!("{:?}: {}", status.code(), status.message()),
        };
        self.note(number, &subject.name, format!("-> {told}"));
    }

    fn note(&mut self, number: u64, name: &str, line: String) {
        if self.history.len() == KEPT {
            self.history.pop_front();
        }
        self.history.push_back((number, name.to_owned(), line));
    }

    /// Notes that the test had a call refused.
    pub fn refused(&mut self, subject: &Subject, call: Call, code: Code, _was_done: bool) {
        if !is_final(code) {
            return;
        }
        match call {
            Call::CreateVolume
            | Call::DeleteVolume
            | Call::CreateSnapshot
            | Call::DeleteSnapshot => {
                self.doubtful.insert(subject.name.clone());
            }
            Call::ControllerPublishVolume | Call::NodeStageVolume | Call::NodePublishVolume => {
                *self.turned_away.entry(subject.name.clone()).or_default() += 1;
            }
            _ => {}
        }
    }

    /// Whether a caller may have been told falsely that a volume was not made.
    pub fn is_doubtful(&self, external_id: &str) -> bool {
        let mut made = self.names.iter().filter(|(_, id)| *id == external_id);
        self.doubtful.contains(external_id) || made.any(|(name, _)| self.doubtful.contains(name))
    }

    /// How often calls that bring a volume to a user were refused for good, of all volumes, gone or not,
    /// whose name, or id if they were brought, begins so.
    pub fn turned_away(&self, prefix: &str) -> u64 {
        let brought = self
            .turned_away
            .iter()
            .filter(|(id, _)| id.starts_with(prefix));
        let made = self
            .names
            .iter()
            .filter(|(name, _)| name.starts_with(prefix));
        let of_made = made.filter_map(|(_, id)| self.turned_away.get(id));
        brought.map(|(_, times)| times).chain(of_made).sum()
    }

    pub fn breach(&mut self, subject: &Subject, what: String) {
        let history = self.history_of(&subject.name);
        self.breaches.push(Breach { what, history });
    }

    /// Every call about a volume so far, and what came of it.
    pub fn history_of(&self, external_id: &str) -> Vec<String> {
        let made = self.names.iter().find(|(_, id)| *id == external_id);
        let made = made.map(|(name, _)| name);
        let about = self
            .history
            .iter()
            .filter(|(_, name, _)| name == external_id || Some(name) == made);
        about
            .map(|(number, _, line)| format!("#{number} {line}"))
            .collect()
    }

    /// Whether a call about a volume is under way on a node.
    fn is_asked(&self, node: &str, external_id: &str) -> bool {
        let here = |subject: &Subject| {
            subject.node.as_deref() == Some(node) && subject.name == external_id
        };
        self.open.iter().any(here)
    }

    pub fn power_off(&mut self, node: &str) {
        self.off.insert(node.to_owned());
        *self.boots.entry(node.to_owned()).or_default() += 1;
        for disk in self.disks.values_mut() {
            disk.nodes.remove(node);
        }
        self.open
            .retain(|subject| subject.node.as_deref() != Some(node));
        self.vouched.remove(node);
        self.doubted.retain(|(on, _)| on != node);
    }

    /// Somebody vouches, falsely, that nothing on a node uses a volume: to detach one that is used there
    /// is refused, and no breach.
    pub fn vouch(&mut self, node: &str) {
        self.vouched.insert(node.to_owned());
    }

    /// Nobody does any more. Of what is still there, a call may be on its way.
    pub fn doubt(&mut self, node: &str) {
        if !self.vouched.remove(node) {
            return;
        }
        let here = |id: &String| self.is_asked(node, id) || self.is_used(node, id);
        let used: Vec<String> = self.disks.keys().filter(|id| here(id)).cloned().collect();
        let doubted = used.into_iter().map(|id| (node.to_owned(), id));
        self.doubted.extend(doubted);
    }

    fn is_used(&self, node: &str, external_id: &str) -> bool {
        let disk = self.disks.get(external_id);
        let here = disk.and_then(|disk| disk.nodes.get(node));
        here.is_some_and(|here| !here.is_clear())
    }

    /// Whether somebody vouches, or has just vouched, that a node does not use a volume.
    pub fn is_vouched(&self, node: &str, external_id: &str) -> bool {
        let at = (node.to_owned(), external_id.to_owned());
        self.vouched.contains(node) || self.doubted.contains(&at)
    }

    pub fn power_on(&mut self, node: &str) {
        self.off.remove(node);
    }

    pub fn is_off(&self, node: &str) -> bool {
        self.off.contains(node)
    }

    /// The number of the boot that a node is in.
    pub fn boot(&self, node: &str) -> u64 {
        self.boots.get(node).copied().unwrap_or_default()
    }

    pub fn bring(&mut self, external_id: &str) {
        self.disks.entry(external_id.to_owned()).or_default();
    }

    /// A volume, by a call that carries these secrets.
    pub fn disk(&mut self, id: &str, secrets: &Text) -> Answer<&mut Disk> {
        let Some(disk) = self.disks.get_mut(id) else {
            return refuse(Code::NotFound, "there is no such volume");
        };
        let known = disk.secrets.get_or_insert_with(|| secrets.clone());
        if known != secrets {
            return breach(format!("{id} came with other secrets than before"));
        }
        Ok(disk)
    }

    pub fn create_volume(
        &mut self,
        asked: &v1::CreateVolumeRequest,
    ) -> Answer<v1::CreateVolumeResponse> {
        let id = match self.names.get(&asked.name) {
            Some(id) => match self.disks.get(id) {
                None => return breach(format!("{} made a volume that was deleted", asked.name)),
                Some(disk) if disk.made_by.as_ref() != Some(asked) => {
                    return breach(format!("{} came again with other parameters", asked.name));
                }
                Some(_) => id.clone(),
            },
            None => {
                let id = format!("disk-{}", self.names.len());
                self.names.insert(asked.name.clone(), id.clone());
                let disk = Disk {
                    made_by: Some(asked.clone()),
                    bytes: asked.capacity_range.map_or(0, |range| range.required_bytes),
                    secrets: Some(asked.secrets.clone()),
                    ..Disk::default()
                };
                self.disks.insert(id.clone(), disk);
                id
            }
        };
        let volume = v1::Volume {
            capacity_bytes: self.disks[&id].bytes,
            volume_context: context_of(&id),
            volume_id: id,
            ..v1::Volume::default()
        };
        Ok(v1::CreateVolumeResponse {
            volume: Some(volume),
        })
    }

    pub fn delete_volume(
        &mut self,
        asked: &v1::DeleteVolumeRequest,
    ) -> Answer<v1::DeleteVolumeResponse> {
        let id = &asked.volume_id;
        if !self.disks.contains_key(id) {
            return Ok(v1::DeleteVolumeResponse {});
        }
        let disk = self.disk(id, &asked.secrets)?;
        let nodes = disk.nodes.values().any(|node| !node.is_clear());
        if nodes || !disk.published.is_empty() {
            return breach(format!("{id} was to be deleted while it is published"));
        }
        self.disks.remove(id);
        Ok(v1::DeleteVolumeResponse {})
    }

    pub fn controller_publish(
        &mut self,
        asked: &v1::ControllerPublishVolumeRequest,
    ) -> Answer<v1::ControllerPublishVolumeResponse> {
        let (id, node) = (&asked.volume_id, &asked.node_id);
        let serial = self.arrived;
        let disk = self.disk(id, &asked.secrets)?;
        if asked.volume_context != context_of(id) {
            return breach(format!("{id} came with another volume context"));
        }
        let Some(capability) = asked.volume_capability.clone() else {
            return breach(format!("{id} came without a capability"));
        };
        if let Some(there) = disk.published.get(node) {
            if (&there.capability, there.readonly) != (&capability, asked.readonly) {
                return breach(format!("{id} is published to {node} in another way"));
            }
            let publish_context = there.context.clone();
            return Ok(v1::ControllerPublishVolumeResponse { publish_context });
        }
        let mode = mode_of(&capability);
        for (other, there) in &disk.published {
            if mode_of(&there.capability) != mode {
                return breach(format!(
                    "{id} is published to {other} in another access mode"
                ));
            }
            if !matches!(
                mode,
                Mode::MultiNodeReaderOnly
                    | Mode::MultiNodeSingleWriter
                    | Mode::MultiNodeMultiWriter
            ) {
                return breach(format!("{id} is {mode:?} and published to {other} already"));
            }
        }
        let context: Text = [("publication".to_owned(), format!("{id} {node} {serial}"))].into();
        let publication = Publication {
            capability,
            readonly: asked.readonly,
            context: context.clone(),
        };
        disk.published.insert(node.clone(), publication);
        Ok(v1::ControllerPublishVolumeResponse {
            publish_context: context,
        })
    }

    pub fn controller_unpublish(
        &mut self,
        asked: &v1::ControllerUnpublishVolumeRequest,
    ) -> Answer<v1::ControllerUnpublishVolumeResponse> {
        let (id, node) = (&asked.volume_id, &asked.node_id);
        if node.is_empty() {
            return breach(format!("{id} was to be detached from every node"));
        }
        if self.is_vouched(node, id) && (self.is_asked(node, id) || self.is_used(node, id)) {
            return refuse(Code::FailedPrecondition, "it is in use on the node");
        }
        if self.is_asked(node, id) && !self.is_off(node) {
            return breach(format!(
                "{id} was to be detached from {node} during a call there"
            ));
        }
        if !self.disks.contains_key(id) {
            return Ok(v1::ControllerUnpublishVolumeResponse {});
        }
        let disk = self.disk(id, &asked.secrets)?;
        let is_used = disk.nodes.get(node).is_some_and(|there| !there.is_clear());
        if is_used {
            return breach(format!(
                "{id} was to be detached from {node} while it is used there"
            ));
        }
        disk.published.remove(node);
        self.doubted.remove(&(node.clone(), id.clone()));
        Ok(v1::ControllerUnpublishVolumeResponse {})
    }

    pub fn controller_expand(
        &mut self,
        asked: &v1::ControllerExpandVolumeRequest,
    ) -> Answer<v1::ControllerExpandVolumeResponse> {
        let disk = self.disk(&asked.volume_id, &asked.secrets)?;
        let wanted = asked.capacity_range.map_or(0, |range| range.required_bytes);
        disk.bytes = disk.bytes.max(wanted);
        Ok(v1::ControllerExpandVolumeResponse {
            capacity_bytes: disk.bytes,
            node_expansion_required: true,
        })
    }

    pub fn create_snapshot(
        &mut self,
        asked: &v1::CreateSnapshotRequest,
    ) -> Answer<v1::CreateSnapshotResponse> {
        self.disk(&asked.source_volume_id, &asked.secrets)?;
        let known = self
            .snapshots
            .iter()
            .find(|(_, (_, name))| *name == asked.name);
        let id = match known {
            Some((_, (source, _))) if *source != asked.source_volume_id => {
                return refuse(Code::AlreadyExists, "another volume has such a snapshot");
            }
            Some((id, _)) => id.clone(),
            None => format!("snap-{}", self.arrived),
        };
        let source = (asked.source_volume_id.clone(), asked.name.clone());
        self.snapshots.insert(id.clone(), source);
        Ok(v1::CreateSnapshotResponse {
            snapshot: Some(self.snapshot(&id)),
        })
    }

    pub fn delete_snapshot(
        &mut self,
        asked: &v1::DeleteSnapshotRequest,
    ) -> Answer<v1::DeleteSnapshotResponse> {
        self.snapshots.remove(&asked.snapshot_id);
        Ok(v1::DeleteSnapshotResponse {})
    }

    /// A snapshot that is there.
    pub fn snapshot(&self, id: &str) -> v1::Snapshot {
        v1::Snapshot {
            snapshot_id: id.to_owned(),
            source_volume_id: self.snapshots[id].0.clone(),
            ready_to_use: true,
            creation_time: Some(prost_types::Timestamp::default()),
            ..v1::Snapshot::default()
        }
    }
}

/// The access mode of a capability.
pub fn mode_of(capability: &v1::VolumeCapability) -> Mode {
    let mode = capability.access_mode.as_ref();
    mode.map_or(Mode::Unknown, v1::volume_capability::AccessMode::mode)
}
