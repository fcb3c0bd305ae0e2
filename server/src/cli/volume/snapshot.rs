//! `saddlebag volume snapshot`.

use super::list::tell_more;
use super::secrets;
use crate::cli::connection::{Session, given, secret};
use crate::cli::duration;
use crate::cli::failure::Failure;
use crate::cli::progress::{Subject, wait};
use crate::cli::screen::Screen;
use crate::cli::table::Table;
use crate::csi::Secret;
use jiff::Timestamp;
use saddlebag_client::GoDuration;
use saddlebag_client::types::{SecretsRequest, Snapshot, SnapshotRequest, SnapshotsRequest};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Take a snapshot of a volume.
    #[command(after_help = "Example:\n  saddlebag volume snapshot create pgdata nightly")]
    Create(Create),
    /// List the snapshots that a plugin has.
    #[command(after_help = "Example:\n  saddlebag volume snapshot list --plugin local")]
    List(List),
    /// Delete a snapshot.
    #[command(after_help = "Example:\n  saddlebag volume snapshot delete local snap-031f5f7e")]
    Delete(Delete),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The id of the volume to take it of.
    #[arg(value_name = "VOLUME")]
    volume: String,

    /// Its name. The same name again is the same snapshot.
    #[arg(value_name = "NAME")]
    name: String,

    /// A parameter for the driver; may be repeated.
    #[arg(long = "parameter", value_name = "KEY=VALUE", value_parser = secrets::pair)]
    parameters: Vec<(String, String)>,

    /// A secret for the driver, merged over the volume's own; may be repeated.
    #[arg(long = "secret", value_name = "KEY=VALUE", value_parser = secret)]
    secrets: Vec<Secret>,

    /// How long to wait for the outcome; the work goes on after it.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "120s")]
    wait: GoDuration,

    /// The answer as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// The snapshot's id alone.
    #[arg(long, short)]
    quiet: bool,

    /// More columns.
    #[arg(long)]
    verbose: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    /// The plugin to ask.
    #[arg(long, value_name = "ID", aliases = ["plugin-id", "plugin_id"])]
    plugin: String,

    /// A secret for the driver; may be repeated.
    #[arg(long = "secret", value_name = "KEY=VALUE", value_parser = secret)]
    secrets: Vec<Secret>,

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

    /// More columns.
    #[arg(long)]
    verbose: bool,
}

#[derive(Debug, clap::Args)]
struct Delete {
    /// The plugin that has it.
    #[arg(value_name = "PLUGIN")]
    plugin: String,

    /// The snapshot's id.
    #[arg(value_name = "SNAPSHOT")]
    id: String,

    /// A secret for the driver; may be repeated.
    #[arg(long = "secret", value_name = "KEY=VALUE", value_parser = secret)]
    secrets: Vec<Secret>,

    /// How long to wait for the outcome; the work goes on after it.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "120s")]
    wait: GoDuration,
}

pub(super) async fn run(session: &Session, args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Create(args) => create(session, args).await,
        Command::List(args) => list(session, args).await,
        Command::Delete(args) => delete(session, args).await,
    }
}

async fn create(session: &Session, args: Create) -> Result<(), Failure> {
    let secrets = secrets::by_key(&args.secrets)?;
    let snapshot = SnapshotRequest {
        source_volume_id: Some(args.volume.clone()),
        name: Some(args.name),
        parameters: (!args.parameters.is_empty()).then(|| args.parameters.into_iter().collect()),
        secrets: (!secrets.is_empty()).then_some(SecretsRequest(secrets)),
        ..SnapshotRequest::default()
    };
    let body = SnapshotsRequest {
        snapshots: Some(vec![snapshot]),
        ..SnapshotsRequest::default()
    };
    let request = given!(
        session.client.create_snapshots().namespace(session.namespace()).wait(args.wait).body(body),
        region: session.region.as_deref(),
    );
    let ids = [args.volume];
    let subject = Subject::Volumes {
        namespace: session.namespace(),
        ids: &ids,
    };
    let answer = wait(session, subject, request.send()).await?;
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&answer);
    }
    show(answer.snapshots, args.quiet, args.verbose, &screen);
    Ok(())
}

async fn list(session: &Session, args: List) -> Result<(), Failure> {
    let request = given!(
        session.client.list_snapshots().plugin_id(&args.plugin).namespace(session.namespace()),
        region: session.region.as_deref(),
        per_page: args.per_page,
        next_token: args.page_token.as_deref(),
        x_nomad_csi_secrets: secrets::header(&args.secrets)?,
    );
    let answer = request.send().await;
    let answer = answer.map_err(|error| session.failure(error))?.into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&answer);
    }
    show(answer.snapshots, args.quiet, args.verbose, &screen);
    tell_more(&answer.next_token);
    Ok(())
}

async fn delete(session: &Session, args: Delete) -> Result<(), Failure> {
    let request = given!(
        session
            .client
            .delete_snapshot()
            .plugin_id(&args.plugin)
            .snapshot_id(&args.id)
            .namespace(session.namespace())
            .wait(args.wait),
        region: session.region.as_deref(),
        x_nomad_csi_secrets: secrets::header(&args.secrets)?,
    );
    let subject = Subject::Snapshot {
        plugin: &args.plugin,
        id: &args.id,
    };
    wait(session, subject, request.send()).await?;
    Screen::new().show(&format!(
        "Deleted snapshot {} of plugin {}\n",
        args.id, args.plugin
    ));
    Ok(())
}

fn show(snapshots: Option<Vec<Snapshot>>, quiet: bool, verbose: bool, screen: &Screen) {
    let snapshots = snapshots.unwrap_or_default();
    if quiet {
        snapshots
            .iter()
            .for_each(|it| screen.show(&format!("{}\n", it.id)));
        return;
    }
    if snapshots.is_empty() {
        return screen.show("No snapshots\n");
    }
    let mut columns = vec!["Snapshot ID", "Volume ID", "Size", "Create Time", "Ready?"];
    if verbose {
        columns.extend(["Name", "Plugin ID"]);
    }
    let mut table = Table::new(&columns);
    for snapshot in &snapshots {
        let time = Timestamp::from_second(snapshot.create_time).ok();
        let short = [
            &snapshot.id,
            // The storage knows the volume by its own name alone.
            match snapshot.source_volume_id.as_str() {
                "" => &snapshot.external_source_volume_id,
                _ => &snapshot.source_volume_id,
            },
            &screen.size(snapshot.size_bytes),
            &screen.time(time.filter(|_| snapshot.create_time != 0)),
            &snapshot.is_ready.to_string(),
        ];
        let long = [&snapshot.name, &snapshot.plugin_id];
        table.row(
            short
                .into_iter()
                .chain(long.into_iter().filter(|_| verbose)),
        );
    }
    screen.show(&table.text());
}
