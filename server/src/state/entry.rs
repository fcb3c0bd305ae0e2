//! A volume in memory: small, since there may be a million.

use super::Stored;
use crate::id::PluginId;
use crate::picture::VolumePicture;
use crate::store::{Index, Row};
use crate::volume::Volume;

/// A volume, with what clients see of it, encoded once.
///
/// The volume itself is kept as it is stored, which takes a quarter of the memory of the struct, and
/// decoded for whoever is about to change it or to ask its driver.
#[derive(Debug)]
pub struct VolumeEntry {
    /// The commit that first put it.
    pub created: Index,
    /// The commit that put it last.
    pub modified: Index,
    /// The plugin that provides it.
    pub plugin: PluginId,
    row: Box<[u8]>,
    /// Its part of the answers that show it.
    pub picture: VolumePicture,
}

impl VolumeEntry {
    /// The entry of a row that holds this volume, which nobody uses.
    pub(super) fn new(volume: Stored<Volume>, row: &Row) -> Self {
        Self {
            created: volume.created,
            modified: volume.modified,
            picture: VolumePicture::of(&volume, &[], false),
            plugin: volume.row.plugin,
            row: Box::from(&row.value[..]),
        }
    }

    /// The same volume, shown differently.
    pub(super) fn shown(&self, picture: VolumePicture) -> Self {
        Self {
            plugin: self.plugin.clone(),
            row: self.row.clone(),
            picture,
            ..*self
        }
    }

    /// The volume as stored.
    pub fn stored(&self) -> Stored<Volume> {
        Stored {
            row: serde_json::from_slice(&self.row).expect("it was read when the entry was made"),
            created: self.created,
            modified: self.modified,
        }
    }
}
