//! `saddlebag node`: the hosts that volumes are used on.

mod fence;
mod status;

use crate::cli::allocations;
use crate::cli::connection::{Connection, Session, given};
use crate::cli::failure::{Exit, Failure};
use crate::cli::screen::Screen;
use crate::cli::table::Table;
use saddlebag_client::types::NodeStub;
use std::process::ExitCode;
use uuid::Uuid;

/// The hosts that volumes are used on.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List nodes.
    #[command(after_help = "Example:\n  saddlebag node list")]
    List(List),
    /// Show a node: whether it takes claims, its plugins, the volumes that are used there.
    #[command(after_help = "Example:\n  saddlebag node status 3c0f6a52")]
    Status(status::Args),
    /// Give your word that nothing on a node uses a volume any more, or ever will.
    ///
    /// Say so only of a host that is switched off, destroyed, or cut off from the storage. All that was claimed there is
    /// then released without asking the node, and can be claimed elsewhere. If it is not so, two hosts write to one
    /// volume, and its data is lost.
    #[command(
        after_help = "Example:\n  saddlebag node fence --reason 'the host burnt down' 3c0f6a52-7b0e-4f5e-8a61-0d5f4b1c9e77"
    )]
    Fence(fence::Fence),
    /// Take a fence away: the node may have volumes again.
    ///
    /// First see that nothing there still has a volume mounted; start the host anew if in doubt. What was released stays
    /// released.
    #[command(
        after_help = "Example:\n  saddlebag node unfence 3c0f6a52-7b0e-4f5e-8a61-0d5f4b1c9e77"
    )]
    Unfence(fence::Unfence),
}

#[derive(Debug, Default, clap::Args)]
struct List {
    /// Only nodes whose ids begin with this.
    #[arg(value_name = "PREFIX")]
    prefix: Option<String>,

    /// The answer as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Ids alone, one in a line.
    #[arg(long, short)]
    quiet: bool,

    /// Whole ids.
    #[arg(long)]
    verbose: bool,
}

/// Does what the command says. Failures are told on standard error.
pub async fn run(args: Args) -> ExitCode {
    match answer(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

async fn answer(args: Args) -> Result<(), Failure> {
    let session = args.connection.open()?;
    match args.command {
        Command::List(args) => list(&session, args).await,
        Command::Status(args) => status::run(&session, args).await,
        Command::Fence(args) => fence::fence(&session, args).await,
        Command::Unfence(args) => fence::unfence(&session, args).await,
    }
}

async fn list(session: &Session, args: List) -> Result<(), Failure> {
    let nodes = nodes(session, args.prefix.as_deref()).await?;
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&nodes);
    }
    if args.quiet {
        nodes
            .iter()
            .for_each(|node| screen.show(&format!("{}\n", node.id)));
    } else if nodes.is_empty() {
        screen.show("No nodes\n");
    } else {
        screen.show(&table(&nodes, args.verbose));
    }
    Ok(())
}

pub(super) async fn nodes(
    session: &Session,
    prefix: Option<&str>,
) -> Result<Vec<NodeStub>, Failure> {
    let request = given!(
        session.client.list_nodes(),
        region: session.region.as_deref(),
        prefix: prefix,
    );
    let listed = request.send().await.map_err(|error| session.failure(error));
    Ok(listed?.into_inner())
}

fn table(nodes: &[NodeStub], verbose: bool) -> String {
    let mut table = Table::new(&["ID", "Name", "Eligibility", "Status", "Why"]);
    for node in nodes {
        table.row([
            &allocations::id(&node.id, verbose),
            &node.name,
            &node.scheduling_eligibility,
            &node.status,
            &node.status_description,
        ]);
    }
    table.text()
}

/// The whole id of the node whose id is, or begins with, what was asked for.
pub(super) async fn find(session: &Session, asked: &str) -> Result<String, Failure> {
    if Uuid::try_parse(asked).is_ok() {
        return Ok(asked.to_lowercase());
    }
    let asked = asked.to_lowercase();
    match nodes(session, Some(&asked)).await?.as_slice() {
        [only] => Ok(only.id.clone()),
        [] => Err(Failure::new(
            Exit::NotFound,
            format!("no node's id begins with {asked:?}"),
            &["See what there is: saddlebag node list"],
        )),
        several => Err(Failure::new(
            Exit::NotFound,
            format!(
                "{asked:?} is the beginning of several ids:\n\n{}",
                table(several, true)
            ),
            &["Give one of them in full"],
        )),
    }
}
