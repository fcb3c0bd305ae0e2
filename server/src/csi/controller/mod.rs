//! The Controller service: volumes, their attachment to nodes, and snapshots.
//!
//! Each method is the CSI call of its name. A request that CSI forbids is refused before the driver is
//! asked ([`Origin::Here`](super::Origin::Here)); whether the driver has the capability that a call
//! needs is for the caller to know.

mod expand;
mod health;
mod publish;
mod snapshots;
mod validate;
mod volumes;

pub use expand::{ControllerExpandVolume, Expanded};
pub use publish::{ControllerPublishVolume, ControllerUnpublishVolume};
pub use snapshots::{CreateSnapshot, DeleteSnapshot, GetSnapshot, ListSnapshots};
pub use validate::{NotConfirmed, ValidateVolumeCapabilities, Validation};
pub use volumes::{Capacity, CreateVolume, DeleteVolume, GetCapacity, ListVolumes};

use super::{Call, CallError, Connection, ControllerCapabilities, Refused, Secrets, v1};

impl Connection {
    /// CSI `ControllerGetCapabilities`.
    pub async fn controller_capabilities(&self) -> Result<ControllerCapabilities, CallError> {
        let answer = self
            .call(
                Call::ControllerGetCapabilities,
                &Secrets::none(),
                v1::ControllerGetCapabilitiesRequest {},
            )
            .await?;
        Ok(ControllerCapabilities::from_message(answer))
    }
}

/// The size of a page as CSI has it; 0 leaves it to the driver.
fn checked_page(max_entries: i32) -> Result<(), Refused> {
    if max_entries < 0 {
        return Err(Refused::NegativeMaxEntries);
    }
    Ok(())
}
