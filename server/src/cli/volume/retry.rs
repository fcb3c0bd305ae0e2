//! `saddlebag volume retry`.

use crate::cli::connection::{Session, given};
use crate::cli::failure::{Failure, word};
use crate::cli::screen::Screen;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The volume's id, in full.
    #[arg(value_name = "VOLUME")]
    volume: String,
}

pub(super) async fn run(session: &Session, args: Args) -> Result<(), Failure> {
    let volume = &args.volume;
    let request = given!(
        session.client.retry_claims().volume_id(volume).namespace(session.namespace()),
        region: session.region.as_deref(),
    );
    let answer = request.send().await;
    answer.map_err(|error| session.failure(error))?;
    Screen::new().show(&format!(
        "What is unfinished of volume {volume} is tried now; see it: saddlebag volume status {}\n",
        word(volume)
    ));
    Ok(())
}
