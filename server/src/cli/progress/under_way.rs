//! What a command changes, and what of it the server is at.

use super::{of_claim, of_operation};
use crate::cli::connection::{Session, given};
use crate::cli::failure::{Exit, Failure, word};
use jiff::Timestamp;
use saddlebag_client::types::{Claim, Operation};
use std::time::Duration;
use tokio::time::timeout;

/// What a command changes.
pub enum Subject<'a> {
    /// These volumes of a namespace.
    Volumes {
        /// Their namespace.
        namespace: &'a str,
        /// Their ids.
        ids: &'a [String],
    },
    /// A snapshot.
    Snapshot {
        /// The plugin that holds it.
        plugin: &'a str,
        /// Its id at the driver.
        id: &'a str,
    },
    /// A claim, which is taken or released.
    Claim(ClaimName<'a>),
    /// The claims of a volume that leave a node.
    Leaving {
        /// The volume's namespace.
        namespace: &'a str,
        /// The volume's id.
        volume: &'a str,
        /// The node's id.
        node: &'a str,
    },
}

/// Which claim.
#[derive(Clone, Copy)]
pub struct ClaimName<'a> {
    /// The volume's namespace.
    pub namespace: &'a str,
    /// The volume's id.
    pub volume: &'a str,
    /// The claim's own name, a UUID.
    pub allocation: &'a str,
}

/// What the server is at.
pub(super) enum UnderWay {
    /// A change at the storage.
    Operation(Box<Operation>),
    /// A claim, or its release.
    Claim(Box<Claim>),
}

impl UnderWay {
    /// What it is at, in one line.
    pub fn standing(&self, now: Timestamp) -> String {
        match self {
            Self::Operation(operation) => of_operation(operation, now),
            Self::Claim(claim) => {
                let what = kind(claim);
                format!(
                    "{what} of volume {}: {}",
                    claim.volume_id,
                    of_claim(claim, now)
                )
            }
        }
    }
}

fn kind(claim: &Claim) -> &'static str {
    match claim.release_time {
        None => "claim",
        Some(_) => "release",
    }
}

impl Subject<'_> {
    /// What of it is under way now.
    pub(super) async fn under_way(&self, session: &Session) -> Option<UnderWay> {
        const PATIENCE: Duration = Duration::from_secs(2);
        let looked = async {
            match self {
                Self::Volumes { .. } | Self::Snapshot { .. } => self.operation(session).await,
                Self::Claim(name) => name.claim(session).await,
                Self::Leaving { .. } => self.leaving(session).await,
            }
        };
        timeout(PATIENCE, looked).await.ok()?
    }

    async fn operation(&self, session: &Session) -> Option<UnderWay> {
        let request = given!(session.client.list_operations(), region: session.region.as_deref());
        let request = match self {
            Self::Volumes { ids: [id], .. } => request.volume_id(id),
            Self::Snapshot { plugin, .. } => request.plugin_id(*plugin),
            _ => request,
        };
        let mut operations = request.send().await.ok()?.into_inner().into_iter();
        let found = operations.find(|it| it.end_time.is_none() && self.is_of(it));
        found.map(|operation| UnderWay::Operation(Box::new(operation)))
    }

    fn is_of(&self, operation: &Operation) -> bool {
        match self {
            Self::Volumes { namespace, ids } => {
                operation.namespace == *namespace && ids.contains(&operation.volume_id)
            }
            Self::Snapshot { plugin, id } => {
                operation.plugin_id == *plugin && operation.snapshot_id == *id
            }
            Self::Claim(_) | Self::Leaving { .. } => false,
        }
    }

    async fn leaving(&self, session: &Session) -> Option<UnderWay> {
        let Self::Leaving {
            namespace,
            volume,
            node,
        } = self
        else {
            return None;
        };
        let request = given!(
            session.client.list_claims().volume_id(*volume).namespace(*namespace),
            region: session.region.as_deref(),
        );
        let mut claims = request.send().await.ok()?.into_inner().into_iter();
        let found = claims.find(|claim| claim.node_id == *node && is_leaving(claim));
        found.map(|claim| UnderWay::Claim(Box::new(claim)))
    }

    /// What is told to who leaves by Ctrl-C.
    pub(super) async fn left_behind(&self, session: &Session) -> Failure {
        let (message, next) = match self.under_way(session).await {
            Some(UnderWay::Operation(operation)) => (
                format!("left; the {} goes on", operation.kind),
                vec![
                    format!("See how it is: saddlebag operation status {}", operation.id),
                    "The same command again waits for it".to_owned(),
                ],
            ),
            Some(UnderWay::Claim(claim)) => {
                let volume = word(&claim.volume_id);
                let then = match claim.release_time {
                    None => format!(
                        "Give it back: saddlebag volume release {volume} {}",
                        claim.allocation_id
                    ),
                    Some(_) => "The same command again waits for it".to_owned(),
                };
                (
                    format!("left; the {} goes on", kind(&claim)),
                    vec![
                        format!("See how it is: saddlebag volume claims {volume}"),
                        then,
                    ],
                )
            }
            None => (
                "left before the answer; what was asked for may go on".to_owned(),
                vec![match self {
                    Self::Claim(ClaimName { volume, .. }) | Self::Leaving { volume, .. } => {
                        format!("See what goes on: saddlebag volume claims {}", word(volume))
                    }
                    Self::Volumes { .. } | Self::Snapshot { .. } => {
                        "See what goes on: saddlebag operation list".to_owned()
                    }
                }],
            ),
        };
        let next: Vec<&str> = next.iter().map(String::as_str).collect();
        Failure::new(Exit::Left, message, &next)
    }
}

impl ClaimName<'_> {
    async fn claim(&self, session: &Session) -> Option<UnderWay> {
        let request = given!(
            session
                .client
                .read_claim()
                .volume_id(self.volume)
                .alloc_id(self.allocation)
                .namespace(self.namespace),
            region: session.region.as_deref(),
        );
        let claim = request.send().await.ok()?.into_inner();
        (!claim.step.is_empty()).then(|| UnderWay::Claim(Box::new(claim)))
    }
}

/// Whether a claim is on its way out, and not at its end.
pub(in crate::cli) fn is_leaving(claim: &Claim) -> bool {
    claim.release_time.is_some() && !has_ended(claim)
}

/// Whether a claim is at its end, for whatever reason.
pub(in crate::cli) fn has_ended(claim: &Claim) -> bool {
    matches!(claim.state.as_str(), "gone" | "failed")
}
