//! Where the users of a node find their volumes: no two claims in one place.

use super::Claim;
use crate::attachment::Attachment;
use std::path::Path;

/// The first of these claims whose target path is that of `claim`, or above or below it.
pub(crate) fn in_the_way<'c>(
    mut others: impl Iterator<Item = &'c Claim>,
    claim: &Claim,
) -> Option<&'c Claim> {
    others.find(|other| meet(&other.target_path, &claim.target_path))
}

/// Whether one of these attachments may still be published there, or above or below, because a fence
/// passed over it.
pub(crate) fn is_left<'a>(
    attachments: impl Iterator<Item = &'a Attachment>,
    claim: &Claim,
) -> bool {
    let mut left = attachments.filter_map(|attachment| attachment.left.as_ref());
    left.any(|left| {
        let mut targets = left.targets.iter();
        targets.any(|target| meet(&target.path, &claim.target_path))
    })
}

fn meet(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// Why a claim cannot have its place.
pub(crate) fn taken(claim: &Claim, other: &Claim) -> String {
    format!(
        "TargetPath {} is used by allocation {} for volume {:?} already",
        claim.target_path.display(),
        other.allocation,
        other.volume.id.as_str()
    )
}
