//! `saddlebag namespace`: what keeps the volumes of one team apart from another's.

use crate::cli::connection::{Connection, Session, given};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::{Facts, Table, pairs};
use saddlebag_client::types::NamespaceRequest;
use std::process::ExitCode;

/// What keeps the volumes of one team apart from another's.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List namespaces.
    #[command(after_help = "Example:\n  saddlebag namespace list")]
    List(List),
    /// Show a namespace.
    #[command(after_help = "Example:\n  saddlebag namespace status team")]
    Status(Status),
    /// Make a namespace, or change one that is there.
    #[command(
        after_help = "Example:\n  saddlebag namespace apply --description 'of the team' team"
    )]
    Apply(Apply),
    /// Delete a namespace in which nothing is left.
    #[command(after_help = "Example:\n  saddlebag namespace delete team")]
    Delete(Delete),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only namespaces whose names begin with this.
    #[arg(value_name = "PREFIX")]
    prefix: Option<String>,

    /// The answer as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Names alone, one in a line.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, clap::Args)]
struct Status {
    /// Its name.
    #[arg(value_name = "NAME")]
    name: String,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Apply {
    /// Its name: 1 to 128 letters, digits and hyphens.
    #[arg(value_name = "NAME")]
    name: String,

    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Delete {
    /// Its name.
    #[arg(value_name = "NAME")]
    name: String,
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
        Command::Apply(args) => apply(&session, args).await,
        Command::Delete(args) => delete(&session, args).await,
    }
}

async fn list(session: &Session, args: List) -> Result<(), Failure> {
    let request = given!(
        session.client.list_namespaces(),
        region: session.region.as_deref(),
        prefix: args.prefix.as_deref(),
    );
    let namespaces = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&namespaces);
    }
    if args.quiet {
        let names = namespaces
            .iter()
            .map(|namespace| format!("{}\n", namespace.name));
        screen.show(&names.collect::<String>());
        return Ok(());
    }
    let mut table = Table::new(&["Name", "Description"]);
    for namespace in &namespaces {
        table.row([&namespace.name, &namespace.description]);
    }
    match table.is_empty() {
        true => screen.show("No namespaces\n"),
        false => screen.show(&table.text()),
    }
    Ok(())
}

async fn status(session: &Session, args: Status) -> Result<(), Failure> {
    let request = given!(
        session.client.read_namespace().namespace_name(&args.name),
        region: session.region.as_deref(),
    );
    let namespace = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&namespace);
    }
    let mut facts = Facts::default();
    facts.add("Name", &namespace.name);
    facts.add("Description", &namespace.description);
    let meta = namespace.meta.unwrap_or_default();
    facts.add("Meta", pairs(&meta));
    screen.show(&facts.text());
    Ok(())
}

/// What is not given stays as it is.
async fn apply(session: &Session, args: Apply) -> Result<(), Failure> {
    let request = given!(
        session.client.list_namespaces(),
        region: session.region.as_deref(),
        prefix: Some(args.name.as_str()),
    );
    let listed = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    let there = listed
        .into_iter()
        .find(|namespace| namespace.name == args.name);
    let (description, meta) = match there {
        Some(there) => (Some(there.description), there.meta),
        None => (None, None),
    };
    let body = NamespaceRequest {
        name: Some(args.name.clone()),
        description: args.description.or(description),
        meta,
        ..NamespaceRequest::default()
    };
    let request = given!(
        session.client.apply_namespace().namespace_name(&args.name).body(body),
        region: session.region.as_deref(),
    );
    request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    Screen::new().show(&format!("Stored namespace {}\n", args.name));
    Ok(())
}

async fn delete(session: &Session, args: Delete) -> Result<(), Failure> {
    let request = given!(
        session.client.delete_namespace().namespace_name(&args.name),
        region: session.region.as_deref(),
    );
    request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    Screen::new().show(&format!("Deleted namespace {}\n", args.name));
    Ok(())
}
