//! Moves claims and attachments on where no driver has to be asked: a node was booted anew or is fenced,
//! what they waited for is there, or failed, or is gone.
//!
//! What is at rest is looked at only when its node changes; all else after every commit.

use super::backoff;
use crate::attachment::Attachment;
use crate::claim::Claim;
use crate::claim::settle::{self, settle_attachment, settle_claim};
use crate::control::ControlPlane;
use crate::error::Result;
use crate::id::NodeId;
use crate::state::{State, Stored};
use crate::store::{Index, Transaction};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Works until the task is dropped.
pub async fn work(cp: ControlPlane) {
    let mut indexes = cp.live.indexes();
    let mut looked_at: HashMap<NodeId, Index> = HashMap::new();
    let mut refusals = 0;
    loop {
        indexes.mark_unchanged();
        let state = cp.state();
        let changed: Vec<_> = state
            .nodes()
            .filter(|node| looked_at.get(&node.row.id) != Some(&node.modified))
            .collect();
        let settled = async {
            for node in &changed {
                settle_node(&cp, &state, &node.row.id).await?;
            }
            settle_restless(&cp, &state).await
        };
        match settled.await {
            Ok(again) => {
                refusals = 0;
                let seen = changed
                    .iter()
                    .map(|node| (node.row.id.clone(), node.modified));
                looked_at.extend(seen);
                if again {
                    continue;
                }
                if indexes.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => {
                refusals += 1;
                tracing::error!("claims are not settled yet: {error}");
                let wait = Duration::try_from(backoff::after(refusals)).unwrap_or_default();
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// Moves on everything on a node, until nothing there moves any more.
async fn settle_node(cp: &ControlPlane, state: &State, node: &NodeId) -> Result<()> {
    for claim in state.claims_on(node) {
        until_settled(cp, || fresh_claim(cp, claim)).await?;
    }
    for attachment in state.attachments_on(node) {
        until_settled(cp, || fresh_attachment(cp, attachment)).await?;
    }
    Ok(())
}

/// Moves on everything that is not at rest; says whether anything moved.
async fn settle_restless(cp: &ControlPlane, state: &State) -> Result<bool> {
    let mut moved = false;
    for claim in state.restless_claims() {
        if !settle::is_claim_due(state, &claim.row) {
            continue;
        }
        moved |= until_settled(cp, || fresh_claim(cp, claim)).await?;
    }
    for attachment in state.restless_attachments() {
        if !settle::is_attachment_due(state, &attachment.row) {
            continue;
        }
        moved |= until_settled(cp, || fresh_attachment(cp, attachment)).await?;
    }
    Ok(moved)
}

fn fresh_claim(cp: &ControlPlane, seen: &Arc<Stored<Claim>>) -> Result<Option<Transaction>> {
    let state = cp.state();
    match state.claim(&seen.row.key()) {
        Some(claim) => settle_claim(cp, &state, claim),
        None => Ok(None),
    }
}

fn fresh_attachment(
    cp: &ControlPlane,
    seen: &Arc<Stored<Attachment>>,
) -> Result<Option<Transaction>> {
    let state = cp.state();
    match state.attachment(&seen.row.key) {
        Some(attachment) => settle_attachment(cp, &state, attachment),
        None => Ok(None),
    }
}

/// Commits what there is to be changed, until there is nothing; says whether there was anything. What
/// cannot be changed for now (a claim that wants an attachment of a plugin that is gone) stays.
async fn until_settled(
    cp: &ControlPlane,
    changes: impl Fn() -> Result<Option<Transaction>>,
) -> Result<bool> {
    let mut moved = false;
    loop {
        match changes() {
            Ok(Some(transaction)) => {
                cp.commit(transaction).await?;
                moved = true;
            }
            Ok(None) => return Ok(moved),
            Err(error) => {
                tracing::debug!("a claim waits: {error}");
                return Ok(moved);
            }
        }
    }
}
