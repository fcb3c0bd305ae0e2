//! Reads the command line and does what it says.

use clap::Parser;
use saddlebag::cli::{self, Command};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse_from(cli::with_two_dashes(std::env::args_os()));
    cli::log(&command);
    match command {
        Command::Dev(args) => cli::dev::run(args).await,
        Command::Driver(args) => cli::driver::run(args).await,
        Command::Volume(args) => cli::volume::run(args).await,
        Command::Plugin(args) => cli::plugin::run(args).await,
        Command::Operation(args) => cli::operation::run(args).await,
        Command::Completion(args) => cli::completion::run(args),
    }
}
