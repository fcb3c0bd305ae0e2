//! `saddlebag volume`: volumes, and their snapshots.

mod apply;
mod init;
mod list;
mod remove;
mod secrets;
mod snapshot;
mod status;

use crate::cli::connection::Connection;
use crate::cli::failure::Failure;
use std::process::ExitCode;

/// Volumes, and their snapshots.
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
        after_help = "Example:\n  saddlebag volume init db.hcl\n  saddlebag volume create db.hcl\n\nThe file is HCL as Nomad's users have it, Nomad's JSON, or YAML.\nA volume that is there is changed as far as the file says other things than before."
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
    /// Finish the release of a volume from a node.
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
        Command::Detach(args) => remove::detach(&connection.open()?, args).await,
        Command::Init(args) => init::run(args),
        Command::Snapshot(args) => snapshot::run(&connection.open()?, args).await,
    }
}
