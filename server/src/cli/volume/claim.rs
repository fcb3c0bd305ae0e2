//! `saddlebag volume claim`: a volume at a path.

use crate::cli::connection::{Session, given};
use crate::cli::failure::{Exit, Failure, word};
use crate::cli::progress::{ClaimName, Subject, follow, of_claim, wait};
use crate::cli::screen::Screen;
use crate::cli::{duration, node, say};
use crate::clock::Clock;
use saddlebag_client::GoDuration;
use saddlebag_client::types::{Claim, ClaimRequest, MountOptionsRequest};
use std::io::{IsTerminal, stderr};
use std::time::Duration;
use uuid::Uuid;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The volume's id, in full.
    #[arg(value_name = "VOLUME")]
    volume: String,

    /// The node to have it on, by its id or the beginning of it; not needed where there is only one.
    #[arg(long, value_name = "ID", aliases = ["node-id", "node_id"])]
    node: Option<String>,

    /// The claim's own name, a UUID: the same command with it again is the same claim. One is made up without it.
    #[arg(long, value_name = "UUID", aliases = ["alloc", "allocation-id", "allocation_id"])]
    allocation: Option<Uuid>,

    /// Only read. The reader-only modes need it.
    #[arg(long, alias = "read_only")]
    read_only: bool,

    /// One of the access modes that the volume was requested for; not needed if there is one, or others use it already.
    #[arg(long, value_name = "MODE", alias = "access_mode", value_parser = ACCESS_MODES)]
    access_mode: Option<String>,

    /// The attachment mode that goes with it.
    #[arg(long, value_name = "MODE", alias = "attachment_mode", value_parser = ["file-system", "block-device"])]
    attachment_mode: Option<String>,

    /// The type of the file system, such as ext4; the volume's own without it.
    #[arg(long, value_name = "TYPE", aliases = ["fs_type"])]
    fs_type: Option<String>,

    /// A flag to mount with, such as noatime, instead of the volume's own; may be repeated.
    #[arg(
        long = "mount-flag",
        value_name = "FLAG",
        alias = "mount_flag",
        allow_hyphen_values = true
    )]
    mount_flags: Vec<String>,

    /// Where on the node, below one of the folders that its server allows; below its data folder without it.
    #[arg(long, value_name = "PATH", alias = "target_path")]
    target_path: Option<String>,

    /// What comes of the claim when the node is started anew.
    #[arg(long, value_name = "WHAT", alias = "on_reboot", value_parser = ["republish", "release"])]
    on_reboot: Option<String>,

    /// A label for people, shown with the claim.
    #[arg(long, value_name = "LABEL")]
    name: Option<String>,

    /// Another one, for what the claim belongs to.
    #[arg(long, value_name = "LABEL", aliases = ["job-id", "job_id"])]
    job: Option<String>,

    /// How long to wait for it; the work goes on after it. At most 5m.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "120s")]
    wait: GoDuration,

    /// Do not wait, and print the claim's id instead of the path.
    #[arg(long, conflicts_with_all = ["wait", "follow"])]
    detach: bool,

    /// Tell each step as it happens, on standard error.
    #[arg(long)]
    follow: bool,

    /// The claim as JSON.
    #[arg(long)]
    json: bool,
}

const ACCESS_MODES: [&str; 7] = [
    "single-node-reader-only",
    "single-node-writer",
    "single-node-single-writer",
    "single-node-multi-writer",
    "multi-node-reader-only",
    "multi-node-single-writer",
    "multi-node-multi-writer",
];

pub(super) async fn run(session: &Session, args: Args) -> Result<(), Failure> {
    let allocation = args.allocation.unwrap_or_else(Uuid::new_v4).to_string();
    let name = ClaimName {
        namespace: session.namespace(),
        volume: &args.volume,
        allocation: &allocation,
    };
    let request = given!(
        session
            .client
            .claim_volume()
            .volume_id(&args.volume)
            .namespace(session.namespace())
            .wait(match args.detach {
                true => Duration::ZERO.into(),
                false => args.wait,
            })
            .body(body(session, &args, &allocation).await?),
        region: session.region.as_deref(),
    );
    let claim = match args.follow {
        true => follow(session, name, request.send()).await?,
        false => wait(session, Subject::Claim(name), request.send()).await?,
    };
    show(&args, &claim)
}

async fn body(session: &Session, args: &Args, allocation: &str) -> Result<ClaimRequest, Failure> {
    let node = match &args.node {
        Some(asked) => Some(node::find(session, asked).await?),
        None => None,
    };
    let flags = (!args.mount_flags.is_empty()).then(|| args.mount_flags.clone());
    let options = MountOptionsRequest {
        fs_type: args.fs_type.clone(),
        mount_flags: flags,
    };
    Ok(ClaimRequest {
        allocation_id: Some(allocation.to_owned()),
        node_id: node,
        read_only: args.read_only.then_some(true),
        access_mode: args.access_mode.clone(),
        attachment_mode: args.attachment_mode.clone(),
        mount_options: (options != MountOptionsRequest::default()).then_some(options),
        target_path: args.target_path.clone(),
        on_reboot: args.on_reboot.clone(),
        name: args.name.clone(),
        job_id: args.job.clone(),
    })
}

fn show(args: &Args, claim: &Claim) -> Result<(), Failure> {
    let screen = Screen::new();
    let is_there = claim.state == "published" && claim.step.is_empty();
    if args.json {
        screen.show_json(claim)?;
    } else if args.detach {
        screen.show(&format!("{}\n", claim.allocation_id));
    } else if is_there {
        screen.show(&format!("{}\n", claim.target_path));
        tell_how_to_release(claim);
    }
    match is_there || args.detach {
        true => Ok(()),
        false => Err(unfinished(claim)),
    }
}

/// Tells a person, whom a script that takes the path from standard output does not disturb.
fn tell_how_to_release(claim: &Claim) {
    if stderr().is_terminal() {
        let volume = word(&claim.volume_id);
        let id = &claim.allocation_id;
        let line = format!("To give it back: saddlebag volume release {volume} {id}\n");
        say(stderr(), &line);
    }
}

fn unfinished(claim: &Claim) -> Failure {
    let volume = word(&claim.volume_id);
    let id = &claim.allocation_id;
    let see = format!("See how it is: saddlebag volume claims {volume}");
    if claim.release_time.is_some() {
        let message = format!("claim {id} of volume {volume} was released meanwhile");
        return Failure::new(Exit::Conflict, message, &[&see]);
    }
    let standing = of_claim(claim, Clock::default().now());
    Failure::new(
        Exit::Unfinished,
        format!("volume {volume} is not published yet: {standing}"),
        &[
            &format!("It goes on, and the same command with --allocation {id} waits for it"),
            &see,
            &format!("Give it back: saddlebag volume release {volume} {id}"),
        ],
    )
}
