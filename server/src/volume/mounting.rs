//! Mount options as they are stored.

use super::Volume;
use crate::control::ControlPlane;
use crate::csi::{MountOptions, Secret, Secrets};
use crate::error::Result;
use crate::id::VolumeKey;
use crate::keyring;
use crate::seal::Sealed;
use crate::state::State;
use crate::store::Transaction;
use serde::{Deserialize, Serialize};

/// How a file system is mounted, as it is stored: flags may hold a password (as `cifs` takes it), so they are sealed
/// for the volume that is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SealedMountOptions {
    /// Type of the file system; empty leaves it to the driver.
    pub fs_type: String,
    /// Options of mount(8), in order, sealed for [`SealedMountOptions::owner`]; nothing if there are none.
    pub mount_flags: Option<Sealed>,
}

impl SealedMountOptions {
    /// What the flags of a volume, its claims and its attachments are sealed for.
    pub fn owner(volume: &VolumeKey) -> String {
        format!("mount flags of {}", Volume::owner(volume))
    }

    /// Seals them with the active data key. The transaction that stores them has to hold it.
    pub fn seal(cp: &ControlPlane, volume: &VolumeKey, options: &MountOptions) -> Result<Self> {
        let flags = options.mount_flags.iter().enumerate();
        // Each under its place, in digits enough to keep the order.
        let flags: Secrets = flags
            .map(|(at, flag)| (format!("{at:08}"), Secret::new(flag.as_str())))
            .collect();
        Ok(Self {
            fs_type: options.fs_type.clone(),
            mount_flags: cp.seal(&Self::owner(volume), &flags)?,
        })
    }

    /// What was sealed for this volume.
    pub fn open(&self, cp: &ControlPlane, volume: &VolumeKey) -> Result<MountOptions> {
        let flags = cp.open(&Self::owner(volume), self.mount_flags.as_ref())?;
        Ok(MountOptions {
            fs_type: self.fs_type.clone(),
            mount_flags: flags
                .iter()
                .map(|(_, flag)| flag.expose().to_owned())
                .collect(),
        })
    }

    /// Has the transaction that stores them fail if their data key has changed since this state.
    pub(crate) fn hold(&self, transaction: &mut Transaction, state: &State) {
        keyring::hold(transaction, state, self.mount_flags.as_ref());
    }
}
