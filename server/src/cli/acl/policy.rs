//! `saddlebag acl policy`.

use super::text;
use crate::cli::connection::{Session, given};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::{Facts, Table};
use saddlebag_client::types::PolicyRequest;
use std::path::PathBuf;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a policy, or change one that is there, to what a file says.
    ///
    /// The policy `anonymous` is that of whoever has no token.
    #[command(
        after_help = "Example:\n  saddlebag acl policy apply --description 'may look' readers readers.hcl\n\nIn readers.hcl, for example:\n  namespace \"team-*\" { policy = \"read\" }\n  plugin { policy = \"list\" }"
    )]
    Apply(Apply),
    /// List policies.
    #[command(after_help = "Example:\n  saddlebag acl policy list")]
    List(List),
    /// Show a policy and its rules.
    #[command(after_help = "Example:\n  saddlebag acl policy info readers")]
    Info(Info),
    /// Delete a policy. Tokens that name it lose what it allowed.
    #[command(after_help = "Example:\n  saddlebag acl policy delete readers")]
    Delete(Delete),
}

#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    /// Its name: 1 to 128 letters, digits and hyphens.
    #[arg(value_name = "NAME")]
    name: String,

    /// A file with its rules, in HCL or JSON; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// The answer as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Names alone, one in a line.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Info {
    /// Its name.
    #[arg(value_name = "NAME")]
    name: String,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Delete {
    /// Its name.
    #[arg(value_name = "NAME")]
    name: String,
}

pub(super) async fn run(session: &Session, command: Command) -> Result<(), Failure> {
    match command {
        Command::Apply(args) => apply(session, args).await,
        Command::List(args) => list(session, args).await,
        Command::Info(args) => info(session, args).await,
        Command::Delete(args) => delete(session, args).await,
    }
}

async fn apply(session: &Session, args: Apply) -> Result<(), Failure> {
    let body = PolicyRequest {
        name: Some(args.name.clone()),
        description: args.description,
        rules: Some(text(&args.file)?),
        ..PolicyRequest::default()
    };
    let request = given!(
        session.client.apply_policy().policy_name(&args.name).body(body),
        region: session.region.as_deref(),
    );
    request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    Screen::new().show(&format!("Stored policy {}\n", args.name));
    Ok(())
}

async fn list(session: &Session, args: List) -> Result<(), Failure> {
    let request = given!(session.client.list_policies(), region: session.region.as_deref());
    let policies = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&policies);
    }
    if args.quiet {
        let names = policies.iter().map(|policy| format!("{}\n", policy.name));
        screen.show(&names.collect::<String>());
        return Ok(());
    }
    let mut table = Table::new(&["Name", "Description"]);
    for policy in &policies {
        table.row([&policy.name, &policy.description]);
    }
    match table.is_empty() {
        true => screen.show("No policies\n"),
        false => screen.show(&table.text()),
    }
    Ok(())
}

async fn info(session: &Session, args: Info) -> Result<(), Failure> {
    let request = given!(
        session.client.read_policy().policy_name(&args.name),
        region: session.region.as_deref(),
    );
    let policy = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&policy);
    }
    let mut facts = Facts::default();
    facts.add("Name", &policy.name);
    facts.add("Description", &policy.description);
    screen.show(&format!(
        "{}\nRules\n{}\n",
        facts.text(),
        policy.rules.trim_end()
    ));
    Ok(())
}

async fn delete(session: &Session, args: Delete) -> Result<(), Failure> {
    let request = given!(
        session.client.delete_policy().policy_name(&args.name),
        region: session.region.as_deref(),
    );
    request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    Screen::new().show(&format!("Deleted policy {}\n", args.name));
    Ok(())
}
