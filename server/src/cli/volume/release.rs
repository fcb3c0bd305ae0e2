//! `saddlebag volume release`: the end of a claim.

use super::claims;
use crate::cli::connection::{Session, given};
use crate::cli::duration;
use crate::cli::failure::{Exit, Failure, word};
use crate::cli::progress::{ClaimName, Subject, follow, of_claim, wait};
use crate::cli::screen::Screen;
use crate::clock::Clock;
use saddlebag_client::GoDuration;
use saddlebag_client::types::Claim;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The volume's id, in full.
    #[arg(value_name = "VOLUME")]
    volume: String,

    /// The claim's id, or the beginning of it; not needed if the volume has only one claim.
    #[arg(value_name = "CLAIM")]
    allocation: Option<String>,

    /// How long to wait for it; the work goes on after it. At most 5m.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "120s")]
    wait: GoDuration,

    /// Tell each step as it happens, on standard error.
    #[arg(long)]
    follow: bool,

    /// The claim as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(session: &Session, args: Args) -> Result<(), Failure> {
    let volume = &args.volume;
    let screen = Screen::new();
    let Some(allocation) = claims::find(session, volume, args.allocation.as_deref()).await? else {
        match args.json {
            true => screen.show("null\n"),
            false => screen.show(&format!("Volume {volume} has no claim to release\n")),
        }
        return Ok(());
    };
    let name = ClaimName {
        namespace: session.namespace(),
        volume,
        allocation: &allocation,
    };
    let request = given!(
        session
            .client
            .release_claim()
            .volume_id(volume)
            .alloc_id(&allocation)
            .namespace(session.namespace())
            .wait(args.wait),
        region: session.region.as_deref(),
    );
    let claim = match args.follow {
        true => follow(session, name, request.send()).await?,
        false => wait(session, Subject::Claim(name), request.send()).await?,
    };
    if args.json {
        screen.show_json(&claim)?;
    }
    match claim.state.as_str() {
        "gone" | "failed" if args.json => {}
        "gone" => screen.show(&format!("Released claim {allocation} of volume {volume}\n")),
        "failed" => screen.show(&format!(
            "Claim {allocation} of volume {volume} had failed; nothing is left of it\n"
        )),
        _ => return Err(unfinished(&claim)),
    }
    Ok(())
}

fn unfinished(claim: &Claim) -> Failure {
    let volume = word(&claim.volume_id);
    let standing = of_claim(claim, Clock::default().now());
    Failure::new(
        Exit::Unfinished,
        format!("volume {volume} is not released yet: {standing}"),
        &[
            "It goes on, and the same command again waits for it",
            &format!("See how it is: saddlebag volume claims {volume}"),
            &format!(
                "If its host is gone for good: saddlebag node fence --reason 'how you know' {}",
                word(&claim.node_id)
            ),
        ],
    )
}
