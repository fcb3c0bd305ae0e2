//! What may be a name in access control, and how long its texts may be.

/// The longest description and the longest name of a token, in characters.
pub(super) const MOST_CHARACTERS: usize = 256;

/// Whether it may be the name of a policy, a role or a namespace: 1 to 128 letters, digits and hyphens.
pub(super) fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether it is longer than descriptions may be.
pub(super) fn is_too_long(text: &str) -> bool {
    text.chars().count() > MOST_CHARACTERS
}
