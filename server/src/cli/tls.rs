//! `saddlebag tls`: a private authority, and certificates for servers, nodes and the command line.
//!
//! No server is asked. Files are made in the working directory, keys readable by their owner only; what is
//! there is never overwritten.

mod ca;
mod cert;

use crate::cli::failure::{Exit, Failure};
use crate::cli::say;
use crate::tls::authority::Pair;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write, stdout};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Makes a private authority, and certificates that it signs.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a private authority.
    #[command(subcommand, after_help = "Example:\n  saddlebag tls ca create")]
    Ca(ca::Command),
    /// Make certificates that it signs.
    #[command(
        subcommand,
        after_help = "Example:\n  saddlebag tls cert create --server\n  saddlebag tls cert create --cli"
    )]
    Cert(cert::Command),
}

/// Does it. The files that were made are told on standard output, failures on standard error.
pub fn run(command: Command) -> ExitCode {
    let made = match command {
        Command::Ca(ca::Command::Create(args)) => ca::create(&args),
        Command::Cert(cert::Command::Create(args)) => cert::create(&args),
    };
    match made {
        Ok(text) => {
            say(stdout(), &text);
            ExitCode::SUCCESS
        }
        Err(failure) => failure.tell(),
    }
}

/// Where a pair's two files are, `NAME.pem` and `NAME-key.pem`.
struct Place {
    certificate: PathBuf,
    key: PathBuf,
}

impl Place {
    fn of(name: &str) -> Self {
        Self {
            certificate: format!("{name}.pem").into(),
            key: format!("{name}-key.pem").into(),
        }
    }

    /// Writes both, or none.
    fn write(&self, pair: &Pair) -> Result<(), Failure> {
        write_new(&self.key, 0o600, &pair.key)?;
        let written = write_new(&self.certificate, 0o644, &pair.certificate);
        if written.is_err() {
            let _ = std::fs::remove_file(&self.key);
        }
        written
    }

    fn told(&self) -> String {
        format!("{}\n{}\n", self.certificate.display(), self.key.display())
    }
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let next = match error.kind() {
            ErrorKind::AlreadyExists => {
                ["Nothing was overwritten: move it away first, or go to another folder"].as_slice()
            }
            _ => &[],
        };
        Failure::new(Exit::Failed, format!("{}: {error}", path.display()), next)
    };
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(failed)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| File::sync_all(&file));
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written.map_err(failed)
}

/// A name that can stand in the names of hosts and of files.
fn label(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_label =
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_allowed);
    match is_label {
        true => Ok(text.to_owned()),
        false => Err("use letters, digits, hyphens and dots".to_owned()),
    }
}
