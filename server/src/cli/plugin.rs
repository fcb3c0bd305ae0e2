//! `saddlebag plugin`: CSI drivers, whether they are well and what they can do.

mod capabilities;
mod status;

pub(super) use status::health;

use crate::cli::connection::{Connection, Session, given};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::Table;
use std::process::ExitCode;

/// CSI drivers, whether they are well and what they can do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
    /// As Nomad's users say it; there is one type.
    #[arg(long = "type", global = true, hide = true, value_parser = ["csi"])]
    _type: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List plugins.
    #[command(after_help = "Example:\n  saddlebag plugin list")]
    List(List),
    /// Show a plugin, its instances and what it can do.
    #[command(after_help = "Example:\n  saddlebag plugin status --verbose local")]
    Status(status::Args),
}

#[derive(Debug, Default, clap::Args)]
struct List {
    /// Only plugins whose ids begin with this.
    #[arg(value_name = "PREFIX")]
    prefix: Option<String>,

    /// The answer as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Ids alone, one in a line.
    #[arg(long, short)]
    quiet: bool,
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
    }
}

async fn list(session: &Session, args: List) -> Result<(), Failure> {
    let request = given!(
        session.client.list_plugins().type_("csi"),
        region: session.region.as_deref(),
        prefix: args.prefix.as_deref(),
    );
    let answer = request.send().await;
    let plugins = answer.map_err(|error| session.failure(error))?.into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&plugins);
    }
    if args.quiet {
        plugins
            .iter()
            .for_each(|plugin| screen.show(&format!("{}\n", plugin.id)));
        return Ok(());
    }
    let mut table = Table::new(&[
        "ID",
        "Provider",
        "Controllers Healthy/Expected",
        "Nodes Healthy/Expected",
    ]);
    for plugin in &plugins {
        let (healthy, expected) = (plugin.controllers_healthy, plugin.controllers_expected);
        let controllers = match plugin.controller_required || expected > 0 {
            true => format!("{healthy}/{expected}"),
            false => "needs none".to_owned(),
        };
        let nodes = format!("{}/{}", plugin.nodes_healthy, plugin.nodes_expected);
        table.row([&plugin.id, &plugin.provider, &controllers, &nodes]);
    }
    match table.is_empty() {
        true => screen.show("No plugins\n"),
        false => screen.show(&table.text()),
    }
    Ok(())
}
