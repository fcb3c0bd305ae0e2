//! `saddlebag keyring`: the keys that secrets in the store are encrypted with.

use crate::cli::connection::{Connection, Session, given};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::Table;
use jiff::Timestamp;
use std::process::ExitCode;

/// The keys that secrets in the store are encrypted with.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the keys and what each is used for.
    ///
    /// `active` encrypts; what a `rekeying` one encrypted is being encrypted anew; an `inactive` one is needed by nothing
    /// in the store.
    #[command(after_help = "Example:\n  saddlebag keyring status")]
    Status(Status),
    /// Make a new key, and have all secrets encrypted anew with it in the background.
    #[command(after_help = "Example:\n  saddlebag keyring rotate\n  saddlebag keyring status")]
    Rotate,
    /// Remove a key that is inactive.
    #[command(
        after_help = "Example:\n  saddlebag keyring remove 5a2c3f1e-0d6b-4e0c-9b1a-7f6f2f0f9c11"
    )]
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Status {
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// Its id, as `status` shows it.
    #[arg(value_name = "KEY_ID")]
    id: String,
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
        Command::Status(args) => status(&session, args).await,
        Command::Rotate => rotate(&session).await,
        Command::Remove(args) => remove(&session, args).await,
    }
}

async fn status(session: &Session, args: Status) -> Result<(), Failure> {
    let request = given!(
        session.client.list_root_keys(),
        region: session.region.as_deref(),
    );
    let keys = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&keys);
    }
    let mut table = Table::new(&["Key", "State", "Made"]);
    for key in &keys {
        let made = Timestamp::from_nanosecond(i128::from(key.create_time)).unwrap_or_default();
        table.row([&key.key_id, &key.state, &format!("{made:.0}")]);
    }
    screen.show(&table.text());
    Ok(())
}

async fn rotate(session: &Session) -> Result<(), Failure> {
    let request = given!(
        session.client.rotate_root_key(),
        region: session.region.as_deref(),
    );
    let made = request
        .send()
        .await
        .map_err(|error| session.failure(error))?
        .into_inner();
    Screen::new().show(&format!(
        "Made key {}. Secrets are being encrypted anew with it: saddlebag keyring status\n",
        made.key.key_id
    ));
    Ok(())
}

async fn remove(session: &Session, args: Remove) -> Result<(), Failure> {
    let request = given!(
        session.client.remove_root_key().key_id(&args.id),
        region: session.region.as_deref(),
    );
    request
        .send()
        .await
        .map_err(|error| session.failure(error))?;
    Screen::new().show(&format!("Removed key {}\n", args.id));
    Ok(())
}
