//! The command line: one module per command.

pub mod config;
pub mod dev;
pub mod driver;
mod log;
mod running;
pub mod serve;
mod signals;
pub mod store;

use crate::config::LogFormat;
use clap::Parser;
use log::Log;
use std::io::Write;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// A control plane for storage volumes: Nomad's CSI HTTP API in front, CSI drivers behind.
#[derive(Debug, clap::Parser)]
#[command(
    name = "saddlebag",
    version,
    after_help = "Example:\n  saddlebag dev\n  curl 'http://127.0.0.1:4646/v1/plugins?type=csi&pretty'"
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
    /// Back up, restore and check what a server keeps.
    #[command(
        subcommand,
        after_help = "Example:\n  saddlebag store backup --data-dir /var/lib/saddlebag /backups/monday"
    )]
    Store(store::Command),
}

/// Reads the command line and does what it says. It is here and not in the binary so that the code of
/// all commands is compiled once, with the library.
pub fn main() -> ExitCode {
    let command = Command::parse();
    log(&command);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(std::io::stderr(), &format!("saddlebag: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        match command {
            Command::Dev(args) => dev::run(args).await,
            Command::Serve(args) => serve::run(*args).await,
            Command::Config(command) => config::run(command),
            Command::Driver(args) => driver::run(args).await,
            Command::Store(command) => store::run(command).await,
        }
    })
}

/// Logs to standard error: for people on a terminal, as JSON otherwise. `RUST_LOG` says how much;
/// `dev` says on its own what matters to who tries it, so it logs only warnings by itself. `serve` logs
/// as it is configured, and begins to on its own.
pub fn log(command: &Command) {
    let default = match command {
        Command::Dev(_) | Command::Store(_) => "warn",
        Command::Driver(_) => "info",
        Command::Serve(_) | Command::Config(_) => return,
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    Log::start(filter, LogFormat::Auto);
}

/// Says something to whoever started us; nobody has to listen.
fn say(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
