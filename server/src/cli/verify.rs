//! `saddlebag verify`: compares a server of this API, ours or a Nomad, with the document.
//!
//! ```text
//! document ──► trials ──► stage (whose ids) ──► probe ──► server
//!                                                 │
//!              report ◄── tallies ◄── the document judges each answer
//! ```
//!
//! - Without `--write` it changes nothing at a server that does what it should: it reads, and sends changes that
//!   have to be refused. With it, it makes things of its own and takes them away again, also after Ctrl-C.
//! - What is known to end a Nomad is not sent to one.
//! - An answer is judged as those on the wire are in our own tests: status, headers, body, and whether a request
//!   that the document does not allow was taken.

mod intended;
mod made;
mod probe;
mod reach;
mod report;
mod stage;
mod sweep;
mod trial;
mod trials;
mod values;

use crate::cli::connection::Connection;
use crate::cli::failure::{Exit, Failure};
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::signals::Signals;
use crate::http::contract::examples::{Case, cases};
use crate::http::contract::truth::Truth;
use probe::Probe;
use reach::{Allowed, Reach};
use report::Report;
use saddlebag_client::operations::Operation;
use serde_json::Value;
use stage::Stage;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Compares a server with the document.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The server, as `--address`: a saddlebag or a Nomad.
    #[arg(value_name = "URL")]
    url: Option<String>,

    /// Make volumes, claims, snapshots, namespaces, tokens and policies too, and take them away again.
    #[arg(long)]
    write: bool,

    /// Only these operations, by their `operationId`.
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = operation)]
    only: Vec<Operation>,

    /// What was found as JSON.
    #[arg(long)]
    json: bool,

    /// Write what was found into this file too, as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    #[command(flatten)]
    connection: Connection,
}

/// Does what the command says, and succeeds if there are no differences. Failures are told on standard error.
pub async fn run(args: Args) -> ExitCode {
    match answer(args).await {
        Ok(code) => code,
        Err(failure) => failure.tell(),
    }
}

async fn answer(args: Args) -> Result<ExitCode, Failure> {
    let truth = Truth::of_the_contract()
        .map_err(|error| Failure::new(Exit::Failed, error.to_string(), &[]))?;
    let shown = cases(truth.document()).unwrap_or_default();
    let session = args.connection.at(args.url).open()?;
    let namespace = session.namespace().to_owned();
    let left = leave_at_ctrl_c()?;
    let mut probe = Probe::new(session, truth.clone());
    let about = probe.call(Operation::ReadAgent, &[], &[], None).await?;
    let about = About::of(about.as_ref());
    probe.is_nomad = about.is_nomad;
    let allowed = Allowed {
        write: args.write,
        acl: about.acl,
    };
    let mut stage = Stage::set(&mut probe, args.write, &namespace).await?;
    let tried = try_all(&mut probe, &mut stage, allowed, &args.only, &shown, &left).await;
    let left_behind = sweep::sweep(&mut probe, &stage).await?;
    tried?;
    let report = Report {
        address: probe.address().to_owned(),
        is_nomad: about.is_nomad,
        version: about.version,
        tallies: std::mem::take(&mut probe.tallies),
        left_behind,
    };
    tell(&report, &truth, args.json, args.junit)?;
    Ok(match left.load(Ordering::Relaxed) {
        true => ExitCode::from(Exit::Left as u8),
        false if report.faults().next().is_none() && report.left_behind.is_empty() => {
            ExitCode::SUCCESS
        }
        false => ExitCode::FAILURE,
    })
}

/// Sends every trial of every operation, until there are no more or it is left.
async fn try_all(
    probe: &mut Probe,
    stage: &mut Stage,
    allowed: Allowed,
    only: &[Operation],
    shown: &[Case],
    left: &AtomicBool,
) -> Result<(), Failure> {
    for &operation in Operation::ALL {
        if !only.is_empty() && !only.contains(&operation) {
            continue;
        }
        let reach = Reach::of(operation, allowed);
        if let Reach::Not(reason) = reach {
            probe.tallies.entry(operation).or_default().left_out = Some(reason);
        }
        for trial in trials::trials(probe.document(), operation, reach, shown) {
            if left.load(Ordering::Relaxed) {
                return Ok(());
            }
            if probe.is_nomad && intended::ends_a_nomad(&trial) {
                continue;
            }
            stage.prepare(probe, operation, &trial).await?;
            let trial = stage.fill(operation, &trial);
            if let Some(answer) = probe.ask(operation, &trial).await? {
                let answer = stage.outcome(probe, operation, &trial, answer).await?;
                stage.after(probe, operation, &trial, &answer).await?;
            }
        }
    }
    Ok(())
}

fn tell(
    report: &Report,
    truth: &Arc<Truth>,
    json: bool,
    junit: Option<PathBuf>,
) -> Result<(), Failure> {
    if let Some(file) = junit {
        std::fs::write(&file, report.junit())
            .map_err(|error| Failure::usage(format!("--junit {}: {error}", file.display())))?;
    }
    let screen = Screen::new();
    match json {
        true => screen.show_json(&report.json(truth.document())),
        false => {
            screen.show(&report.text());
            Ok(())
        }
    }
}

/// What a server says of itself.
struct About {
    is_nomad: bool,
    version: Option<String>,
    /// Access control is on, or nobody may know.
    acl: bool,
}

impl About {
    /// A Nomad tells from which sources it was built, and how its servers agree; saddlebag has neither to tell.
    fn of(agent: Option<&Value>) -> Self {
        let said = agent.unwrap_or(&Value::Null);
        let version = &said["config"]["Version"];
        Self {
            is_nomad: version["Revision"].is_string() || said["stats"]["raft"].is_object(),
            version: version["Version"].as_str().map(str::to_owned),
            acl: said["config"]["ACL"]["Enabled"] != false,
        }
    }
}

/// Becomes true at Ctrl-C, after which the request under way is ended and what was made is taken away. A second
/// one ends the process at once.
fn leave_at_ctrl_c() -> Result<Arc<AtomicBool>, Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::new(Exit::Failed, error, &[]))?;
    let left = Arc::new(AtomicBool::new(false));
    let told = left.clone();
    tokio::spawn(async move {
        signals.next().await;
        told.store(true, Ordering::Relaxed);
        say(
            std::io::stderr(),
            "saddlebag: taking away what was made; once more leaves it there\n",
        );
        signals.next().await;
        std::process::exit(i32::from(Exit::Left as u8));
    });
    Ok(left)
}

/// An operation by its id.
fn operation(id: &str) -> Result<Operation, String> {
    let found = Operation::ALL.iter().find(|operation| operation.id() == id);
    found
        .copied()
        .ok_or_else(|| "the document has no such operationId".to_owned())
}
