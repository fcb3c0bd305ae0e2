//! Where volumes are on a node.
//!
//! - Paths of ours lie below the node's data directory, or below the host side of a plugin's
//!   [`BaseDir`]: `claims/HASH` and `staging/HASH`. No id is ever a part of a path.
//! - A path that a client names lies below one of the node's target roots; what a path says is
//!   checked here, what it leads to on the host is for the node itself to see.
//! - No path has more than [`MOST_PATH_BYTES`]: longer ones not every driver takes (CSI).

use crate::attachment::AttachmentKey;
use crate::config::BaseDir;
use crate::error::{Error, Fault, Result};
use crate::id::{AllocationId, NodeId, PluginId, VolumeKey};
use crate::node::Node;
use crate::state::State;
use sha2::{Digest, Sha256};
use std::path::{Component, Path, PathBuf};

/// The longest path that every driver has to take.
pub const MOST_PATH_BYTES: usize = 128;

/// Where an attachment is staged.
pub(crate) fn staging(state: &State, key: &AttachmentKey) -> Result<PathBuf> {
    let AttachmentKey {
        plugin,
        external_id,
        node,
    } = key;
    let name = hashed(&[plugin.as_str(), external_id.as_str(), node.as_str()]);
    let path = base(state, plugin, node)?.join("staging").join(name);
    short_enough(path)
}

/// Where the user of a claim finds the volume, if he does not say where.
pub(crate) fn target(
    state: &State,
    plugin: &PluginId,
    node: &NodeId,
    volume: &VolumeKey,
    allocation: &AllocationId,
) -> Result<PathBuf> {
    let name = hashed(&[
        volume.namespace.as_str(),
        volume.id.as_str(),
        allocation.as_str(),
    ]);
    let path = base(state, plugin, node)?.join("claims").join(name);
    short_enough(path)
}

/// A path that a client names, if he may.
pub(crate) fn requested(
    state: &State,
    plugin: &PluginId,
    node: &Node,
    path: &Path,
) -> Result<PathBuf> {
    let refused = |why: String| {
        let text = format!("TargetPath {:?} {why}", path.display().to_string());
        Err(Error::from(Fault::RefusedLocally(text)))
    };
    let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    let rebuilt: PathBuf = path.components().collect();
    if !path.is_absolute() || !path.components().all(is_plain) || rebuilt.as_os_str() != path {
        return refused("has to be absolute and plain: no '.', no '..', no '/' too many".into());
    }
    let is_below = |root: &PathBuf| path.starts_with(root) && path != root;
    if !node.target_roots.iter().any(is_below) {
        let roots: Vec<_> = node
            .target_roots
            .iter()
            .map(|r| r.display().to_string())
            .collect();
        return refused(match roots.is_empty() {
            true => format!(
                "is refused: node {} has no folders for target paths; leave TargetPath out",
                node.id
            ),
            false => format!(
                "has to be below one of the folders that node {} has for target paths: {}",
                node.id,
                roots.join(", ")
            ),
        });
    }
    if let Some(base) = base_dir(state, plugin, &node.id)
        && !path.starts_with(&base.host)
    {
        let host = base.host.display();
        return refused(format!(
            "has to be below {host}, which is all that plugin {plugin} sees"
        ));
    }
    short_enough(path.to_owned())
}

/// The node's folder for target paths that a path is known to be below: of several, the nearest.
pub(crate) fn root_above(state: &State, node: &NodeId, path: &Path) -> PathBuf {
    let node = state.node(node).into_iter();
    let roots = node.flat_map(|node| &node.row.target_roots);
    let above = roots.filter(|root| path.starts_with(root) && path != root.as_path());
    let nearest = above.max_by_key(|root| root.components().count());
    nearest.map_or_else(|| path.to_owned(), Clone::clone)
}

/// The folder that a path of ours is below, as `staging/HASH` or `claims/HASH`.
pub(crate) fn root_of_ours(path: &Path) -> PathBuf {
    path.ancestors().nth(2).unwrap_or(path).to_owned()
}

/// A path as the driver of a plugin sees it.
pub(crate) fn for_driver(base: Option<&BaseDir>, path: &Path) -> PathBuf {
    base.and_then(|base| Some(base.driver.join(path.strip_prefix(&base.host).ok()?)))
        .unwrap_or_else(|| path.to_owned())
}

/// What a plugin's driver on a node sees of the host, if not all.
pub(crate) fn base_dir<'s>(
    state: &'s State,
    plugin: &PluginId,
    node: &NodeId,
) -> Option<&'s BaseDir> {
    let plugin = state.plugin(plugin)?;
    let instance = plugin.node_instance(node)?;
    plugin
        .jobs_in(None)
        .find(|job| job.id == instance.job)?
        .base_dir
        .as_ref()
}

fn base<'s>(state: &'s State, plugin: &PluginId, node: &NodeId) -> Result<&'s Path> {
    if let Some(base) = base_dir(state, plugin, node) {
        return Ok(&base.host);
    }
    match state.node(node) {
        Some(stored) => Ok(&stored.row.data_dir),
        None => Err(Error::from(Fault::NodeNotFound(node.to_string())).node(node)),
    }
}

/// 128 bits of a hash, in hexadecimal.
fn hashed(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\0"));
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn short_enough(path: PathBuf) -> Result<PathBuf> {
    let length = path.as_os_str().len();
    if length <= MOST_PATH_BYTES {
        return Ok(path);
    }
    let text = format!(
        "path {:?} has {length} bytes, and drivers need not take more than {MOST_PATH_BYTES}: use a shorter folder",
        path.display().to_string()
    );
    Err(Fault::RefusedLocally(text).into())
}
