//! One try of a step on a node: the call to the Node service, and what is around it on the host.

use super::attach::secrets;
use super::node::{Step, published};
use super::record::{Failure, committed};
use super::{folders, mounted};
use crate::attachment::{Attachment, AttachmentKey};
use crate::claim::{Claim, Stage, place};
use crate::config::BaseDir;
use crate::control::ControlPlane;
use crate::csi::{self, About, CapacityRange, Connection, NodeCapabilities};
use crate::error::{Error, Fault, Result};
use crate::id::NodeId;
use crate::node::paths;
use crate::state::State;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What a try came to.
pub(super) type Tried = super::record::Tried<()>;

/// Tries once, and records what it came to. Nothing happens without a healthy Node service near.
pub(super) async fn take(cp: &ControlPlane, step: &Step) {
    let state = cp.state();
    let key = step.key();
    let Some(connection) = cp.drivers.node(&state, &key.plugin, &key.node) else {
        return;
    };
    let what = match step {
        Step::Stage(_) => format!("staging {} on node {}", key.external_id, key.node),
        Step::Expand(_) => format!("growing {} on node {}", key.external_id, key.node),
        Step::Clear(_) => format!("clearing {} on node {}", key.external_id, key.node),
        Step::Unstage(_) => format!("unstaging {} on node {}", key.external_id, key.node),
        Step::Publish(claim) => format!(
            "publishing {} for {}",
            key.external_id, claim.row.allocation
        ),
        Step::Unpublish(claim) => {
            format!(
                "unpublishing {} for {}",
                key.external_id, claim.row.allocation
            )
        }
    };
    let boot = state.boot_of(&key.node).to_owned();
    let asking = Asking {
        cp,
        state: &state,
        connection,
        capabilities: state
            .plugin(&key.plugin)
            .and_then(|plugin| plugin.node_info(&key.node))
            .map(|info| info.capabilities)
            .unwrap_or_default(),
        base: paths::base_dir(&state, &key.plugin, &key.node),
        made: OnceLock::new(),
    };
    let asked = AssertUnwindSafe(asking.ask(step)).catch_unwind();
    let tried = asked.await.unwrap_or_else(|_| Err(Fault::Internal.into()));
    let tried = tried.unwrap_or_else(Tried::hindered);
    tried.tell(&what);
    let made = asking.made.into_inner();
    let done = Done { tried, made, boot };
    let recorded = committed(cp, &what, |state| mounted::outcome(cp, state, step, &done)).await;
    if let Err(error) = recorded {
        tracing::error!("{what} cannot be recorded: {error}");
    }
}

/// What a try came to, and what it left on the host.
pub(super) struct Done {
    pub tried: Tried,
    /// The topmost folder that was made for a target path that a client named.
    pub made: Option<PathBuf>,
    /// The boot of the node in which it was tried.
    pub boot: String,
}

/// What every step needs.
struct Asking<'a> {
    cp: &'a ControlPlane,
    state: &'a State,
    connection: Connection,
    capabilities: NodeCapabilities,
    base: Option<&'a BaseDir>,
    made: OnceLock<PathBuf>,
}

impl Asking<'_> {
    async fn ask(&self, step: &Step) -> Result<Tried> {
        match step {
            Step::Stage(seen) => self.stage(&seen.row).await,
            Step::Expand(seen) => self.expand(&seen.row).await,
            Step::Clear(seen) => self.clear(&seen.row).await,
            Step::Unstage(seen) => self.unstage(&seen.row).await,
            Step::Publish(seen) => self.publish(&seen.row).await,
            Step::Unpublish(seen) => self.unpublish(&seen.row).await,
        }
    }

    async fn stage(&self, row: &Attachment) -> Result<Tried> {
        let Some(path) = &row.staging_path else {
            return Ok(Tried::Done(()));
        };
        let (root, folder) = (paths::root_of_ours(path), path.clone());
        on_host(move || folders::make(&root, &folder), path).await?;
        let stage = csi::NodeStageVolume {
            external_id: row.key.external_id.to_string(),
            publish_context: self.publish_context(row)?,
            staging_target_path: self.seen(path),
            capability: self.told(row)?,
            secrets: self
                .connection
                .secrets_with(&secrets(self.cp, self.state, row)?)
                .await?,
            volume_context: row.volume_context.clone(),
        };
        let about = About {
            external_id: &stage.external_id,
            path: &stage.staging_target_path,
            ..About::default()
        };
        Ok(match self.connection.node_stage_volume(&stage).await {
            Ok(()) => Tried::Done(()),
            Err(error) => Tried::failed(&error, &about, "mounting volumes: "),
        })
    }

    /// Takes down what a fence passed over.
    async fn clear(&self, row: &Attachment) -> Result<Tried> {
        for target in row.left.iter().flat_map(|left| &left.targets) {
            let none = || None;
            let unpublished = self.unpublish_at(&row.key, &target.path, target.named, none);
            let tried = unpublished.await?;
            if !matches!(tried, Tried::Done(())) {
                return Ok(tried);
            }
        }
        Ok(Tried::Done(()))
    }

    async fn unstage(&self, row: &Attachment) -> Result<Tried> {
        let cleared = self.clear(row).await?;
        if !matches!(cleared, Tried::Done(())) {
            return Ok(cleared);
        }
        let Some(path) = &row.staging_path else {
            return Ok(Tried::Done(()));
        };
        let unstage = csi::NodeUnstageVolume {
            external_id: row.key.external_id.to_string(),
            staging_target_path: self.seen(path),
        };
        let about = About {
            external_id: &unstage.external_id,
            path: &unstage.staging_target_path,
            ..About::default()
        };
        match self.connection.node_unstage_volume(&unstage).await {
            Ok(()) => vacated(path, None).await,
            Err(error) => Ok(Tried::failed(
                &error,
                &about,
                "could not detach from node: ",
            )),
        }
    }

    async fn publish(&self, claim: &Claim) -> Result<Tried> {
        let Some(attachment) = self.state.attachment(&claim.attachment_key()) else {
            return Err(Fault::Internal.into());
        };
        let row = &attachment.row;
        if let Some(refusal) = self.misplaced(claim).await? {
            return Ok(Tried::Refused(refusal));
        }
        let path = &claim.target_path;
        let parent = path.parent().unwrap_or(path).to_owned();
        let root = match claim.request.target_path {
            Some(_) => paths::root_above(self.state, &claim.node, path),
            None => paths::root_of_ours(path),
        };
        if let Some(made) = on_host(move || folders::make(&root, &parent), path).await?
            && claim.request.target_path.is_some()
        {
            self.made.get_or_init(|| made);
        }
        let publish = csi::NodePublishVolume {
            external_id: claim.external_id.to_string(),
            publish_context: self.publish_context(row)?,
            staging_target_path: self.staging(row),
            target_path: self.seen(path),
            capability: self.told(row)?,
            readonly: claim.read_only,
            secrets: self
                .connection
                .secrets_with(&secrets(self.cp, self.state, row)?)
                .await?,
            volume_context: row.volume_context.clone(),
        };
        let about = About {
            external_id: &publish.external_id,
            path: &publish.target_path,
            ..About::default()
        };
        Ok(match self.connection.node_publish_volume(&publish).await {
            Ok(()) => Tried::Done(()),
            Err(error) => Tried::failed(&error, &about, "mounting volumes: "),
        })
    }

    async fn unpublish(&self, claim: &Claim) -> Result<Tried> {
        let path = &claim.target_path;
        if self.in_the_way(claim).is_some() && claim.stage == Stage::Taken {
            // It was never published there: what is there is another's.
            return Ok(Tried::Done(()));
        }
        let is_named = claim.request.target_path.is_some();
        let made = || self.made_for(claim);
        self.unpublish_at(&claim.attachment_key(), path, is_named, made)
            .await
    }

    /// Unpublishes at a target path, which a client may have named, and removes what was made there,
    /// from the topmost folder down.
    async fn unpublish_at(
        &self,
        key: &AttachmentKey,
        path: &Path,
        is_named: bool,
        made: impl FnOnce() -> Option<PathBuf>,
    ) -> Result<Tried> {
        let unpublish = csi::NodeUnpublishVolume {
            external_id: key.external_id.to_string(),
            target_path: self.seen(path),
        };
        let about = About {
            external_id: &unpublish.external_id,
            path: &unpublish.target_path,
            ..About::default()
        };
        match self.connection.node_unpublish_volume(&unpublish).await {
            Ok(()) if !is_named || self.is_below_a_root(&key.node, path).await? => {
                vacated(path, made()).await
            }
            Ok(()) => Ok(Tried::Done(())),
            Err(error) => Ok(Tried::failed(
                &error,
                &about,
                "could not detach from node: ",
            )),
        }
    }

    /// A driver without EXPAND_VOLUME has nothing to do on a node.
    async fn expand(&self, row: &Attachment) -> Result<Tried> {
        let Some(expansion) = row
            .expansion
            .as_ref()
            .filter(|_| self.capabilities.supports_expand)
        else {
            return Ok(Tried::Done(()));
        };
        let staging = self.staging(row);
        let volume_path = match published(self.state, row) {
            Some(claim) => self.seen(&claim.target_path),
            None => staging.clone(),
        };
        let expand = csi::NodeExpandVolume {
            external_id: row.key.external_id.to_string(),
            volume_path,
            capacity_range: CapacityRange {
                required_bytes: expansion.bytes,
                limit_bytes: 0,
            },
            staging_target_path: staging,
            capability: Some(self.told(row)?),
            secrets: self
                .connection
                .secrets_with(&secrets(self.cp, self.state, row)?)
                .await?,
        };
        let about = About {
            external_id: &expand.external_id,
            path: &expand.volume_path,
            ..About::default()
        };
        Ok(match self.connection.node_expand_volume(&expand).await {
            Ok(_) => Tried::Done(()),
            Err(error) => Tried::failed(&error, &about, ""),
        })
    }

    /// Why a volume must not be published where the claim wants it, if it must not.
    async fn misplaced(&self, claim: &Claim) -> Result<Option<Failure>> {
        let shown = claim.target_path.display();
        let text = if let Some(other) = self.in_the_way(claim) {
            place::taken(claim, other)
        } else if claim.request.target_path.is_some()
            && !self
                .is_below_a_root(&claim.node, &claim.target_path)
                .await?
        {
            format!("TargetPath {shown} leads out of the folders for target paths")
        } else {
            return Ok(None);
        };
        Ok(Some(Failure {
            error: Fault::RefusedLocally(text).into(),
            code: None,
        }))
    }

    /// An older claim with the same target path as one that was asked for, or one above or below it.
    fn in_the_way(&self, claim: &Claim) -> Option<&Claim> {
        claim.request.target_path.as_ref()?;
        let age = |claim: &Claim| (claim.created_at, claim.key());
        let others = self.state.claims_on(&claim.node).map(|other| &other.row);
        place::in_the_way(others.filter(|other| age(other) < age(claim)), claim)
    }

    /// The topmost folder that was made for a claim, unless another claim's path is below it.
    fn made_for(&self, claim: &Claim) -> Option<PathBuf> {
        let made = claim.made_folder.clone()?;
        let state = self.cp.state();
        let mut others = state.claims_on(&claim.node).map(|other| &other.row);
        let is_shared =
            others.any(|other| other.key() != claim.key() && other.target_path.starts_with(&made));
        (!is_shared).then_some(made)
    }

    /// Whether a path leads to below one of the node's folders for target paths.
    async fn is_below_a_root(&self, node: &NodeId, path: &Path) -> Result<bool> {
        let node = self.state.node(node);
        let roots = node
            .map(|node| node.row.target_roots.clone())
            .unwrap_or_default();
        let target = path.to_owned();
        on_host(move || Ok(folders::is_below(&target, &roots)), path).await
    }

    fn told(&self, row: &Attachment) -> Result<csi::Capability> {
        let knows_young_modes = self.capabilities.supports_single_node_multi_writer;
        let options = row.mount_options.open(self.cp, &row.volume)?;
        Ok(row.capability.told(knows_young_modes, &options))
    }

    fn publish_context(&self, row: &Attachment) -> Result<csi::PublishContext> {
        let owner = Attachment::owner_of_context(&row.key);
        self.cp.open(&owner, row.publish_context.as_ref())
    }

    /// A path as the driver sees it.
    fn seen(&self, path: &Path) -> String {
        paths::for_driver(self.base, path).display().to_string()
    }

    fn staging(&self, row: &Attachment) -> String {
        let path = row.staging_path.as_deref();
        path.map(|path| self.seen(path)).unwrap_or_default()
    }
}

/// Does something with the host's folders on a thread that may wait.
async fn on_host<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    path: &Path,
) -> Result<T> {
    let failed = |text: String| {
        let text = format!("{}: {text}", path.display());
        Error::from(Fault::HostFailed(text))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Sees that nothing is mounted at a path any more, whatever the driver said, and removes what was
/// made there.
async fn vacated(path: &Path, topmost: Option<PathBuf>) -> Result<Tried> {
    let vacated = path.to_owned();
    let is_mounted = move || {
        let is_mounted = folders::is_mounted(&vacated)?;
        if !is_mounted {
            folders::remove(&vacated, topmost.as_deref());
        }
        Ok(is_mounted)
    };
    if on_host(is_mounted, path).await? {
        let shown = path.display();
        let text = format!(
            "could not detach from node: the driver said OK, but something is still mounted at {shown}"
        );
        return Err(Fault::HostFailed(text).into());
    }
    Ok(Tried::Done(()))
}
