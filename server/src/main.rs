//! Reads the command line and does what it says.

use clap::Parser;
use saddlebag::cli;
use std::process::ExitCode;

/// A control plane for storage volumes.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Run the built-in CSI driver alone.
    Driver(cli::driver::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    match Command::parse() {
        Command::Driver(args) => cli::driver::run(args).await,
    }
}
