//! A volume in memory: small, since there may be a million.

use super::Stored;
use crate::id::PluginId;
use crate::picture::VolumePicture;
use crate::store::{Index, Row};
use crate::volume::Volume;
use bytes::Bytes;
use std::sync::OnceLock;

/// A volume, with what clients see of it, encoded once: when it changes, or, after a start, when it
/// is first shown.
///
/// The volume itself is kept as it is stored, which takes a quarter of the memory of the struct, and
/// decoded for whoever is about to change it or to ask its driver. After a start its bytes are in a
/// piece of memory of some dozen volumes, which goes when the last of them has changed.
#[derive(Debug)]
pub struct VolumeEntry {
    /// The commit that first put it.
    pub created: Index,
    /// The commit that put it last.
    pub modified: Index,
    /// The plugin that provides it.
    pub plugin: PluginId,
    row: Bytes,
    /// Nothing if it was not shown yet: then nobody uses it.
    picture: OnceLock<VolumePicture>,
}

impl VolumeEntry {
    /// The entry of a row that holds this volume, which nobody uses.
    pub(super) fn new(volume: &Stored<Volume>, row: &Row) -> Self {
        let picture = VolumePicture::of(volume, &[], false);
        Self {
            row: Bytes::copy_from_slice(&row.value), // it was encoded with room to grow
            picture: OnceLock::from(picture),
            ..Self::not_shown(volume.row.plugin.clone(), row)
        }
    }

    /// The entry of a row that holds a volume of this plugin, which nobody uses and nobody has seen.
    pub(super) fn not_shown(plugin: PluginId, row: &Row) -> Self {
        Self {
            created: row.created,
            modified: row.modified,
            plugin,
            row: row.value.clone(),
            picture: OnceLock::new(),
        }
    }

    /// The same volume, shown differently.
    pub(super) fn shown(&self, picture: VolumePicture) -> Self {
        Self {
            plugin: self.plugin.clone(),
            row: self.row.clone(),
            picture: OnceLock::from(picture),
            ..*self
        }
    }

    /// Its part of the answers that show it.
    pub fn picture(&self) -> &VolumePicture {
        self.picture
            .get_or_init(|| VolumePicture::of(&self.stored(), &[], false))
    }

    /// Whether it is shown as a volume that has no claims and is not being deleted.
    pub(super) fn is_shown_unused(&self) -> bool {
        self.picture.get().is_none_or(VolumePicture::is_unused)
    }

    /// Whether this text stands in the row.
    pub(super) fn names(&self, text: &str) -> bool {
        std::str::from_utf8(&self.row).is_ok_and(|row| row.contains(text))
    }

    /// The volume as stored.
    pub fn stored(&self) -> Stored<Volume> {
        Stored {
            row: serde_json::from_slice(&self.row)
                .expect("it is as this program wrote it, by its checksum"),
            created: self.created,
            modified: self.modified,
        }
    }
}
