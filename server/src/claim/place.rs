//! Where the users of a node find their volumes: no two claims in one place.

use super::Claim;

/// The first of these claims whose target path is that of `claim`, or above or below it.
pub(crate) fn in_the_way<'c>(
    mut others: impl Iterator<Item = &'c Claim>,
    claim: &Claim,
) -> Option<&'c Claim> {
    let path = &claim.target_path;
    others.find(|other| other.target_path.starts_with(path) || path.starts_with(&other.target_path))
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
