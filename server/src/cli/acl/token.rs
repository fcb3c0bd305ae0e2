//! `saddlebag acl token`.

use crate::cli::connection::{Session, given};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::{Facts, Table};
use saddlebag_client::GoDuration;
use saddlebag_client::types::{RoleLink, RoleLinkRequest, Token, TokenRequest};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a token. Its secret is shown this once.
    #[command(
        after_help = "Example:\n  saddlebag acl token create --name ann --policy readers\n  saddlebag acl token create --type management --ttl 8h"
    )]
    Create(Create),
    /// List tokens, oldest first.
    #[command(after_help = "Example:\n  saddlebag acl token list")]
    List(List),
    /// Show a token, without its secret.
    #[command(
        after_help = "Example:\n  saddlebag acl token info 5a2c3f1e-0d6b-4e0c-9b1a-7f6f2f0f9c11"
    )]
    Info(One),
    /// Show the token that this command itself uses.
    #[command(name = "self", after_help = "Example:\n  saddlebag acl token self")]
    Own(Own),
    /// Change a token. What is not given stays as it is, and so do its secret and its end.
    #[command(
        after_help = "Example:\n  saddlebag acl token update --name ann --policy readers 5a2c3f1e-0d6b-4e0c-9b1a-7f6f2f0f9c11"
    )]
    Update(Update),
    /// Delete a token: whoever has it may do nothing with it from now on.
    #[command(
        after_help = "Example:\n  saddlebag acl token delete 5a2c3f1e-0d6b-4e0c-9b1a-7f6f2f0f9c11"
    )]
    Delete(Delete),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// A label.
    #[arg(long, value_name = "LABEL")]
    name: Option<String>,

    /// `client`, which may do what its policies and roles say, or `management`, which may do everything.
    #[arg(long = "type", value_name = "TYPE", default_value = "client", value_parser = ["client", "management"])]
    kind: String,

    /// A policy that it is to have; may be repeated.
    #[arg(long = "policy", value_name = "NAME")]
    policies: Vec<String>,

    /// A role that it is to have; may be repeated.
    #[arg(long = "role-name", value_name = "NAME")]
    roles: Vec<String>,

    /// How long it is to live, from a minute to a day; for ever without it.
    #[arg(long, value_name = "TIME", value_parser = crate::cli::duration)]
    ttl: Option<GoDuration>,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Update {
    /// The token's accessor.
    #[arg(value_name = "ACCESSOR")]
    accessor: String,

    /// A new label.
    #[arg(long, value_name = "LABEL")]
    name: Option<String>,

    /// `client`, which may do what its policies and roles say, or `management`, which may do everything and has
    /// neither.
    #[arg(long = "type", value_name = "TYPE", value_parser = ["client", "management"])]
    kind: Option<String>,

    /// A policy that it is to have, in place of those that it has; may be repeated.
    #[arg(long = "policy", value_name = "NAME")]
    policies: Vec<String>,

    /// A role that it is to have, in place of those that it has; may be repeated.
    #[arg(long = "role-name", value_name = "NAME")]
    roles: Vec<String>,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// The answer as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Accessors alone, one in a line.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// The token's accessor.
    #[arg(value_name = "ACCESSOR")]
    accessor: String,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Own {
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Delete {
    /// The token's accessor.
    #[arg(value_name = "ACCESSOR")]
    accessor: String,
}

pub(super) async fn run(session: &Session, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(args) => create(session, args).await,
        Command::List(args) => list(session, args).await,
        Command::Info(args) => info(session, args).await,
        Command::Own(args) => own(session, args).await,
        Command::Update(args) => update(session, args).await,
        Command::Delete(args) => delete(session, args).await,
    }
}

async fn create(session: &Session, args: Create) -> Result<(), Failure> {
    let body = TokenRequest {
        name: args.name,
        type_: Some(args.kind),
        policies: Some(args.policies),
        roles: Some(args.roles.into_iter().map(named).collect()),
        expiration_ttl: args.ttl.map(|ttl| ttl.to_string().into()),
        ..TokenRequest::default()
    };
    let request = given!(
        session.client.create_token().body(body),
        region: session.region.as_deref(),
    );
    let made = request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    show(&made, args.json)
}

async fn list(session: &Session, args: List) -> Result<(), Failure> {
    let request = given!(session.client.list_tokens(), region: session.region.as_deref());
    let tokens = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&tokens);
    }
    if args.quiet {
        let accessors = tokens
            .iter()
            .map(|token| format!("{}\n", token.accessor_id));
        screen.show(&accessors.collect::<String>());
        return Ok(());
    }
    let mut table = Table::new(&["Name", "Type", "Policies", "Expires", "Accessor ID"]);
    for token in &tokens {
        table.row([
            &token.name,
            &token.type_,
            &token.policies.as_deref().unwrap_or_default().join(", "),
            &screen.time(token.expiration_time),
            &token.accessor_id,
        ]);
    }
    match table.is_empty() {
        true => screen.show("No tokens\n"),
        false => screen.show(&table.text()),
    }
    Ok(())
}

async fn info(session: &Session, args: One) -> Result<(), Failure> {
    show(&read(session, &args.accessor).await?, args.json)
}

async fn read(session: &Session, accessor: &str) -> Result<Token, Failure> {
    let request = given!(
        session.client.read_token().accessor_id(accessor),
        region: session.region.as_deref(),
    );
    let token = request.send().await;
    let token = token.map_err(|error| session.failure(error))?;
    Ok(token.into_inner())
}

async fn update(session: &Session, args: Update) -> Result<(), Failure> {
    let known = read(session, &args.accessor).await?;
    let kind = args.kind.unwrap_or(known.type_);
    let stays = kind == "client";
    let policies = match args.policies.is_empty() && stays {
        true => known.policies.unwrap_or_default(),
        false => args.policies,
    };
    let roles = match args.roles.is_empty() && stays {
        true => known.roles.into_iter().flatten().map(linked).collect(),
        false => args.roles.into_iter().map(named).collect(),
    };
    let body = TokenRequest {
        accessor_id: Some(known.accessor_id.clone()),
        name: Some(args.name.unwrap_or(known.name)),
        type_: Some(kind),
        policies: Some(policies),
        roles: Some(roles),
        global: Some(known.global),
        ..TokenRequest::default()
    };
    let request = given!(
        session.client.update_token().accessor_id(known.accessor_id).body(body),
        region: session.region.as_deref(),
    );
    let changed = request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    show(&changed, args.json)
}

/// A role by its name.
fn named(name: String) -> RoleLinkRequest {
    RoleLinkRequest {
        id: None,
        name: Some(name),
    }
}

/// A role that a token has.
fn linked(role: RoleLink) -> RoleLinkRequest {
    RoleLinkRequest {
        id: Some(role.id),
        name: Some(role.name),
    }
}

async fn own(session: &Session, args: Own) -> Result<(), Failure> {
    let request = given!(session.client.read_own_token(), region: session.region.as_deref());
    let token = request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    show(&token, args.json)
}

async fn delete(session: &Session, args: Delete) -> Result<(), Failure> {
    let request = given!(
        session.client.delete_token().accessor_id(&args.accessor),
        region: session.region.as_deref(),
    );
    request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    Screen::new().show(&format!("Deleted token {}\n", args.accessor));
    Ok(())
}

fn show(token: &Token, json: bool) -> Result<(), Failure> {
    let screen = Screen::new();
    if json {
        return screen.show_json(token);
    }
    screen.show(&facts(token, screen));
    Ok(())
}

/// A token as facts; its secret where it is told.
pub(super) fn facts(token: &Token, screen: Screen) -> String {
    let roles = token.roles.iter().flatten();
    let roles: Vec<&str> = roles.map(|role| role.name.as_str()).collect();
    let mut facts = Facts::default();
    facts.add("Accessor ID", &token.accessor_id);
    if !token.secret_id.is_empty() {
        facts.add("Secret ID", &token.secret_id);
    }
    facts.add("Name", &token.name);
    facts.add("Type", &token.type_);
    facts.add(
        "Policies",
        token.policies.as_deref().unwrap_or_default().join(", "),
    );
    facts.add("Roles", roles.join(", "));
    facts.add("Created", screen.time(Some(token.create_time)));
    facts.add("Expires", screen.time(token.expiration_time));
    facts.text()
}
