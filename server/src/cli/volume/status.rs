//! `saddlebag volume status`.

use super::list;
use crate::cli::allocations;
use crate::cli::connection::{Session, given};
use crate::cli::failure::{Exit, Failure, word};
use crate::cli::progress::standing;
use crate::cli::screen::Screen;
use crate::cli::table::{Facts, Table, pairs, section};
use crate::clock::Clock;
use saddlebag_client::types::{Operation, Topology, Volume, VolumeStub};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The volume's id, or the beginning of it. All volumes are listed without one.
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,

    /// Everything, in full: parameters, context, whole ids, exact sizes and times.
    #[arg(long)]
    verbose: bool,
}

pub(super) async fn run(session: &Session, args: Args) -> Result<(), Failure> {
    let Some(asked) = args.id else {
        let args = list::Args {
            json: args.json,
            verbose: args.verbose,
            ..list::Args::default()
        };
        return list::run(session, args).await;
    };
    let volume = find(session, &asked).await?;
    let screen = Screen::new().exact(args.verbose);
    if args.json {
        return screen.show_json(&volume);
    }
    let operations = under_way(session, &volume).await?;
    screen.show(&text(&volume, &operations, args.verbose, &screen));
    Ok(())
}

/// The volume with this id, or else the only one whose id begins so.
async fn find(session: &Session, asked: &str) -> Result<Volume, Failure> {
    let unknown = match read(session, asked).await {
        Err(failure) if failure.exit() == Exit::NotFound => failure,
        read => return read,
    };
    let request = given!(
        session.client.list_volumes().type_("csi").prefix(asked).namespace(session.namespace()),
        region: session.region.as_deref(),
    );
    let listed = request.send().await;
    let listed = listed.map_err(|error| session.failure(error))?.into_inner();
    match listed.as_slice() {
        [] => Err(unknown),
        [VolumeStub { id, .. }] => read(session, id).await,
        several => Err(Failure::new(
            Exit::NotFound,
            format!(
                "{asked:?} is the beginning of several ids:\n\n{}",
                list::table(several, false, &Screen::new()).text()
            ),
            &["Give one of them in full"],
        )),
    }
}

pub(super) async fn read(session: &Session, id: &str) -> Result<Volume, Failure> {
    let request = given!(
        session.client.read_volume().volume_id(id).namespace(session.namespace()),
        region: session.region.as_deref(),
    );
    let read = request.send().await.map_err(|error| session.failure(error));
    Ok(read?.into_inner())
}

/// The operations of the volume that have not ended; a server without them has none.
async fn under_way(session: &Session, volume: &Volume) -> Result<Vec<Operation>, Failure> {
    let request = given!(
        session.client.list_operations().volume_id(&volume.id).namespace(&volume.namespace),
        region: session.region.as_deref(),
    );
    match request.send().await {
        Ok(listed) => {
            let mut operations = listed.into_inner();
            operations.retain(|operation| operation.end_time.is_none());
            Ok(operations)
        }
        Err(error) => match session.failure(error) {
            failure if failure.exit() == Exit::NoServer => Err(failure),
            _ => Ok(Vec::new()),
        },
    }
}

fn text(volume: &Volume, operations: &[Operation], verbose: bool, screen: &Screen) -> String {
    let mut text = facts(volume, verbose, screen).text();

    let mut topologies = Table::new(&["Topology", "Segments"]);
    for (at, topology) in volume.topologies.iter().flatten().enumerate() {
        topologies.row([format!("{:02}", at + 1), segments(topology)]);
    }
    if !topologies.is_empty() {
        text += &section("Topologies", &topologies.text());
    }

    let mut capabilities = Table::new(&["Access Mode", "Attachment Mode"]);
    for capability in volume.requested_capabilities.iter().flatten() {
        capabilities.row([&capability.access_mode, &capability.attachment_mode]);
    }
    text += &section("Capabilities", &capabilities.text());

    if !operations.is_empty() {
        let now = Clock::default().now();
        let lines = operations.iter().map(|operation| {
            let id = &operation.id;
            format!(
                "{}\n  saddlebag operation status {id}\n",
                standing(operation, now)
            )
        });
        text += &section("Under way", &lines.collect::<String>());
    }
    let (none, used) = ("No allocations use it\n", &volume.allocations);
    text += &section(
        "Allocations",
        &allocations::text(used, none, verbose, screen),
    );
    text
}

fn facts(volume: &Volume, verbose: bool, screen: &Screen) -> Facts {
    let mut facts = Facts::default();
    facts.add("ID", &volume.id);
    facts.add("Name", &volume.name);
    facts.add("Namespace", &volume.namespace);
    facts.add("External ID", &volume.external_id);
    facts.add("Plugin ID", &volume.plugin_id);
    facts.add("Provider", &volume.provider);
    facts.add("Version", &volume.provider_version);
    facts.add("Capacity", screen.size(volume.capacity));
    facts.add("Schedulable", schedulable(volume));
    facts.add(
        "Controllers Healthy",
        volume.controllers_healthy.to_string(),
    );
    facts.add(
        "Controllers Expected",
        volume.controllers_expected.to_string(),
    );
    facts.add("Nodes Healthy", volume.nodes_healthy.to_string());
    facts.add("Nodes Expected", volume.nodes_expected.to_string());
    facts.add(
        "Access Mode",
        or(&volume.access_mode, "none: nobody uses it"),
    );
    facts.add(
        "Attachment Mode",
        or(&volume.attachment_mode, "none: nobody uses it"),
    );
    facts.add("Mount Options", mount_options(volume));
    facts.add_if_any("From Snapshot", &volume.snapshot_id);
    facts.add_if_any("Clone Of", &volume.clone_id);
    facts.add("Created", screen.nanoseconds(volume.create_time));
    facts.add("Modified", screen.nanoseconds(volume.modify_time));
    if let Some(since) = volume.resource_exhausted {
        facts.add("Storage Full Since", screen.time(Some(since)));
    }
    if verbose {
        let (least, most) = (volume.requested_capacity_min, volume.requested_capacity_max);
        let asked = |bytes: i64| match bytes {
            0 => "any".to_owned(),
            bytes => screen.size(bytes),
        };
        facts.add(
            "Requested Capacity",
            format!("{} to {}", asked(least), asked(most)),
        );
        facts.add("Parameters", pairs(&volume.parameters));
        facts.add("Context", pairs(&volume.context));
        facts.add("Create Index", volume.create_index.to_string());
        facts.add("Modify Index", volume.modify_index.to_string());
    }
    facts
}

/// Whether it can be used, and if not, what is in the way or where to see it.
fn schedulable(volume: &Volume) -> String {
    let plugin = word(&volume.plugin_id);
    let see = format!("see saddlebag plugin status {plugin}");
    match volume.schedulable {
        true => "true".to_owned(),
        false if volume.nodes_healthy == 0 => {
            format!("false: its plugin is healthy on no node, {see}")
        }
        false if volume.controller_required && volume.controllers_healthy == 0 => {
            format!("false: its plugin has no healthy controller, {see}")
        }
        false => "false: it is being deleted".to_owned(),
    }
}

fn mount_options(volume: &Volume) -> String {
    let options = &volume.mount_options;
    let flags = options.mount_flags.as_deref().unwrap_or_default();
    let mut parts = Vec::new();
    if !options.fs_type.is_empty() {
        parts.push(format!("fs_type: {}", options.fs_type));
    }
    if !flags.is_empty() {
        parts.push(format!("flags: {}", flags.join(", ")));
    }
    or(&parts.join(" "), "none").to_owned()
}

/// The segments of a place: `zone=a, rack=7`.
fn segments(topology: &Topology) -> String {
    topology.segments.as_ref().map(pairs).unwrap_or_default()
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    match text {
        "" => otherwise,
        text => text,
    }
}
