//! What a driver is told when it starts.

use super::Error;
use crate::chance::Chance;
use crate::clock::Clock;
use std::{collections::BTreeMap, path::PathBuf};

/// How a driver names itself, where it keeps volumes, and where its limits lie.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory that holds everything: records and data. Made if missing. One driver at a
    /// time uses a root; a second one is refused.
    pub root: PathBuf,
    /// The driver's CSI name (`GetPluginInfo`): domain name notation, at most 63 characters.
    /// `local.saddlebag.dev` unless set.
    pub name: String,
    /// What `NodeGetInfo` answers, and the only node that volumes can be published to. 1 to 256
    /// bytes.
    pub node_id: String,
    /// Bytes that volumes and snapshots may be promised in all. `None`: a volume may be as large
    /// as what the file system has free when it is made, and promises are not added up.
    pub capacity: Option<u64>,
    /// The largest volume that may be asked for, in bytes. `None`: no limit but the file system's.
    pub max_volume_bytes: Option<u64>,
    /// The capacity of a volume whose size nobody asked for, in bytes. 1 GiB unless set.
    pub default_volume_bytes: u64,
    /// How many volumes may be attached to the node at once. `None`: no limit.
    pub max_volumes_per_node: Option<u32>,
    /// The segments that this node, and so every volume, lies in. `<name>/node = <node id>` if
    /// left empty.
    pub topology: BTreeMap<String, String>,
    /// Where the ids of volumes and snapshots come from.
    pub chance: Chance,
    /// What says when a snapshot was taken. `None`: the file system's clock.
    pub clock: Option<Clock>,
}

impl Options {
    /// The defaults that each field documents, for a root and a node.
    pub fn new(root: impl Into<PathBuf>, node_id: impl Into<String>) -> Self {
        Self {
            root: root.into(),
            name: "local.saddlebag.dev".into(),
            node_id: node_id.into(),
            capacity: None,
            max_volume_bytes: None,
            default_volume_bytes: 1 << 30,
            max_volumes_per_node: None,
            topology: BTreeMap::new(),
            chance: Chance::default(),
            clock: None,
        }
    }

    /// The options with an absolute root and the default topology filled in, or what is wrong.
    pub(super) fn checked(mut self) -> Result<Self, Error> {
        let refuse = |option, problem| Err(Error::Option { option, problem });
        if !is_plugin_name(&self.name) {
            return refuse("name", format!("{:?} is not a CSI driver name", self.name));
        }
        if self.node_id.is_empty() || self.node_id.len() > 256 {
            return refuse("node_id", "must have 1 to 256 bytes".into());
        }
        if self.default_volume_bytes == 0 {
            return refuse("default_volume_bytes", "must not be 0".into());
        }
        if self.topology.is_empty() {
            self.topology
                .insert(format!("{}/node", self.name), segment(&self.node_id));
        }
        if let Some((key, value)) = self.topology.iter().find(|(_, v)| segment(v) != **v) {
            return refuse("topology", format!("{key}={value} is not a CSI segment"));
        }
        self.root = std::path::absolute(&self.root).map_err(|source| Error::Root {
            path: self.root.clone(),
            source,
        })?;
        Ok(self)
    }
}

/// CSI's `GetPluginInfo`: alphanumeric at both ends, dashes, dots and alphanumerics between.
fn is_plugin_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let end = |c: char| c.is_ascii_alphanumeric();
    name.len() <= 63 && name.starts_with(end) && name.ends_with(end) && name.chars().all(inner)
}

/// A text as a CSI topological segment: 63 characters of `[A-Za-z0-9._-]`, alphanumeric at both
/// ends; `node` if nothing of it is left.
fn segment(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let kept: String = text
        .chars()
        .map(|c| if allowed(c) { c } else { '-' })
        .take(63)
        .collect();
    match kept.trim_matches(|c: char| !c.is_ascii_alphanumeric()) {
        "" => "node".into(),
        segment => segment.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_id_of_any_text_becomes_a_valid_segment() {
        let options = Options::new("/r", "héllo/node ").checked().unwrap();
        assert_eq!(options.topology["local.saddlebag.dev/node"], "h-llo-node");
        let options = Options::new("/r", "///").checked().unwrap();
        assert_eq!(options.topology["local.saddlebag.dev/node"], "node");
    }

    #[test]
    fn a_name_that_csi_forbids_is_refused() {
        for name in ["", "-a", "a-", "a b", "a/b", &"a".repeat(64)] {
            let mut options = Options::new("/r", "n");
            options.name = name.into();
            let error = options.checked().err().unwrap();
            assert!(
                matches!(error, Error::Option { option: "name", .. }),
                "{name}"
            );
        }
    }

    #[test]
    fn a_relative_root_becomes_absolute() {
        let options = Options::new("some/where", "n").checked().unwrap();
        assert!(options.root.is_absolute());
    }
}
