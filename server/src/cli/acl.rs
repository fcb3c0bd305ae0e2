//! `saddlebag acl`: who may do what.

mod policy;
mod role;
mod token;

use crate::cli::connection::{Connection, Session, given};
use crate::cli::failure::{Exit, Failure};
use crate::cli::screen::Screen;
use saddlebag_client::types::BootstrapRequest;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

/// Who may do what.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make the first token, which may do everything. It can be done once.
    ///
    /// Its secret is shown this once: write it down, or into SADDLEBAG_TOKEN.
    #[command(after_help = "Example:\n  saddlebag acl bootstrap")]
    Bootstrap(Bootstrap),
    /// Make, see, change and delete tokens.
    #[command(
        subcommand,
        after_help = "Example:\n  saddlebag acl token create --name ann --policy readers"
    )]
    Token(token::Command),
    /// Say what tokens may do.
    #[command(
        subcommand,
        after_help = "Example:\n  saddlebag acl policy apply readers readers.hcl"
    )]
    Policy(policy::Command),
    /// Put policies together under a name, for tokens that have them all.
    #[command(
        subcommand,
        after_help = "Example:\n  saddlebag acl role create --name operators --policy readers"
    )]
    Role(role::Command),
}

#[derive(Debug, clap::Args)]
struct Bootstrap {
    /// A file with the secret that it is to have, a UUID; `-` is standard input. One is made up without it.
    #[arg(value_name = "FILE")]
    secret: Option<std::path::PathBuf>,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Does what the command says. Failures are told on standard error.
pub async fn run(args: Args) -> ExitCode {
    match answer(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

async fn answer(args: Args) -> Result<(), Failure> {
    let session = args.connection.open()?;
    match args.command {
        Command::Bootstrap(args) => bootstrap(&session, args).await,
        Command::Token(command) => token::run(&session, command).await,
        Command::Policy(command) => policy::run(&session, command).await,
        Command::Role(command) => role::run(&session, command).await,
    }
}

async fn bootstrap(session: &Session, args: Bootstrap) -> Result<(), Failure> {
    let secret = args.secret.as_deref().map(text).transpose()?;
    let body = BootstrapRequest {
        bootstrap_secret: secret.map(|secret| secret.trim().to_owned()),
    };
    let request = given!(
        session.client.bootstrap_acl().body(body),
        region: session.region.as_deref(),
    );
    let made = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    let screen = Screen::new();
    match args.json {
        true => screen.show_json(&made),
        false => {
            screen.show(&token::facts(&made, screen));
            Ok(())
        }
    }
}

/// The text of a file, or of standard input if it is `-`.
fn text(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file == Path::new("-") {
        true => std::io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map(|_| text),
        false => std::fs::read_to_string(file),
    };
    read.map_err(|error| {
        let text = format!("{} cannot be read: {error}", file.display());
        Failure::new(Exit::Usage, text, &[])
    })
}
