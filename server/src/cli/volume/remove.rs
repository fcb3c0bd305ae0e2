//! `saddlebag volume deregister`, `delete` and `detach`.

use super::secrets;
use crate::cli::connection::{Session, given, secret};
use crate::cli::duration;
use crate::cli::failure::Failure;
use crate::cli::progress::{Subject, wait};
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
    let ids = [args.id];
    let ([id], node) = (&ids, args.node);
    let request = given!(
        session
            .client
            .detach_volume()
            .volume_id(id)
            .node(&node)
            .namespace(session.namespace())
            .wait(args.wait),
        region: session.region.as_deref(),
    );
    wait(session, volumes(session, &ids), request.send()).await?;
    Screen::new().show(&format!("Volume {id} is not attached to node {node}\n"));
    Ok(())
}

fn volumes<'a>(session: &'a Session, ids: &'a [String]) -> Subject<'a> {
    Subject::Volumes {
        namespace: session.namespace(),
        ids,
    }
}
