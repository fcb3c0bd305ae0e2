//! One try to attach a volume to a node, or to detach it.

use super::record::{Failure, Tried, committed};
use crate::attachment::{Attachment, Event, Stage};
use crate::claim::moves::Moves;
use crate::control::ControlPlane;
use crate::csi::{self, About, Connection, PublishContext, Secrets};
use crate::error::{Error, Fault, Result};
use crate::state::{State, Stored};
use crate::store::Transaction;
use crate::volume::Volume;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;

/// What is to be done at the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Attach,
    Detach,
}

impl Step {
    /// The step that is due; `None`: none at the controller.
    pub fn of(state: &State, attachment: &Attachment) -> Option<Self> {
        match (attachment.stage, attachment.leaving) {
            (Stage::Wanted, false) => Some(Self::Attach),
            (Stage::Wanted, true) => Some(Self::Detach),
            (Stage::Unstaged, true) => (!attachment.awaits_node(state)).then_some(Self::Detach),
            _ => None,
        }
    }
}

/// What a controller said when it did it.
enum Told {
    Attached(PublishContext),
    Detached,
}

/// Tries once, and records what it came to. Nothing happens without a healthy controller.
pub(super) async fn take(cp: &ControlPlane, seen: &Stored<Attachment>) {
    let row = &seen.row;
    let state = cp.state();
    let Some(step) = Step::of(&state, row) else {
        return;
    };
    let Ok(connection) = cp.drivers.controller(&state, &row.key.plugin) else {
        return;
    };
    let what = match step {
        Step::Attach => format!("attaching {} to node {}", row.key.external_id, row.key.node),
        Step::Detach => format!(
            "detaching {} from node {}",
            row.key.external_id, row.key.node
        ),
    };
    let asked = AssertUnwindSafe(ask(cp, &state, &connection, row, step)).catch_unwind();
    let tried = asked.await.unwrap_or_else(|_| Err(Fault::Internal.into()));
    let tried = tried.unwrap_or_else(Tried::hindered);
    tried.tell(&what);
    let recorded = committed(cp, &what, |state| outcome(cp, state, seen, step, &tried)).await;
    if let Err(error) = recorded {
        let text = format!("what the driver answered cannot be stored: {error}");
        let refused = Tried::Refused(Failure {
            error: Fault::DriverFailed(text).into(),
            code: None,
        });
        let again = committed(cp, &what, |state| outcome(cp, state, seen, step, &refused));
        if let Err(error) = again.await {
            tracing::error!("{what} cannot be recorded: {error}");
        }
    }
}

async fn ask(
    cp: &ControlPlane,
    state: &State,
    connection: &Connection,
    row: &Attachment,
    step: Step,
) -> Result<Tried<Told>> {
    let secrets = connection.secrets_with(&secrets(cp, state, row)?).await?;
    let about = About {
        external_id: row.key.external_id.as_str(),
        node_id: &row.external_node_id,
        ..About::default()
    };
    Ok(match step {
        Step::Attach => {
            let plugin = state.plugin(&row.key.plugin);
            let knows_young_modes = plugin
                .and_then(|plugin| plugin.controller_info())
                .is_some_and(|controller| controller.supports_single_node_multi_writer);
            let publish = csi::ControllerPublishVolume {
                external_id: row.key.external_id.to_string(),
                external_node_id: row.external_node_id.clone(),
                capability: row
                    .capability
                    .told(knows_young_modes, &row.mount_options.open(cp, &row.volume)?),
                readonly: row.read_only,
                secrets,
                volume_context: row.volume_context.clone(),
            };
            match connection.controller_publish_volume(&publish).await {
                Ok(context) => Tried::Done(Told::Attached(context)),
                Err(error) => Tried::failed(&error, &about, "controller publish: "),
            }
        }
        Step::Detach => {
            let unpublish = csi::ControllerUnpublishVolume {
                external_id: row.key.external_id.to_string(),
                external_node_id: row.external_node_id.clone(),
                secrets,
            };
            match connection.controller_unpublish_volume(&unpublish).await {
                Ok(()) => Tried::Done(Told::Detached),
                Err(error) => Tried::failed(&error, &about, "could not detach from controller: "),
            }
        }
    })
}

/// The secrets for calls about an attachment: the volume's, as they are now; those that it came with
/// once the volume is gone.
pub(super) fn secrets(cp: &ControlPlane, state: &State, row: &Attachment) -> Result<Secrets> {
    match state.volume(&row.volume).map(|entry| entry.stored().row) {
        Some(volume) if volume.remote_id() == row.key.external_id => {
            cp.open(&Volume::owner(&volume.key), volume.secrets.as_ref())
        }
        _ => cp.open(&Attachment::owner(&row.key), row.secrets.as_ref()),
    }
}

/// What becomes of the attachment. Nothing, if its way has turned meanwhile: then what was tried is
/// undone, or done, by the steps that follow.
fn outcome(
    cp: &ControlPlane,
    state: &State,
    tried_on: &Stored<Attachment>,
    step: Step,
    tried: &Tried<Told>,
) -> Result<Option<Transaction>> {
    let Some(seen) = state
        .attachment(&tried_on.row.key)
        .filter(|seen| seen.row.id == tried_on.row.id && Step::of(state, &seen.row) == Some(step))
    else {
        return Ok(None);
    };
    let mut moves = Moves::at(cp, state);
    match tried {
        Tried::Done(Told::Attached(context)) => {
            let mut attached = seen.row.clone();
            attached.publish_context =
                cp.seal(&Attachment::owner_of_context(&attached.key), context)?;
            moves.happen(seen, attached, Event::Attached)?;
        }
        Tried::Done(Told::Detached) => {
            let mut detached = seen.row.clone();
            detached.expansion = None;
            let parting = detached.parting();
            moves.happen(seen, detached, parting)?;
        }
        Tried::Refused(Failure { error, code }) => {
            moves.refuse(seen, &named(error, &seen.row), code.as_deref())?;
        }
        Tried::Unclear(failure) => {
            let mut again = seen.row.clone();
            failure.count(cp, &mut again.tries);
            if let Some(left) = &mut again.left {
                left.refused = true;
            }
            moves.put_attachment(seen, again)?;
        }
    }
    Ok(Some(moves.into_transaction()))
}

/// Names what an error of an attachment concerns.
pub(super) fn named(error: &Error, row: &Attachment) -> Error {
    let error = error.clone().volume(&row.volume.id);
    error.plugin(&row.key.plugin).node(&row.key.node)
}
