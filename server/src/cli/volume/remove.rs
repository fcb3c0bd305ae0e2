//! `saddlebag volume deregister`, `delete` and `detach`.

use super::{claims, secrets};
use crate::cli::connection::{Session, given, secret};
use crate::cli::duration;
use crate::cli::failure::{Exit, Failure, word};
use crate::cli::progress::{Subject, is_leaving, wait};
use crate::cli::screen::Screen;
use crate::csi::Secret;
use saddlebag_client::GoDuration;

#[derive(Debug, clap::Args)]
pub(super) struct Deregister {
    /// The volume's id, in full.
    #[arg(value_name = "ID")]
    id: String,

    /// Even if allocations that have ended still hold it.
    #[arg(long)]
    force: bool,

    /// How long to wait for the outcome; the work goes on after it.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "120s")]
    wait: GoDuration,
}

#[derive(Debug, clap::Args)]
pub(super) struct Delete {
    /// The volume's id, in full.
    #[arg(value_name = "ID")]
    id: String,

    /// A secret for the driver, merged over the volume's own; may be repeated.
    #[arg(long = "secret", value_name = "KEY=VALUE", value_parser = secret)]
    secrets: Vec<Secret>,

    /// How long to wait for the outcome; the work goes on after it.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "120s")]
    wait: GoDuration,
}

#[derive(Debug, clap::Args)]
pub(super) struct Detach {
    /// The volume's id, in full.
    #[arg(value_name = "ID")]
    id: String,

    /// The node's id, in full.
    #[arg(value_name = "NODE")]
    node: String,

    /// How long to wait for the outcome; the work goes on after it.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "120s")]
    wait: GoDuration,
}

pub(super) async fn deregister(session: &Session, args: Deregister) -> Result<(), Failure> {
    let ids = [args.id];
    let [id] = &ids;
    let request = given!(
        session.client.deregister_volume().volume_id(id).namespace(session.namespace()).wait(args.wait),
        region: session.region.as_deref(),
        force: args.force.then_some(true),
    );
    wait(session, volumes(session, &ids), request.send()).await?;
    Screen::new().show(&format!(
        "Deregistered volume {id}; at the storage it stays\n"
    ));
    Ok(())
}

pub(super) async fn delete(session: &Session, args: Delete) -> Result<(), Failure> {
    let ids = [args.id];
    let [id] = &ids;
    let request = given!(
        session.client.delete_volume().volume_id(id).namespace(session.namespace()).wait(args.wait),
        region: session.region.as_deref(),
        x_nomad_csi_secrets: secrets::header(&args.secrets)?,
    );
    wait(session, volumes(session, &ids), request.send()).await?;
    Screen::new().show(&format!("Deleted volume {id} and its data\n"));
    Ok(())
}

pub(super) async fn detach(session: &Session, args: Detach) -> Result<(), Failure> {
    let (id, node) = (args.id, args.node);
    let leaving = leaving(session, &id, &node).await;
    let request = given!(
        session
            .client
            .detach_volume()
            .volume_id(&id)
            .node(&node)
            .namespace(session.namespace())
            .wait(args.wait),
        region: session.region.as_deref(),
    );
    let subject = Subject::Leaving {
        namespace: session.namespace(),
        volume: &id,
        node: &node,
    };
    match wait(session, subject, request.send()).await {
        Ok(_) => {}
        Err(failure) if failure.exit() == Exit::Failed && leaving > 0 => {
            return Err(failure.of_work_that_goes_on(&[
                "It is tried again, and the same command again waits for it",
                &format!("See how it is: saddlebag volume claims {}", word(&id)),
            ]));
        }
        Err(failure) => return Err(failure),
    }
    Screen::new().show(&match leaving {
        0 => format!("There was nothing of volume {id} to release from node {node}\n"),
        1 => format!("Released volume {id} from node {node}: 1 claim\n"),
        claims => format!("Released volume {id} from node {node}: {claims} claims\n"),
    });
    Ok(())
}

/// How many claims of a volume are on their way off a node. A server that does not tell has none.
async fn leaving(session: &Session, volume: &str, node: &str) -> usize {
    let claims = claims::all(session, volume).await.unwrap_or_default();
    let leaving = claims
        .iter()
        .filter(|it| it.node_id == node && is_leaving(it));
    leaving.count()
}

fn volumes<'a>(session: &'a Session, ids: &'a [String]) -> Subject<'a> {
    Subject::Volumes {
        namespace: session.namespace(),
        ids,
    }
}
