//! `saddlebag doctor`: what needs somebody's attention, and the commands that see to it.

mod remedy;

use crate::cli::connection::{Connection, Session, given};
use crate::cli::duration;
use crate::cli::failure::{Failure, printable};
use crate::cli::screen::Screen;
use crate::cli::table::section;
use remedy::Remedies;
use saddlebag_client::GoDuration;
use saddlebag_client::types::{Diagnosis, Finding, PluginListing};
use std::process::ExitCode;

/// What needs somebody's attention.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,

    /// How long the drivers may take to say what they have.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    wait: GoDuration,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Does what the command says, and succeeds if nothing was found. Failures are told on standard error.
pub async fn run(args: Args) -> ExitCode {
    match answer(args).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => failure.tell(),
    }
}

/// Whether all is well.
async fn answer(args: Args) -> Result<bool, Failure> {
    let session = args.connection.open()?;
    let request = given!(
        session.client.doctor().wait(args.wait),
        region: session.region.as_deref(),
    );
    let answer = request.send().await;
    let diagnosis = answer.map_err(|error| session.failure(error))?.into_inner();
    let is_well = diagnosis.findings.is_empty();
    let screen = Screen::new();
    match args.json {
        true => screen.show_json(&diagnosis)?,
        false => screen.show(&text(&session, &diagnosis, &screen).await?),
    }
    Ok(is_well)
}

async fn text(
    session: &Session,
    diagnosis: &Diagnosis,
    screen: &Screen,
) -> Result<String, Failure> {
    let remedies = Remedies::new(session, &diagnosis.findings).await?;
    let mut text = String::new();
    for finding in &diagnosis.findings {
        text += &told(finding, &remedies, screen);
    }
    text += match diagnosis.findings.len() {
        0 => "Nothing was found\n".to_owned(),
        1 => "1 finding\n".to_owned(),
        several => format!("{several} findings\n"),
    }
    .as_str();
    let asked: String = diagnosis.plugins.iter().map(listing).collect();
    Ok(text + &section("What the drivers were asked", &asked))
}

/// What was found, what it means, and the commands for it.
fn told(finding: &Finding, remedies: &Remedies, screen: &Screen) -> String {
    let mut text = format!("{}{}\n", finding.kind, about(finding, screen));
    text += &format!("  {}\n", line(&finding.meaning));
    for remedy in remedies.of(finding) {
        text += &format!("  {}:\n", remedy.when);
        text.extend(
            remedy
                .commands
                .iter()
                .map(|it| format!("    {}\n", line(it))),
        );
    }
    text + "\n"
}

/// What it is about, and since when: ` of volume pgdata, plugin local, since …`.
fn about(finding: &Finding, screen: &Screen) -> String {
    let mut parts = vec![match (&finding.volume_id, &finding.external_id) {
        (Some(id), _) => format!("volume {id}"),
        (None, Some(id)) => format!("external id {id}"),
        (None, None) => String::new(),
    }];
    parts.push(format!("plugin {}", finding.plugin_id));
    parts.extend(finding.node_id.iter().map(|node| format!("node {node}")));
    if let Some(since) = finding.since {
        parts.push(match screen.time(Some(since)) {
            time if time.ends_with("ago") || time == "now" => time,
            time => format!("since {time}"),
        });
    }
    parts.retain(|part| !part.is_empty());
    format!(": {}", line(&parts.join(", ")))
}

fn listing(listing: &PluginListing) -> String {
    let plugin = &listing.plugin_id;
    let volumes = match listing.volumes {
        1 => "1 volume".to_owned(),
        volumes => format!("{volumes} volumes"),
    };
    match (listing.asked, listing.complete) {
        (true, true) => format!("  plugin {plugin} has {volumes}\n"),
        (true, false) => format!("  plugin {plugin} told of {volumes}, and not of all\n"),
        (false, _) => {
            format!("  plugin {plugin} was not asked: its driver cannot list volumes\n")
        }
    }
}

fn line(text: &str) -> String {
    printable(text).replace('\n', " ")
}
