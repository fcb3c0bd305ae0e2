//! Removing all that a driver has, for a server that begins anew.

use super::record::{Record, Snapshot, Volume};
use super::root::{self, Root};
use super::{Error, mounting};
use std::fs;
use std::path::Path;

/// Undoes every publication of the volumes below a root, and removes them with all snapshots. No driver
/// may have the root. Blocks.
///
/// # Errors
///
/// The root cannot be opened or read, or a driver has it.
pub fn erase(root: &Path) -> Result<(), Error> {
    if !root.exists() {
        return Ok(());
    }
    let opened = Root::open(root)?;
    for volume in opened.load::<Volume>()? {
        let place = opened.place::<Volume>(volume.id());
        for (target, publication) in &volume.publications {
            let data = place.join(publication.capability.content.entry());
            mounting::withdraw_from_users(&data, Path::new(target));
        }
    }
    for shelf in [Volume::SHELF, Snapshot::SHELF] {
        let shelf = root.join(shelf);
        let failed = |source| Error::Root {
            path: shelf.clone(),
            source,
        };
        for entry in fs::read_dir(&shelf).map_err(failed)? {
            root::erase(&entry.map_err(failed)?.path());
        }
    }
    Ok(())
}
