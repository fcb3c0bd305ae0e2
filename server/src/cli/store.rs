//! `saddlebag store`: backups of the store, and what is in it.
//!
//! All commands work on a data folder. While a server has it they read through that server, so they
//! see every change that it answered; otherwise they read the file, and change nothing in it.

mod backup;
mod check;
mod restore;
mod source;
mod stats;
mod survey;

use crate::cli::say;
use std::io::{stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

/// Backs up, restores and checks what a server keeps.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Write all rows of the store to a file, while a server runs or not.
    ///
    /// The file is written whole or not at all, and read again before it gets its name. Secrets in
    /// it are encrypted with data keys that only the key file opens (`secrets.key` of the data folder), which is
    /// not in it.
    #[command(
        after_help = "Example:\n  saddlebag store backup --data-dir /var/lib/saddlebag /backups/monday"
    )]
    Backup(backup::Args),
    /// Put the rows of a backup into a data folder that no server has.
    ///
    /// The backup is read and verified whole before anything is changed. The index then is higher
    /// than any that a client can have seen, so whoever waits for changes is told.
    #[command(
        after_help = "Example:\n  saddlebag store restore --data-dir /var/lib/saddlebag /backups/monday"
    )]
    Restore(restore::Args),
    /// Look at every row, and say what is wrong. Nothing is changed.
    ///
    /// The exit code is 0 if all is well and 1 if not.
    #[command(after_help = "Example:\n  saddlebag store check --data-dir /var/lib/saddlebag")]
    Check(check::Args),
    /// Say how many rows there are of each kind, and how large they are.
    #[command(after_help = "Example:\n  saddlebag store stats --data-dir /var/lib/saddlebag")]
    Stats(stats::Args),
}

/// Where a server keeps its data.
#[derive(Debug, clap::Args)]
struct DataDir {
    /// Where the server keeps its data.
    #[arg(long, env = "SADDLEBAG_DATA_DIR", value_name = "DIR")]
    data_dir: PathBuf,
}

/// Does it. What it found is told on standard output, failures on standard error.
pub async fn run(command: Command) -> ExitCode {
    let (name, done) = match command {
        Command::Backup(args) => ("backup", blocking(|| backup::run(args)).await),
        Command::Restore(args) => ("restore", blocking(|| restore::run(args)).await),
        Command::Check(args) => ("check", blocking(|| check::run(args)).await),
        Command::Stats(args) => ("stats", blocking(|| stats::run(args)).await),
    };
    match done {
        Ok(text) => {
            say(stdout(), &text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(stderr(), &format!("saddlebag store {name}: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn blocking(
    work: impl FnOnce() -> Result<String, String> + Send + 'static,
) -> Result<String, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| Err(panicked.to_string()))
}
