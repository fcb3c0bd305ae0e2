//! `saddlebag volume claims`, and finding one of them.

use super::list::tell_more;
use crate::cli::allocations;
use crate::cli::connection::{Session, given};
use crate::cli::failure::{Exit, Failure, word};
use crate::cli::progress::{has_ended, said};
use crate::cli::screen::Screen;
use crate::cli::table::Table;
use saddlebag_client::types::{Claim, ListClaimsState};
use uuid::Uuid;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The volume's id, in full.
    #[arg(value_name = "VOLUME")]
    volume: String,

    /// Only claims in this state: taken, published, unpublished, gone or failed.
    #[arg(long, value_parser = state)]
    state: Option<ListClaimsState>,

    /// At most so many.
    #[arg(long, value_name = "N")]
    per_page: Option<i32>,

    /// Where to go on, as the page before said.
    #[arg(long, value_name = "TOKEN")]
    page_token: Option<String>,

    /// The answer as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Ids alone, one in a line.
    #[arg(long, short)]
    quiet: bool,

    /// More columns, whole ids, exact times.
    #[arg(long)]
    verbose: bool,
}

fn state(text: &str) -> Result<ListClaimsState, String> {
    let refused = |_| "it is taken, published, unpublished, gone or failed".to_owned();
    text.parse().map_err(refused)
}

pub(super) async fn run(session: &Session, args: Args) -> Result<(), Failure> {
    let request = given!(
        session.client.list_claims().volume_id(&args.volume).namespace(session.namespace()),
        region: session.region.as_deref(),
        state: args.state,
        per_page: args.per_page,
        next_token: args.page_token.as_deref(),
    );
    let answer = request.send().await;
    let answer = answer.map_err(|error| session.failure(error))?;
    let next = answer.headers().get("x-nomad-nexttoken");
    let next = next.and_then(|token| token.to_str().ok());
    let next = next.unwrap_or_default().to_owned();
    let claims = answer.into_inner();
    let screen = Screen::new().exact(args.verbose);
    if args.json {
        screen.show_json(&claims)?;
    } else if args.quiet {
        claims
            .iter()
            .for_each(|claim| screen.show(&format!("{}\n", claim.allocation_id)));
    } else if claims.is_empty() {
        screen.show("No claims: nobody uses it, or did within the last hour\n");
    } else {
        screen.show(&table(&claims, args.verbose, &screen));
    }
    tell_more(&next);
    Ok(())
}

fn table(claims: &[Claim], verbose: bool, screen: &Screen) -> String {
    let mut columns = vec!["ID", "Node ID", "State", "Since", "Path", "Next", "Why"];
    if verbose {
        columns.extend([
            "Access Mode",
            "Attachment Mode",
            "Read Only",
            "On Reboot",
            "Name",
            "Job ID",
            "Tries",
            "Created",
        ]);
    }
    let mut table = Table::new(&columns);
    for claim in claims {
        let path = match claim.state.as_str() {
            "published" => claim.target_path.as_str(),
            _ => "",
        };
        let short = [
            allocations::id(&claim.allocation_id, verbose),
            allocations::id(&claim.node_id, verbose),
            claim.state.clone(),
            screen.time(Some(claim.since)),
            path.to_owned(),
            claim.step.clone(),
            why(claim, verbose),
        ];
        let long = [
            claim.access_mode.clone(),
            claim.attachment_mode.clone(),
            claim.read_only.to_string(),
            claim.on_reboot.clone(),
            claim.name.clone(),
            claim.job_id.clone(),
            claim.attempts.to_string(),
            screen.time(Some(claim.create_time)),
        ];
        table.row(
            short
                .into_iter()
                .chain(long.into_iter().filter(|_| verbose)),
        );
    }
    table.text()
}

/// What it waits for, and what went wrong last: in the driver's own words, or the server's and all if `verbose`.
fn why(claim: &Claim, verbose: bool) -> String {
    let waits_for = claim.waits_for.as_ref();
    let waits_for = waits_for.map(|what| format!("waits for {what}"));
    let error = claim.last_error.as_ref().map(|error| match verbose {
        true => error.clone(),
        false => said(error, claim.last_error_code.as_deref()),
    });
    let parts = waits_for.into_iter().chain(error);
    parts.collect::<Vec<_>>().join("; ")
}

/// All claims of a volume, those that have ended lately too.
pub(super) async fn all(session: &Session, volume: &str) -> Result<Vec<Claim>, Failure> {
    let request = given!(
        session.client.list_claims().volume_id(volume).namespace(session.namespace()),
        region: session.region.as_deref(),
    );
    let listed = request.send().await.map_err(|error| session.failure(error));
    Ok(listed?.into_inner())
}

/// The whole id of the claim whose id is, or begins with, what was asked for; of the volume's only claim if nothing was.
/// Claims that have ended count only if no other begins so. Nothing if nothing was asked for and there is no claim.
pub(super) async fn find(
    session: &Session,
    volume: &str,
    asked: Option<&str>,
) -> Result<Option<String>, Failure> {
    if let Some(whole) = asked.and_then(|asked| Uuid::try_parse(asked).ok()) {
        return Ok(Some(whole.to_string()));
    }
    let (ended, live): (Vec<Claim>, Vec<Claim>) =
        all(session, volume).await?.into_iter().partition(has_ended);
    let see = format!("See who uses it: saddlebag volume claims {}", word(volume));
    let Some(asked) = asked else {
        return match live.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only.allocation_id.clone())),
            several => Err(Failure::new(
                Exit::Usage,
                format!("{volume:?} has several claims:\n\n{}", listed(several)),
                &["Say which, by its id or the beginning of it"],
            )),
        };
    };
    let begins = |claim: &Claim| claim.allocation_id.starts_with(&asked.to_lowercase());
    let mut found: Vec<Claim> = live.into_iter().filter(begins).collect();
    if found.is_empty() {
        found = ended.into_iter().filter(begins).collect();
    }
    match found.as_slice() {
        [] => Err(Failure::new(
            Exit::NotFound,
            format!("no claim of volume {volume:?} begins with {asked:?}"),
            &[&see],
        )),
        [only] => Ok(Some(only.allocation_id.clone())),
        several => Err(Failure::new(
            Exit::NotFound,
            format!(
                "{asked:?} is the beginning of several claims:\n\n{}",
                listed(several)
            ),
            &["Give one of them in full"],
        )),
    }
}

fn listed(claims: &[Claim]) -> String {
    table(claims, false, &Screen::new())
}
