//! The words of policies: what may be allowed in a namespace, and what a shorthand stands for.

use super::rules::Level;

/// Takes everything away, whatever else is allowed.
pub const DENY: &str = "deny";
/// Stands for any capability at all, in what an operation needs; no policy can grant it by name.
pub const ANY: &str = "any";
/// Lets a volume be written over what a soft policy says.
pub const SENTINEL_OVERRIDE: &str = "sentinel-override";

const READ: [&str; 9] = [
    "list-jobs",
    "parse-job",
    "read-job",
    "csi-list-volume",
    "csi-read-volume",
    "read-job-scaling",
    "list-scaling-policies",
    "read-scaling-policy",
    "host-volume-read",
];

/// What `write` allows beyond `read`.
const WRITE: [&str; 11] = [
    "scale-job",
    "submit-job",
    "dispatch-job",
    "read-logs",
    "read-fs",
    "alloc-exec",
    "alloc-lifecycle",
    "csi-mount-volume",
    "csi-write-volume",
    "submit-recommendation",
    "host-volume-create",
];

const SCALE: [&str; 5] = [
    "list-scaling-policies",
    "read-job",
    "read-job-scaling",
    "read-scaling-policy",
    "scale-job",
];

/// What no shorthand allows, and the words of old API pages.
const OTHERS: [&str; 10] = [
    DENY,
    "alloc-node-exec",
    "csi-register-plugin",
    "host-volume-register",
    "host-volume-write",
    "host-volume-delete",
    SENTINEL_OVERRIDE,
    "csi-access",
    "csi-list-plugin",
    "csi-read-plugin",
];

/// Whether policies may name it as a capability of a namespace.
pub fn is_known(word: &str) -> bool {
    let known = [&READ[..], &WRITE, &SCALE, &OTHERS];
    known.into_iter().flatten().any(|known| *known == word)
}

/// What a shorthand stands for in a namespace, in Nomad's order.
pub fn of_namespace(level: Level) -> Vec<&'static str> {
    match level {
        Level::Deny => vec![DENY],
        Level::List => Vec::new(),
        Level::Read => READ.to_vec(),
        Level::Scale => SCALE.to_vec(),
        Level::Write => [&READ[..], &WRITE].concat(),
    }
}

/// What a shorthand stands for in a node pool.
pub(super) fn of_node_pool(level: Level) -> Vec<&'static str> {
    match level {
        Level::Deny => vec![DENY],
        Level::List | Level::Scale => Vec::new(),
        Level::Read => vec!["read"],
        Level::Write => vec!["delete", "read", "write"],
    }
}

/// What a shorthand stands for on a host volume.
pub(super) fn of_host_volume(level: Level) -> Vec<&'static str> {
    match level {
        Level::Deny => vec![DENY],
        Level::List | Level::Scale => Vec::new(),
        Level::Read => vec!["mount-readonly"],
        Level::Write => vec!["mount-readonly", "mount-readwrite"],
    }
}
