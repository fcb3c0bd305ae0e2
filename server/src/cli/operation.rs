//! `saddlebag operation`: what is under way at the storage, and why it waits.

mod show;

use crate::cli::connection::{Connection, Session, given};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use saddlebag_client::types::ListOperationsState;
use std::process::ExitCode;

/// What is under way at the storage, and why it waits.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List what is under way, or ended within the last hour; of all namespaces, unless one is given.
    #[command(
        after_help = "Example:\n  saddlebag operation list --volume pgdata\n  saddlebag operation list --state waiting"
    )]
    List(List),
    /// Show an operation: how often it was tried, what went wrong, when it is tried next.
    #[command(
        after_help = "Example:\n  saddlebag operation status 5f0c2b1e-8f4e-4c57-9d39-6a1f0c6e7b20"
    )]
    Status(Status),
    /// Try an operation again now, not when its pause ends.
    #[command(
        after_help = "Example:\n  saddlebag operation retry 5f0c2b1e-8f4e-4c57-9d39-6a1f0c6e7b20"
    )]
    Retry(Status),
    /// Give an operation up, for storage that is gone for good.
    ///
    /// What was done at the storage stays done: giving up a create may leave a volume that nobody knows, giving up a
    /// delete brings the volume back, in whatever state it is.
    #[command(
        after_help = "Example:\n  saddlebag operation abandon --reason 'the array was scrapped' 5f0c2b1e-8f4e-4c57-9d39-6a1f0c6e7b20"
    )]
    Abandon(Abandon),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only operations on this volume.
    #[arg(long, value_name = "ID", aliases = ["volume-id", "volume_id"])]
    volume: Option<String>,

    /// Only operations of this plugin.
    #[arg(long, value_name = "ID", aliases = ["plugin-id", "plugin_id"])]
    plugin: Option<String>,

    /// Only operations in this state: waiting, running, done, failed or abandoned.
    #[arg(long, value_parser = state)]
    state: Option<ListOperationsState>,

    /// The answer as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Ids alone, one in a line.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, clap::Args)]
struct Status {
    /// The operation's id.
    #[arg(value_name = "ID")]
    id: String,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,

    /// Exact times.
    #[arg(long)]
    verbose: bool,
}

#[derive(Debug, clap::Args)]
struct Abandon {
    #[command(flatten)]
    operation: Status,

    /// Why it will never end. Recorded and shown with it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

fn state(text: &str) -> Result<ListOperationsState, String> {
    let refused = |_| "it is waiting, running, done, failed or abandoned".to_owned();
    text.parse().map_err(refused)
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
        Command::Status(args) => status(&session, args).await,
        Command::Retry(args) => retry(&session, args).await,
        Command::Abandon(args) => abandon(&session, args).await,
    }
}

async fn list(session: &Session, args: List) -> Result<(), Failure> {
    let request = given!(
        session.client.list_operations(),
        namespace: session.namespace.as_deref(),
        region: session.region.as_deref(),
        volume_id: args.volume.as_deref(),
        plugin_id: args.plugin.as_deref(),
        state: args.state,
    );
    let answer = request.send().await;
    let operations = answer.map_err(|error| session.failure(error))?.into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&operations);
    }
    if args.quiet {
        operations
            .iter()
            .for_each(|it| screen.show(&format!("{}\n", it.id)));
    } else if operations.is_empty() {
        screen
            .show("No operations: nothing is under way, and nothing ended within the last hour\n");
    } else {
        screen.show(&show::table(&operations, &screen));
    }
    Ok(())
}

async fn status(session: &Session, args: Status) -> Result<(), Failure> {
    let request = given!(
        session.client.read_operation().operation_id(&args.id),
        region: session.region.as_deref(),
    );
    let answer = request.send().await;
    let operation = answer.map_err(|error| session.failure(error))?;
    show::one(&operation, args.json, args.verbose)
}

async fn retry(session: &Session, args: Status) -> Result<(), Failure> {
    let request = given!(
        session.client.retry_operation().operation_id(&args.id),
        region: session.region.as_deref(),
    );
    let answer = request.send().await;
    let operation = answer.map_err(|error| session.failure(error))?;
    show::one(&operation, args.json, args.verbose)
}

async fn abandon(session: &Session, args: Abandon) -> Result<(), Failure> {
    let Status { id, json, verbose } = args.operation;
    let request = given!(
        session.client.abandon_operation().operation_id(&id).reason(&args.reason),
        region: session.region.as_deref(),
    );
    let answer = request.send().await;
    let operation = answer.map_err(|error| session.failure(error))?;
    show::one(&operation, json, verbose)
}
