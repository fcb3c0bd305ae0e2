//! `saddlebag node fence` and `saddlebag node unfence`.

use crate::cli::connection::{Session, given};
use crate::cli::failure::{Failure, word};
use crate::cli::screen::Screen;

#[derive(Debug, clap::Args)]
pub(super) struct Fence {
    /// The node's id, in full.
    #[arg(value_name = "ID")]
    id: String,

    /// How you know that nothing there uses a volume. Kept and shown with it.
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// The node as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Unfence {
    /// The node's id, in full.
    #[arg(value_name = "ID")]
    id: String,

    /// The node as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn fence(session: &Session, args: Fence) -> Result<(), Failure> {
    let request = given!(
        session.client.fence_node().node_id(&args.id).reason(&args.reason),
        region: session.region.as_deref(),
    );
    let answer = request.send().await;
    let node = answer.map_err(|error| session.failure(error))?.into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&node);
    }
    let reason = node.fence.map(|fence| fence.reason).unwrap_or_default();
    let (name, id) = (&node.name, word(&node.id));
    screen.show(&format!(
        "Fenced node {name}: {reason}\nWhat was claimed there is released without asking it; see what is left: \
         saddlebag node status {id}\n"
    ));
    Ok(())
}

pub(super) async fn unfence(session: &Session, args: Unfence) -> Result<(), Failure> {
    let request = given!(
        session.client.unfence_node().node_id(&args.id),
        region: session.region.as_deref(),
    );
    let answer = request.send().await;
    let node = answer.map_err(|error| session.failure(error))?.into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&node);
    }
    screen.show(&format!("Node {} is not fenced\n", node.name));
    Ok(())
}
