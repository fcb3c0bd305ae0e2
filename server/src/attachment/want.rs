//! New attachments: what a claim needs from its node.

use super::{Attachment, Event, Expansion, Next, Stage};
use crate::claim::Claim;
use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result};
use crate::node::paths;
use crate::operation::verbs::ONLY_GENERATION;
use crate::plugin::Plugin;
use crate::state::State;
use crate::tries::Tries;
use crate::volume::Volume;

impl Attachment {
    /// The attachment that a claim of this volume brings, where there is none.
    pub(crate) fn wanted(
        cp: &ControlPlane,
        state: &State,
        claim: &Claim,
        volume: &Volume,
    ) -> Result<Self> {
        let key = claim.attachment_key();
        let (plugin, node) = node_of(state, claim)?;
        let controller = plugin.controller_info().filter(|_| {
            let health = plugin.health();
            health.controller_required
        });
        let stages = node.capabilities.requires_node_stage_volume;
        let staging_path = match stages {
            true => Some(paths::staging(state, &key)?),
            false => None,
        };
        let publishes_read_only = controller.is_some_and(|c| c.supports_read_only_attach);
        let mut waiting = state.users(&key).filter(|user| {
            let claim = &user.row;
            claim.attachment.is_none() && !claim.is_leaving()
        });
        let others_read = waiting.all(|user| user.row.read_only);
        let pending = state
            .backing(&key.plugin, &key.external_id)
            .into_iter()
            .flat_map(|backing| &backing.row.volumes)
            .filter_map(|volume| state.volume(volume))
            .any(|entry| entry.stored().row.node_expansion_pending);
        let owner = Self::owner(&key);
        let secrets = cp.open(&Volume::owner(&volume.key), volume.secrets.as_ref())?;
        let now = cp.clock.now();
        let staged_in = state.boot_of(&claim.node).to_owned();
        let mut attachment = Self {
            key: key.clone(),
            id: cp.chance.uuid(),
            volume: volume.key.clone(),
            external_node_id: node.id.clone(),
            capability: claim.capability,
            mount_options: claim.mount_options.clone(),
            read_only: publishes_read_only && claim.read_only && others_read,
            volume_context: volume.context.clone(),
            secrets: cp.seal(&owner, &secrets)?,
            publish_context: None,
            attaches: controller.is_some_and(|c| c.supports_attach_detach),
            staging_path,
            stage: Stage::Wanted,
            leaving: false,
            failure: None,
            failure_code: None,
            expansion: pending.then(|| Expansion::of(volume.capacity)),
            left: None,
            tries: Tries::default(),
            boot: staged_in,
            generation: ONLY_GENERATION,
            created_at: now,
            since: now,
            intended: None,
        };
        attachment.skip();
        Ok(attachment)
    }

    /// What it is when its controller has detached it, or need not.
    pub(crate) fn parting(&self) -> Event {
        match self.left {
            Some(_) => Event::Severed,
            None => Event::Detached,
        }
    }

    /// Goes on over the steps that its driver does not have.
    pub(crate) fn skip(&mut self) -> Next {
        loop {
            let has_to_unstage = self.staging_path.is_some() || self.left.is_some();
            let event = match (self.stage, self.leaving) {
                (Stage::Wanted, false) if !self.attaches => Event::Attached,
                (Stage::Attached, false) if self.staging_path.is_none() => Event::Staged,
                (Stage::Attached | Stage::Staged, true) if !has_to_unstage => Event::Unstaged,
                (Stage::Wanted | Stage::Unstaged, true) if !self.attaches => self.parting(),
                _ => return Next::At(self.stage),
            };
            match self.stage.next(self.leaving, event) {
                Ok(Next::At(stage)) => self.stage = stage,
                Ok(Next::Gone) => return Next::Gone,
                Err(_) => return Next::At(self.stage),
            }
        }
    }
}

impl Expansion {
    /// To this size; not tried yet.
    pub(crate) fn of(bytes: i64) -> Self {
        Self {
            bytes,
            refused: None,
            tries: Tries::default(),
        }
    }
}

/// The plugin of a claim, and what the driver says of the claim's node.
fn node_of<'s>(state: &'s State, claim: &Claim) -> Result<(&'s Plugin, &'s crate::csi::NodeInfo)> {
    let gone = || Error::from(Fault::PluginOfClaimNotFound(claim.plugin.to_string()));
    let plugin = state.plugin(&claim.plugin).ok_or_else(gone)?;
    let node = plugin
        .node_info(&claim.node)
        .ok_or_else(|| missing_from(claim))?;
    Ok((plugin, node))
}

fn missing_from(claim: &Claim) -> Error {
    let text = format!(
        "CSI plugin {} is missing from client {}",
        claim.plugin, claim.node
    );
    Error::from(Fault::NoInstance(text))
        .plugin(&claim.plugin)
        .node(&claim.node)
}
