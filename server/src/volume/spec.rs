//! A volume as a client describes it.

use super::{Capability, TopologyRequest};
use crate::control::ControlPlane;
use crate::csi::{
    AccessMode, AttachmentMode, MountOptions, Reference, Secrets, Topology, UnknownMode,
};
use crate::error::{Error, Fault, Result};
use crate::id::{ExternalId, Namespace, PluginId, VolumeId, VolumeKey};
use std::collections::{BTreeMap, HashSet};

/// The most volumes, or snapshots, of one request.
pub const MOST_ITEMS: usize = 32;

/// A volume as a client describes it. `None` is what he left out.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// Its id.
    pub id: String,
    /// Its namespace: the body's, else the request's.
    pub namespace: String,
    /// What people call it.
    pub name: String,
    /// The plugin that provides it.
    pub plugin_id: String,
    /// The driver's id of it.
    pub external_id: String,
    /// The ways in which it may be used: access mode and attachment mode.
    pub capabilities: Vec<(String, String)>,
    /// The least size, in bytes.
    pub capacity_min: i64,
    /// The largest size, in bytes.
    pub capacity_max: i64,
    /// How its file system is mounted.
    pub mount_options: Option<MountOptions>,
    /// What the driver is told at its creation.
    pub parameters: BTreeMap<String, String>,
    /// What the driver wants to hear with every call.
    pub context: BTreeMap<String, String>,
    /// The secrets for calls about it. None of them (`Some` of nothing) erases the stored ones.
    pub secrets: Option<Secrets>,
    /// Where more of them are read from, at each call. Likewise.
    pub secrets_from: Option<BTreeMap<String, Reference>>,
    /// The volume to clone: the driver's id.
    pub clone_id: String,
    /// The snapshot to make it from: the driver's id.
    pub snapshot_id: String,
    /// From where it must be reachable. An inner `None` has no segments.
    pub required: Option<Vec<Option<Topology>>>,
    /// From where it is better reachable, likewise.
    pub preferred: Option<Vec<Option<Topology>>>,
    /// From where it is reachable.
    pub topologies: Vec<Topology>,
}

impl Spec {
    /// Its namespace and id, once `check` passed it.
    pub fn key(&self) -> VolumeKey {
        VolumeKey {
            namespace: Namespace::known(self.namespace.as_str()),
            id: VolumeId::known(self.id.as_str()),
        }
    }

    /// Its plugin, once `check` passed it.
    pub fn plugin(&self) -> PluginId {
        PluginId::known(self.plugin_id.as_str())
    }

    /// Its capabilities, if all modes are known.
    pub fn parsed_capabilities(&self) -> Result<Vec<Capability>, UnknownMode> {
        let parse = |(access, attachment): &(String, String)| {
            let attachment_mode: AttachmentMode = attachment.parse()?;
            let access_mode: AccessMode = access.parse()?;
            Ok(Capability {
                access_mode,
                attachment_mode,
            })
        };
        self.capabilities.iter().map(parse).collect()
    }

    /// The topologies it asks for, once `check` passed it.
    pub fn topology_request(&self) -> Option<TopologyRequest> {
        let given = |list: &Option<Vec<Option<Topology>>>| {
            list.as_ref()
                .map(|list| list.iter().flatten().cloned().collect())
        };
        if self.required.is_none() && self.preferred.is_none() {
            return None;
        }
        Some(TopologyRequest {
            required: given(&self.required),
            preferred: given(&self.preferred),
        })
    }

    /// What is missing or contradictory in it, in Nomad's words and order.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.id.is_empty() {
            problems.push("missing volume id".to_owned());
        } else {
            problems.extend(VolumeId::parse(&self.id).err());
        }
        if self.plugin_id.is_empty() {
            problems.push("missing plugin id".to_owned());
        }
        if self.namespace.is_empty() {
            problems.push("missing namespace".to_owned());
        }
        if !self.snapshot_id.is_empty() && !self.clone_id.is_empty() {
            problems.push("only one of snapshot_id and clone_id is allowed".to_owned());
        }
        if self.capabilities.is_empty() {
            problems.push("must include at least one capability block".to_owned());
        }
        let without_segments = |list: &Option<Vec<Option<Topology>>>| {
            list.iter().flatten().filter(|item| item.is_none()).count()
        };
        for (word, list) in [("required", &self.required), ("preferred", &self.preferred)] {
            let problem = format!("{word} topology is missing segments field");
            problems.extend(std::iter::repeat_n(problem, without_segments(list)));
        }
        if self.capacity_min < 0 || self.capacity_max < 0 {
            problems.push("requested capacity must not be negative".to_owned());
        }
        problems.extend(ExternalId::parse(&self.external_id).err());
        problems
    }
}

/// Refuses what can be refused without looking at anything but the request.
pub(super) fn check(specs: &[Spec]) -> Result<()> {
    if specs.is_empty() {
        return Err(Fault::NoVolumes.into());
    }
    if specs.len() > MOST_ITEMS {
        let count = specs.len();
        let text = format!("the request holds {count} volumes, more than {MOST_ITEMS}");
        return Err(Fault::BadItems(text).into());
    }
    for spec in specs {
        let problems = spec.problems();
        if !problems.is_empty() {
            return Err(Error::from(Fault::Validation(problems)).volume(&spec.id));
        }
    }
    let mut ids = HashSet::new();
    let mut external_ids = HashSet::new();
    for spec in specs {
        if !ids.insert((&spec.namespace, &spec.id)) {
            return Err(twice("volume", &spec.id).volume(&spec.id));
        }
        let external_id = &spec.external_id;
        if !external_id.is_empty() && !external_ids.insert((&spec.plugin_id, external_id)) {
            return Err(twice("external id", external_id).volume(&spec.id));
        }
    }
    Ok(())
}

/// Refuses references that cannot be read now.
pub(super) async fn check_references(cp: &ControlPlane, specs: &[Spec]) -> Result<()> {
    for spec in specs {
        let secrets = Secrets::none().updated(None, spec.secrets_from.as_ref());
        let checked = cp.check_references(secrets).await;
        checked.map_err(|error| error.volume(&spec.id))?;
    }
    Ok(())
}

fn twice(what: &str, id: &str) -> Error {
    Fault::BadItems(format!("{what} {id:?} is in the request twice")).into()
}
