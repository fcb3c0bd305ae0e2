//! `saddlebag acl role`.

use crate::cli::connection::{Session, given};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::{Facts, Table};
use saddlebag_client::types::{PolicyLinkRequest, Role, RoleRequest};
use uuid::Uuid;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a role: a name for policies that tokens have together.
    #[command(
        after_help = "Example:\n  saddlebag acl role create --name operators --policy readers --policy writers"
    )]
    Create(Create),
    /// List roles.
    #[command(after_help = "Example:\n  saddlebag acl role list")]
    List(List),
    /// Show a role.
    #[command(after_help = "Example:\n  saddlebag acl role info operators")]
    Info(Info),
    /// Change a role. What is not given stays as it is.
    #[command(after_help = "Example:\n  saddlebag acl role update --policy readers operators")]
    Update(Update),
    /// Delete a role. Tokens that have it lose what it allowed.
    #[command(after_help = "Example:\n  saddlebag acl role delete operators")]
    Delete(Delete),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Its name: 1 to 128 letters, digits and hyphens.
    #[arg(long, value_name = "NAME")]
    name: String,

    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// A policy that it is to have; may be repeated.
    #[arg(long = "policy", value_name = "NAME", required = true)]
    policies: Vec<String>,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
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
    /// Its name or id.
    #[arg(value_name = "ROLE")]
    role: String,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Update {
    /// Its name or id.
    #[arg(value_name = "ROLE")]
    role: String,

    /// A new name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// A policy that it is to have, in place of those that it has; may be repeated.
    #[arg(long = "policy", value_name = "NAME")]
    policies: Vec<String>,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Delete {
    /// Its name or id.
    #[arg(value_name = "ROLE")]
    role: String,
}

pub(super) async fn run(session: &Session, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(args) => create(session, args).await,
        Command::List(args) => list(session, args).await,
        Command::Info(args) => show(&find(session, &args.role).await?, args.json),
        Command::Update(args) => update(session, args).await,
        Command::Delete(args) => delete(session, args).await,
    }
}

async fn create(session: &Session, args: Create) -> Result<(), Failure> {
    let body = RoleRequest {
        name: Some(args.name),
        description: args.description,
        policies: Some(links(args.policies)),
        ..RoleRequest::default()
    };
    let request = given!(
        session.client.create_role().body(body),
        region: session.region.as_deref(),
    );
    let made = request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    show(&made, args.json)
}

async fn list(session: &Session, args: List) -> Result<(), Failure> {
    let request = given!(session.client.list_roles(), region: session.region.as_deref());
    let roles = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&roles);
    }
    if args.quiet {
        let names = roles.iter().map(|role| format!("{}\n", role.name));
        screen.show(&names.collect::<String>());
        return Ok(());
    }
    let mut table = Table::new(&["Name", "Description", "Policies", "ID"]);
    for role in &roles {
        table.row([&role.name, &role.description, &policies(role), &role.id]);
    }
    match table.is_empty() {
        true => screen.show("No roles\n"),
        false => screen.show(&table.text()),
    }
    Ok(())
}

async fn update(session: &Session, args: Update) -> Result<(), Failure> {
    let known = find(session, &args.role).await?;
    let policies = match args.policies.is_empty() {
        true => names(&known).map(str::to_owned).collect(),
        false => args.policies,
    };
    let body = RoleRequest {
        id: Some(known.id.clone()),
        name: Some(args.name.unwrap_or(known.name)),
        description: Some(args.description.unwrap_or(known.description)),
        policies: Some(links(policies)),
        ..RoleRequest::default()
    };
    let request = given!(
        session.client.update_role().role_id(known.id).body(body),
        region: session.region.as_deref(),
    );
    let changed = request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    show(&changed, args.json)
}

async fn delete(session: &Session, args: Delete) -> Result<(), Failure> {
    let role = find(session, &args.role).await?;
    let request = given!(
        session.client.delete_role().role_id(&role.id),
        region: session.region.as_deref(),
    );
    request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    Screen::new().show(&format!("Deleted role {}\n", role.name));
    Ok(())
}

/// The role of this id, if it looks like one, or else of this name.
async fn find(session: &Session, role: &str) -> Result<Role, Failure> {
    let region = session.region.as_deref();
    let found = match Uuid::try_parse(role) {
        Ok(_) => {
            given!(session.client.read_role().role_id(role), region: region)
                .send()
                .await
        }
        Err(_) => {
            given!(session.client.read_role_by_name().role_name(role), region: region)
                .send()
                .await
        }
    };
    let found = found.map_err(|error| session.failure(error))?;
    Ok(found.into_inner())
}

fn links(policies: Vec<String>) -> Vec<PolicyLinkRequest> {
    let link = |name| PolicyLinkRequest { name: Some(name) };
    policies.into_iter().map(link).collect()
}

fn names(role: &Role) -> impl Iterator<Item = &str> {
    let policies = role.policies.iter().flatten();
    policies.map(|policy| policy.name.as_str())
}

fn policies(role: &Role) -> String {
    names(role).collect::<Vec<_>>().join(", ")
}

fn show(role: &Role, json: bool) -> Result<(), Failure> {
    let screen = Screen::new();
    if json {
        return screen.show_json(role);
    }
    let mut facts = Facts::default();
    facts.add("ID", &role.id);
    facts.add("Name", &role.name);
    facts.add("Description", &role.description);
    facts.add("Policies", policies(role));
    screen.show(&facts.text());
    Ok(())
}
