//! What a commit did, for who follows it. Events show what reading shows, so no secret is in them.

use super::{claim, encode, node};
use crate::claim::ClaimKey;
use crate::control::ControlPlane;
use crate::id::{NodeId, PluginId, VolumeKey};
use crate::state::{State, Step, Stored, VolumeEntry};
use std::sync::Arc;

/// What an event is about, in Nomad's words; it has none for claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A volume.
    CSIVolume,
    /// A plugin.
    CSIPlugin,
    /// A claim. Not Nomad's.
    CSIClaim,
    /// A node.
    Node,
}

impl Topic {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Topic::CSIVolume => "CSIVolume",
            Topic::CSIPlugin => "CSIPlugin",
            Topic::CSIClaim => "CSIClaim",
            Topic::Node => "Node",
        }
    }
}

/// One thing that a commit did.
#[derive(Clone, Debug)]
pub struct Event {
    /// What it is about.
    pub topic: Topic,
    /// What happened.
    pub kind: &'static str,
    /// The id of what it happened to.
    pub key: String,
    /// Other names that it is found by.
    pub filter_keys: Vec<String>,
    /// The namespace of what it happened to; empty if that is in none.
    pub namespace: String,
    /// What it happened to: a JSON object with one key.
    pub payload: String,
}

/// What a commit did: to volumes, then plugins, then claims, then nodes.
pub fn events(cp: &ControlPlane, step: &Step) -> Vec<Event> {
    let Step { touched, .. } = step;
    let volumes = touched.volumes.iter().filter_map(|key| volume(step, key));
    let plugins = touched.plugins.iter().filter_map(|id| plugin(step, id));
    let claims = touched.claims.iter().filter_map(|key| claimed(step, key));
    let nodes = touched.nodes.iter().filter_map(|id| seen(cp, step, id));
    volumes.chain(plugins).chain(claims).chain(nodes).collect()
}

fn volume(step: &Step, key: &VolumeKey) -> Option<Event> {
    let (before, after) = (step.before.volume(key), step.after.volume(key));
    let is_claim = step.touched.claims.iter().any(|(volume, _)| volume == key);
    let (state, entry, kind) = match (before, after) {
        (Some(before), None) => (&step.before, before, "CSIVolumeDeregistered"),
        (Some(_), Some(after)) if is_claim => (&step.after, after, "CSIVolumeClaim"),
        (Some(before), Some(after)) if before.modified == after.modified => return None,
        (_, Some(after)) => (&step.after, after, "CSIVolumeRegistered"),
        (None, None) => return None,
    };
    Some(Event {
        topic: Topic::CSIVolume,
        kind,
        key: key.id.to_string(),
        filter_keys: vec![key.id.to_string(), name(entry), entry.plugin.to_string()],
        namespace: key.namespace.to_string(),
        payload: payload("Volume", &read(state, entry)),
    })
}

fn name(entry: &VolumeEntry) -> String {
    entry.stored().row.name
}

fn read(state: &State, entry: &VolumeEntry) -> Vec<u8> {
    let fragments = state.fragments(&entry.plugin);
    entry.read(fragments.map(AsRef::as_ref)).to_vec()
}

fn plugin(step: &Step, id: &PluginId) -> Option<Event> {
    let jobs = |state: &State| state.plugin(id).map_or(0, |plugin| plugin.jobs.len());
    let (before, after) = (jobs(&step.before), jobs(&step.after));
    let kind = match before.cmp(&after) {
        std::cmp::Ordering::Less => "JobRegistered",
        std::cmp::Ordering::Equal => "NodeRegistration",
        std::cmp::Ordering::Greater => "JobDeregistered",
    };
    let shown = step.after.fragments(id).or(step.before.fragments(id))?;
    Some(Event {
        topic: Topic::CSIPlugin,
        kind,
        key: id.to_string(),
        filter_keys: vec![id.to_string()],
        namespace: String::new(),
        payload: payload("Plugin", shown.plugin_alone()),
    })
}

fn claimed(step: &Step, key: &ClaimKey) -> Option<Event> {
    let live = step
        .after
        .claim(key)
        .map(|it| (&step.after, it, "CSIClaimUpdated"));
    let ended = || {
        let ended = step.after.ended_claim(key);
        ended.map(|it| (&step.after, it, "CSIClaimEnded"))
    };
    let (state, stored, kind): (&Arc<State>, &Arc<Stored<_>>, _) = live.or_else(ended)?;
    Some(Event {
        topic: Topic::CSIClaim,
        kind,
        key: stored.row.allocation.to_string(),
        filter_keys: vec![key.0.id.to_string(), stored.row.node.to_string()],
        namespace: key.0.namespace.to_string(),
        payload: payload("Claim", &encode(&claim(state, stored))),
    })
}

fn seen(cp: &ControlPlane, step: &Step, id: &NodeId) -> Option<Event> {
    let stored = step.after.node(id)?;
    let kind = match step.before.node(id) {
        Some(_) => "NodeEvent",
        None => "NodeRegistration",
    };
    Some(Event {
        topic: Topic::Node,
        kind,
        key: id.to_string(),
        filter_keys: Vec::new(),
        namespace: String::new(),
        payload: payload(
            "Node",
            &encode(&node(&step.after, stored, &cp.node, "", false)),
        ),
    })
}

fn payload(name: &str, shown: &[u8]) -> String {
    format!("{{\"{name}\":{}}}", String::from_utf8_lossy(shown))
}
