//! Commits what a try came to, for as long as the store takes to take it.

use super::backoff;
use crate::control::ControlPlane;
use crate::csi::{About, CallError, Origin};
use crate::error::{Error, Fault, Result};
use crate::state::State;
use crate::store::Transaction;
use crate::tries::{Tries, Trouble};
use std::time::Duration;

/// What a try of a step came to.
pub(super) enum Tried<Told> {
    /// The driver did it and said this.
    Done(Told),
    /// It will not be done.
    Refused(Failure),
    /// It has to be tried again.
    Unclear(Failure),
}

/// How a try failed.
pub(super) struct Failure {
    /// With Nomad's text.
    pub error: Error,
    /// The gRPC code by name; none if the driver was not asked.
    pub code: Option<String>,
}

impl<Told> Tried<Told> {
    /// What a failed call is, with Nomad's words around its text.
    pub fn failed(error: &CallError, about: &About<'_>, prefix: &str) -> Self {
        let failure = Failure {
            error: super::fault_of(error, about).prefixed(prefix).into(),
            code: (error.origin != Origin::Here).then(|| error.code.to_string()),
        };
        match super::fault::is_final(error) {
            true => Self::Refused(failure),
            false => Self::Unclear(failure),
        }
    }

    /// Something of ours stood in the way; it may be gone later.
    pub fn hindered(error: Error) -> Self {
        Self::Unclear(Failure { error, code: None })
    }

    /// For the log.
    pub fn tell(&self, what: &str) {
        match self {
            Self::Done(_) => tracing::debug!("{what}: done"),
            Self::Refused(failure) => tracing::warn!("{what}: refused: {}", failure.error),
            Self::Unclear(failure) => {
                tracing::warn!("{what}: will be tried again: {}", failure.error);
            }
        }
    }
}

impl Failure {
    /// Counts it, and sets the time of the next try.
    pub fn count(&self, cp: &ControlPlane, tries: &mut Tries) {
        tries.attempts = tries.attempts.saturating_add(1);
        let wait = backoff::after(&cp.chance, tries.attempts);
        tries.trouble = Some(Trouble {
            error: self.error.clone(),
            code: self.code.clone(),
            next_try: cp.clock.after(wait),
        });
    }
}

/// Commits what `changes` makes of the newest state, until that is committed or it makes nothing of
/// it any more. The error is that it is larger than a store takes.
pub(super) async fn committed(
    cp: &ControlPlane,
    what: &str,
    changes: impl Fn(&State) -> Result<Option<Transaction>>,
) -> Result<()> {
    let mut refusals = 0;
    loop {
        let committed = match changes(&cp.state()) {
            Ok(Some(transaction)) => cp.commit(transaction).await,
            Ok(None) => return Ok(()),
            Err(error) => Err(error),
        };
        match committed {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => {}
            Err(error) if matches!(error.fault, Fault::BodyTooLarge(_)) => return Err(error),
            Err(error) => {
                refusals += 1;
                tracing::error!("{what} is not recorded yet: {error}");
                let wait =
                    Duration::try_from(backoff::after(&cp.chance, refusals)).unwrap_or_default();
                tokio::time::sleep(wait).await;
            }
        }
    }
}
