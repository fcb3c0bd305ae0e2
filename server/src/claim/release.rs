//! Giving a claim back.

use crate::control::ControlPlane;
use crate::error::{Fault, Result};
use crate::id::{AllocationId, VolumeKey};
use crate::operation::verbs::Deadline;
use crate::store::Index;

/// Asks for the release of a claim, and waits until it has ended or until the deadline: when that ends
/// the work goes on, which is no error. Answers the newest commit to the claim. One that has ended is
/// released already.
pub async fn release(
    _cp: &ControlPlane,
    _volume: &VolumeKey,
    _allocation: &AllocationId,
    _deadline: Deadline,
) -> Result<Index> {
    Err(Fault::Internal.into())
}

/// Makes everything that is unfinished of a volume due now: its operation, its claims, their
/// attachments. Answers the commit, or the newest to the volume if nothing waits.
pub async fn retry(_cp: &ControlPlane, _volume: &VolumeKey) -> Result<Index> {
    Err(Fault::Internal.into())
}
