//! `saddlebag volume`: volumes, their claims and their snapshots.

mod apply;
mod claim;
mod claims;
mod init;
mod list;
mod release;
mod remove;
mod retry;
mod secrets;
mod snapshot;
mod status;

pub(super) use list::table;

use crate::cli::connection::Connection;
use crate::cli::failure::Failure;
use std::process::ExitCode;

/// Volumes, their claims and their snapshots.
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
    /// List volumes.
    #[command(after_help = "Example:\n  saddlebag volume list --namespace '*' --plugin nfs")]
    List(list::Args),
    /// Show a volume, with everything that is known of it.
    #[command(after_help = "Example:\n  saddlebag volume status pgdata")]
    Status(status::Args),
    /// Create volumes at their plugin, or change them, as a file says.
    #[command(
        after_help = "Example:\n  saddlebag volume init db.hcl\n  saddlebag volume create db.hcl\n\nThe file is HCL as Nomad's users have it, Nomad's JSON, or YAML.\nA secret need not stand in it: secrets_from { password { file = \"/run/secrets/db\" } }\n(or env, or credential) names where the server reads it at each call, as far as its configuration lets it.\nA volume that is there is changed as far as the file says other things than before."
    )]
    Create(apply::Args),
    /// Make volumes known that exist at the storage, or change what is known, as a file says.
    #[command(
        after_help = "Example:\n  saddlebag volume register archive.hcl\n\nThe file is as for create, with external_id as the storage's own name of the volume."
    )]
    Register(apply::Args),
    /// Forget a volume; at the storage it stays.
    #[command(after_help = "Example:\n  saddlebag volume deregister archive")]
    Deregister(remove::Deregister),
    /// Delete a volume and its data.
    #[command(
        after_help = "Example:\n  saddlebag volume delete pgdata\n  saddlebag volume delete --secret password=xyzzy pgdata"
    )]
    Delete(remove::Delete),
    /// Have a volume at a path of a node: attached, staged and mounted there. Prints the path.
    #[command(
        after_help = "Example:\n  saddlebag volume claim pgdata\n  saddlebag volume claim --read-only --node 3c0f6a52 --follow pgdata\n\nOn the node itself:\n  cd $(saddlebag volume claim pgdata)"
    )]
    Claim(Box<claim::Args>),
    /// Give a claim back: the volume is unmounted, and detached from the node after the last of its claims there.
    #[command(
        after_help = "Example:\n  saddlebag volume release pgdata\n  saddlebag volume release pgdata 0b7f6d0e"
    )]
    Release(release::Args),
    /// List the claims of a volume: who uses it where, who did within the last hour, and what they wait for.
    #[command(
        after_help = "Example:\n  saddlebag volume claims pgdata\n  saddlebag volume claims --state published pgdata"
    )]
    Claims(claims::Args),
    /// Try everything unfinished of a volume again now: claims, releases, and the operation on it.
    #[command(after_help = "Example:\n  saddlebag volume retry pgdata")]
    Retry(retry::Args),
    /// Finish the release of a volume from a node, where its users are done.
    #[command(
        after_help = "Example:\n  saddlebag volume detach pgdata 070d3fee-37a8-144f-084e-6f6188a098e7"
    )]
    Detach(remove::Detach),
    /// Write an example of a volume specification.
    #[command(
        after_help = "Example:\n  saddlebag volume init db.hcl\n  saddlebag volume create db.hcl"
    )]
    Init(init::Args),
    /// Snapshots of volumes.
    #[command(after_help = "Example:\n  saddlebag volume snapshot create pgdata nightly")]
    Snapshot(snapshot::Args),
}

/// Does what the command says. Failures are told on standard error.
pub async fn run(args: Args) -> ExitCode {
    match answer(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

async fn answer(args: Args) -> Result<(), Failure> {
    let connection = args.connection;
    match args.command {
        Command::List(args) => list::run(&connection.open()?, args).await,
        Command::Status(args) => status::run(&connection.open()?, args).await,
        Command::Create(args) => apply::create(&connection.open()?, args).await,
        Command::Register(args) => apply::register(&connection.open()?, args).await,
        Command::Deregister(args) => remove::deregister(&connection.open()?, args).await,
        Command::Delete(args) => remove::delete(&connection.open()?, args).await,
        Command::Claim(args) => claim::run(&connection.open()?, *args).await,
        Command::Release(args) => release::run(&connection.open()?, args).await,
        Command::Claims(args) => claims::run(&connection.open()?, args).await,
        Command::Retry(args) => retry::run(&connection.open()?, args).await,
        Command::Detach(args) => remove::detach(&connection.open()?, args).await,
        Command::Init(args) => init::run(args),
        Command::Snapshot(args) => snapshot::run(&connection.open()?, args).await,
    }
}
