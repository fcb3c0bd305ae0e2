//! Moves claims and attachments on where no driver has to be asked: a node was booted anew or is fenced,
//! what they waited for is there, or failed, or is gone.
//!
//! What a commit touched is looked at; what is at rest on a node when the node changes; all that is not
//! at rest when a plugin changes.

use super::backoff;
use crate::attachment::AttachmentKey;
use crate::claim::ClaimKey;
use crate::claim::settle::{settle_attachment, settle_claim};
use crate::control::ControlPlane;
use crate::error::Result;
use crate::state::{State, Touched};
use crate::store::Transaction;
use std::collections::BTreeSet;
use std::time::Duration;

/// Works until the task is dropped.
pub async fn work(cp: ControlPlane) {
    let attention = cp.live.attend();
    let state = cp.state();
    let mut look = Look::default();
    look.add_restless(&state);
    look.add(
        &state,
        &Touched {
            nodes: state.nodes().map(|node| node.row.id.clone()).collect(),
            ..Touched::default()
        },
    );
    let mut refusals = 0;
    loop {
        match settle(&cp, &look).await {
            Ok(()) => {
                refusals = 0;
                look = Look::default();
                let touched = attention.touched().await;
                look.add(&cp.state(), &touched);
            }
            Err(error) => {
                refusals += 1;
                tracing::error!("claims are not settled yet: {error}");
                let wait =
                    Duration::try_from(backoff::after(&cp.chance, refusals)).unwrap_or_default();
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// What may have to move.
#[derive(Default)]
struct Look {
    claims: BTreeSet<ClaimKey>,
    attachments: BTreeSet<AttachmentKey>,
}

impl Look {
    /// What commits may have set in motion.
    fn add(&mut self, state: &State, touched: &Touched) {
        if !touched.plugins.is_empty() {
            self.add_restless(state);
        }
        for node in &touched.nodes {
            let claims = state.claims_on(node);
            self.claims.extend(claims.map(|claim| claim.row.key()));
            let attachments = state.attachments_on(node);
            self.attachments
                .extend(attachments.map(|attachment| attachment.row.key.clone()));
        }
        self.claims.extend(touched.claims.iter().cloned());
        self.attachments.extend(touched.attachments.iter().cloned());
        let claims = touched.claims.iter().filter_map(|claim| state.claim(claim));
        self.attachments
            .extend(claims.map(|claim| claim.row.attachment_key()));
    }

    fn add_restless(&mut self, state: &State) {
        let claims = state.restless_claims();
        self.claims.extend(claims.map(|claim| claim.row.key()));
        let attachments = state.restless_attachments();
        self.attachments
            .extend(attachments.map(|attachment| attachment.row.key.clone()));
    }
}

/// Moves on what has to move; what that sets in motion is touched by it.
async fn settle(cp: &ControlPlane, look: &Look) -> Result<()> {
    for key in &look.claims {
        until_settled(cp, |state| match state.claim(key) {
            Some(claim) => settle_claim(cp, state, claim),
            None => Ok(None),
        })
        .await?;
    }
    for key in &look.attachments {
        until_settled(cp, |state| match state.attachment(key) {
            Some(attachment) => settle_attachment(cp, state, attachment),
            None => Ok(None),
        })
        .await?;
    }
    Ok(())
}

/// Commits what there is to be changed, until there is nothing. What cannot be changed for now (a claim
/// that wants an attachment of a plugin that is gone) stays until something changes.
async fn until_settled(
    cp: &ControlPlane,
    changes: impl Fn(&State) -> Result<Option<Transaction>>,
) -> Result<()> {
    loop {
        match changes(&cp.state()) {
            Ok(Some(transaction)) => {
                cp.commit(transaction).await?;
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::debug!("a claim waits: {error}");
                return Ok(());
            }
        }
    }
}
