//! The command line: one module per command.

pub mod acl;
mod allocations;
pub mod completion;
pub mod config;
mod connection;
pub mod dev;
pub mod doctor;
pub mod driver;
mod failure;
pub mod keyring;
mod log;
pub mod namespace;
pub mod node;
pub mod operation;
pub mod plugin;
mod progress;
mod running;
mod screen;
pub mod serve;
mod signals;
mod specification;
mod spelling;
pub mod store;
mod table;
pub mod tls;
pub mod verify;
pub mod version;
pub mod volume;

use crate::config::LogFormat;
use clap::Parser;
use failure::EXIT_CODES;
use log::Log;
use saddlebag_client::GoDuration;
use spelling::with_two_dashes;
use std::io::Write;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// A control plane for storage volumes: Nomad's CSI HTTP API in front, CSI drivers behind.
#[derive(Debug, clap::Parser)]
#[command(
    name = "saddlebag",
    version,
    after_help = format!("Example:\n  saddlebag dev\n  saddlebag volume init db.hcl\n  saddlebag volume create db.hcl\n\n{EXIT_CODES}\n\nFlags may be written with one dash after volume, plugin, node, operation, namespace, acl, keyring, tls, version and doctor, as Nomad's are: -json.")
)]
pub enum Command {
    /// Run everything in one process, with nothing to configure.
    ///
    /// An embedded store, a built-in CSI driver as plugin `local`, the HTTP API and Swagger UI.
    #[command(
        after_help = "Example:\n  saddlebag dev --port 0 --plugin id=nfs,endpoint=unix:///run/nfs/csi.sock"
    )]
    Dev(dev::Args),
    /// Run the control plane, as a configuration file says.
    ///
    /// What is not given has the default that `saddlebag config example` shows. A flag wins over the
    /// environment, that over the file.
    #[command(
        after_help = "Example:\n  saddlebag config example > saddlebag.toml\n  saddlebag serve -c saddlebag.toml"
    )]
    Serve(Box<serve::Args>),
    /// Show and check configuration files.
    #[command(
        subcommand,
        after_help = "Example:\n  saddlebag config check -c saddlebag.toml"
    )]
    Config(config::Command),
    /// Run the built-in CSI driver alone, for any orchestrator.
    #[command(
        after_help = "Example:\n  saddlebag driver --endpoint unix:///run/csi.sock --root /var/lib/volumes"
    )]
    Driver(driver::Args),
    /// Create, claim, list, change and delete volumes and snapshots.
    #[command(
        after_help = "Example:\n  saddlebag volume create db.hcl\n  saddlebag volume claim pgdata\n  saddlebag volume list"
    )]
    Volume(volume::Args),
    /// See CSI drivers, whether they are well and what they can do.
    #[command(after_help = "Example:\n  saddlebag plugin status local")]
    Plugin(plugin::Args),
    /// See the hosts that volumes are used on; fence one that is gone for good.
    #[command(after_help = "Example:\n  saddlebag node list")]
    Node(node::Args),
    /// See what is under way at the storage and why it waits; try it again, or give it up.
    #[command(after_help = "Example:\n  saddlebag operation list --state waiting")]
    Operation(operation::Args),
    /// Make, see, change and delete namespaces.
    #[command(after_help = "Example:\n  saddlebag namespace list")]
    Namespace(namespace::Args),
    /// Say who may do what: tokens and policies.
    ///
    /// Access control is off unless the configuration says `acl.enabled = true`.
    #[command(
        after_help = "Example:\n  saddlebag acl bootstrap\n  saddlebag acl policy apply readers readers.hcl\n  saddlebag acl token create --name ann --policy readers"
    )]
    Acl(acl::Args),
    /// See, rotate and remove the keys that secrets in the store are encrypted with.
    #[command(after_help = "Example:\n  saddlebag keyring status\n  saddlebag keyring rotate")]
    Keyring(keyring::Args),
    /// Make a private authority and certificates, for TLS.
    #[command(
        subcommand,
        after_help = "Example:\n  saddlebag tls ca create\n  saddlebag tls cert create --server\n  saddlebag tls cert create --cli"
    )]
    Tls(tls::Command),
    /// Find what needs somebody's attention: orphans, what is missing, what is stuck.
    ///
    /// Compares what is registered with what the drivers list, and says of each finding what it means and which command
    /// sees to it. Changes nothing. The exit code is 0 if nothing was found, and 1 if something was.
    #[command(after_help = "Example:\n  saddlebag doctor")]
    Doctor(doctor::Args),
    /// Compare any server of this API with the document: ours, or a Nomad.
    ///
    /// Sends right, boundary and malformed requests, made from the document, and tells each answer that is not as
    /// documented. Changes nothing without --write. The exit code is 0 if there are no differences, and 1 if there are.
    #[command(
        after_help = "Example:\n  saddlebag verify http://127.0.0.1:4646\n  saddlebag verify --write --junit verify.xml"
    )]
    Verify(verify::Args),
    /// Back up, restore and check what a server keeps.
    #[command(
        subcommand,
        after_help = "Example:\n  saddlebag store backup --data-dir /var/lib/saddlebag /backups/monday"
    )]
    Store(store::Command),
    /// Print a script for a shell to complete commands and flags with.
    #[command(
        after_help = "Example:\n  saddlebag completion bash > ~/.local/share/bash-completion/completions/saddlebag"
    )]
    Completion(completion::Args),
    /// Say which version this is and what it was built from.
    #[command(after_help = "Example:\n  saddlebag version --verbose")]
    Version(version::Args),
}

/// Reads the command line and does what it says. It is here and not in the binary so that the code of
/// all commands is compiled once, with the library.
pub fn main() -> ExitCode {
    let command = Command::parse_from(with_two_dashes(std::env::args_os()));
    log(&command);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(std::io::stderr(), &format!("saddlebag: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(carry_out(command))
}

/// What a command does. It is behind a pointer since a runtime waits for a future in three ways, each of which
/// would be compiled with all that the future holds.
fn carry_out(command: Command) -> Pin<Box<dyn Future<Output = ExitCode>>> {
    Box::pin(async {
        match command {
            Command::Dev(args) => dev::run(args).await,
            Command::Serve(args) => serve::run(*args).await,
            Command::Config(command) => config::run(command),
            Command::Driver(args) => driver::run(args).await,
            Command::Volume(args) => volume::run(args).await,
            Command::Plugin(args) => plugin::run(args).await,
            Command::Node(args) => node::run(args).await,
            Command::Operation(args) => operation::run(args).await,
            Command::Namespace(args) => namespace::run(args).await,
            Command::Acl(args) => acl::run(args).await,
            Command::Keyring(args) => keyring::run(args).await,
            Command::Tls(command) => tls::run(command),
            Command::Doctor(args) => doctor::run(args).await,
            Command::Verify(args) => verify::run(args).await,
            Command::Completion(args) => completion::run(args),
            Command::Version(args) => version::run(&args),
            Command::Store(command) => store::run(command).await,
        }
    })
}

/// Logs to standard error: for people on a terminal, as JSON otherwise. `RUST_LOG` says how much;
/// `dev` says on its own what matters to who tries it, so it logs only warnings by itself. `serve` logs
/// as it is configured, and begins to on its own.
pub fn log(command: &Command) {
    let default = match command {
        Command::Dev(_)
        | Command::Volume(_)
        | Command::Plugin(_)
        | Command::Node(_)
        | Command::Operation(_)
        | Command::Namespace(_)
        | Command::Acl(_)
        | Command::Keyring(_)
        | Command::Tls(_)
        | Command::Doctor(_)
        | Command::Verify(_)
        | Command::Store(_)
        | Command::Completion(_)
        | Command::Version(_) => "warn",
        Command::Driver(_) => "info",
        Command::Serve(_) | Command::Config(_) => return,
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    Log::start(filter, LogFormat::Auto, None);
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
