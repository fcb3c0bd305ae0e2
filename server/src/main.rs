//! Reads the command line and does what it says.

use clap::Parser;
use saddlebag::cli::{self, Command};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse();
    cli::log(&command);
    match command {
        Command::Dev(args) => cli::dev::run(args).await,
        Command::Serve(args) => cli::serve::run(*args).await,
        Command::Config(command) => cli::config::run(command),
        Command::Driver(args) => cli::driver::run(args).await,
    }
}
