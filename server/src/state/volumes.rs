//! Volumes and their backing stores in the tables.

use super::{State, Stored, Touched, VolumeEntry};
use crate::id::{ExternalId, Namespace, PluginId, VolumeId, VolumeKey};
use crate::operation::{Kind, Subject};
use crate::picture::{ShownClaim, VolumePicture};
use crate::volume::Backing;
use std::sync::Arc;

impl State {
    /// Whether a volume is in a namespace.
    pub fn has_volumes_in(&self, namespace: &Namespace) -> bool {
        let first = VolumeKey {
            namespace: namespace.clone(),
            id: VolumeId::known(""),
        };
        let mut volumes = self.volumes.range(first..);
        volumes
            .next()
            .is_some_and(|(key, _)| &key.namespace == namespace)
    }

    /// The volumes in whose rows one of these texts stands.
    pub fn volumes_that_name(&self, texts: &[String]) -> impl Iterator<Item = &VolumeKey> {
        let named = |entry: &VolumeEntry| texts.iter().any(|text| entry.names(text));
        let volumes = self.volumes.iter();
        volumes.filter_map(move |(key, entry)| named(entry).then_some(key))
    }

    /// Puts a volume in, shown as one that nobody uses: whoever knows better has to touch it.
    pub(super) fn put_volume(&mut self, volume: VolumeKey, mut entry: VolumeEntry) {
        self.forget_plugin_of(&volume);
        let volume = self.shared(volume);
        if let Some((plugin, _)) = self.volumes_of.get_key_value(&entry.plugin) {
            entry.plugin = plugin.clone();
        }
        self.add_volume(volume, entry);
    }

    /// Puts in a volume that is not there yet.
    pub(super) fn add_volume(&mut self, volume: VolumeKey, entry: VolumeEntry) {
        self.volumes_of
            .entry(entry.plugin.clone())
            .or_default()
            .insert(volume.clone());
        self.volumes.insert(volume, Arc::new(entry));
    }

    pub(super) fn put_backing(
        &mut self,
        (plugin, external): (PluginId, ExternalId),
        mut backing: Stored<Backing>,
    ) {
        let plugin = match self.volumes_of.get_key_value(&plugin) {
            Some((known, _)) => known.clone(),
            None => plugin,
        };
        let volumes = std::mem::take(&mut backing.row.volumes);
        let shared = volumes.into_iter().map(|volume| self.shared(volume));
        backing.row.volumes = shared.collect();
        backing.row.volumes.shrink_to_fit(); // room for three more was most of it
        self.backings.insert((plugin, external), Arc::new(backing));
    }

    /// The same key, by the name of its namespace that all share.
    fn shared(&self, volume: VolumeKey) -> VolumeKey {
        match self.namespaces.get_key_value(&volume.namespace) {
            Some((known, _)) => VolumeKey {
                namespace: known.clone(),
                ..volume
            },
            None => volume,
        }
    }

    pub(super) fn remove_volume(&mut self, volume: VolumeKey, touched: &mut Touched) {
        self.forget_plugin_of(&volume);
        self.volumes.remove(&volume);
        touched.volumes.insert(volume);
    }

    /// Encodes a volume, if it is there, as its claims and the operation on it have it shown.
    pub(super) fn show_volume(&mut self, volume: &VolumeKey) {
        let Some(entry) = self.volumes.get(volume) else {
            return;
        };
        let being_deleted = self.is_being_deleted(volume);
        let claims: Vec<ShownClaim<'_>> = self
            .claims_of(volume)
            .map(|claim| (claim, self.name_of(&claim.row.node)))
            .collect();
        let is_unused = claims.is_empty() && !being_deleted;
        if is_unused && entry.is_shown_unused() {
            return; // as it was put
        }
        let picture = VolumePicture::of(&entry.stored(), &claims, being_deleted);
        let entry = entry.shown(picture);
        self.volumes.insert(volume.clone(), Arc::new(entry));
    }

    /// Whether a delete of it is under way.
    pub(super) fn is_being_deleted(&self, volume: &VolumeKey) -> bool {
        self.doing(&Subject::Volume(volume.clone()))
            .is_some_and(|doing| doing.row.kind == Kind::Delete)
    }

    fn forget_plugin_of(&mut self, volume: &VolumeKey) {
        let Some(old) = self.volumes.get(volume) else {
            return;
        };
        let plugin = old.plugin.clone();
        if let Some(volumes) = self.volumes_of.get_mut(&plugin) {
            volumes.remove(volume);
            if volumes.is_empty() {
                self.volumes_of.remove(&plugin);
            }
        }
    }
}
