//! The command line: one module per command.

mod allocations;
pub mod completion;
mod connection;
pub mod dev;
pub mod driver;
mod failure;
pub mod operation;
pub mod plugin;
mod progress;
mod screen;
mod specification;
mod spelling;
mod table;
pub mod volume;

pub use spelling::with_two_dashes;

use failure::EXIT_CODES;
use saddlebag_client::GoDuration;
use std::io::{IsTerminal, Write};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// A control plane for storage volumes: Nomad's CSI HTTP API in front, CSI drivers behind.
#[derive(Debug, clap::Parser)]
#[command(
    name = "saddlebag",
    version,
    after_help = format!("Example:\n  saddlebag dev\n  saddlebag volume init db.hcl\n  saddlebag volume create db.hcl\n\n{EXIT_CODES}\n\nFlags may be written with one dash after volume, plugin and operation, as Nomad's are: -json.")
)]
pub enum Command {
    /// Run everything in one process, with nothing to configure.
    ///
    /// An embedded store, a built-in CSI driver as plugin `local`, the HTTP API and Swagger UI.
    #[command(
        after_help = "Example:\n  saddlebag dev --port 0 --plugin id=nfs,endpoint=unix:///run/nfs/csi.sock"
    )]
    Dev(dev::Args),
    /// Run the built-in CSI driver alone, for any orchestrator.
    #[command(
        after_help = "Example:\n  saddlebag driver --endpoint unix:///run/csi.sock --root /var/lib/volumes"
    )]
    Driver(driver::Args),
    /// Create, list, change and delete volumes and snapshots.
    #[command(after_help = "Example:\n  saddlebag volume create db.hcl\n  saddlebag volume list")]
    Volume(volume::Args),
    /// See CSI drivers, whether they are well and what they can do.
    #[command(after_help = "Example:\n  saddlebag plugin status local")]
    Plugin(plugin::Args),
    /// See what is under way at the storage and why it waits; try it again, or give it up.
    #[command(after_help = "Example:\n  saddlebag operation list --state waiting")]
    Operation(operation::Args),
    /// Print a script for a shell to complete commands and flags with.
    #[command(
        after_help = "Example:\n  saddlebag completion bash > ~/.local/share/bash-completion/completions/saddlebag"
    )]
    Completion(completion::Args),
}

/// Logs to standard error: for people on a terminal, as JSON otherwise. `RUST_LOG` says how much;
/// `dev` says on its own what matters to who tries it, so it logs only warnings by itself.
pub fn log(command: &Command) {
    let default = match command {
        Command::Dev(_)
        | Command::Volume(_)
        | Command::Plugin(_)
        | Command::Operation(_)
        | Command::Completion(_) => "warn",
        Command::Driver(_) => "info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Who closed our standard error does not want to hear that it is closed.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        subscriber.init();
    } else {
        subscriber.json().init();
    }
}

/// Says something to whoever started us; nobody has to listen.
fn say(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

/// A duration as the API takes it: `30s`, `1m30s`, `500ms`.
fn duration(text: &str) -> Result<GoDuration, String> {
    crate::http::edge::spelling::duration(text)
        .and_then(|nanoseconds| u64::try_from(nanoseconds).ok())
        .map(|nanoseconds| Duration::from_nanos(nanoseconds).into())
        .ok_or_else(|| "a duration looks like 30s, 1m30s or 500ms".to_owned())
}
