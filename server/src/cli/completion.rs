//! `saddlebag completion`: a script that lets a shell complete our commands.

use crate::cli::{Command, say};
use clap::CommandFactory;
use clap_complete::Shell;
use std::process::ExitCode;

/// Prints a script for a shell to complete commands and flags with.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints it.
pub fn run(args: Args) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut Command::command(),
        "saddlebag",
        &mut script,
    );
    say(std::io::stdout(), &String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
