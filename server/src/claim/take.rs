//! Taking a claim.

use super::ClaimRequest;
use crate::control::ControlPlane;
use crate::error::{Fault, Result};
use crate::id::{AllocationId, VolumeKey};
use crate::operation::verbs::Deadline;
use crate::store::Index;

/// Claims a volume on a node, and waits until it is published there, until the claim has failed, or
/// until the deadline: when that ends the work goes on, which is no error. Answers the newest commit to
/// the claim. The error of a claim that failed is the driver's.
///
/// The same request again joins the claim. Another one by the same allocation, or one by an allocation
/// whose claim has ended, is refused.
pub async fn take(
    _cp: &ControlPlane,
    _volume: &VolumeKey,
    _request: ClaimRequest,
    _deadline: Deadline,
) -> Result<(Index, AllocationId)> {
    Err(Fault::Internal.into())
}
