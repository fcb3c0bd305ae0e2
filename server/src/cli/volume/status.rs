//! `saddlebag volume status`.

use super::{claims, list};
use crate::cli::allocations;
use crate::cli::connection::{Session, given};
use crate::cli::failure::{Exit, Failure, word};
use crate::cli::progress::{of_claim, of_operation};
use crate::cli::screen::Screen;
use crate::cli::table::{Facts, Table, pairs, section};
use crate::clock::Clock;
use saddlebag_client::types::{Claim, Operation, Volume, VolumeStub, VolumeTopology};

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
    let under_way = UnderWay::of(session, &volume).await?;
    screen.show(&text(&volume, &under_way, args.verbose, &screen));
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

/// What is unfinished of a volume.
struct UnderWay {
    operations: Vec<Operation>,
    claims: Vec<Claim>,
}

impl UnderWay {
    /// Asks for it; a server that has no operations or claims, as a real Nomad, has none.
    async fn of(session: &Session, volume: &Volume) -> Result<Self, Failure> {
        let request = given!(
            session.client.list_operations().volume_id(&volume.id).namespace(&volume.namespace),
            region: session.region.as_deref(),
        );
        let listed = request.send().await.map_err(|error| session.failure(error));
        let mut operations = or_none(listed.map(|listed| listed.into_inner()))?;
        operations.retain(|operation| operation.end_time.is_none());
        let mut claims = or_none(claims::all(session, &volume.id).await)?;
        claims.retain(|claim| !claim.step.is_empty());
        Ok(Self { operations, claims })
    }

    /// What each waits for, and the command that shows more; empty if there is nothing.
    fn text(&self) -> String {
        let now = Clock::default().now();
        let operations = self.operations.iter().map(|operation| {
            let id = &operation.id;
            let standing = of_operation(operation, now);
            format!("{standing}\n  saddlebag operation status {id}\n")
        });
        let claims = self.claims.iter().map(|claim| {
            let what = match claim.release_time {
                None => "claim",
                Some(_) => "release of claim",
            };
            let (id, standing) = (&claim.allocation_id, of_claim(claim, now));
            let volume = word(&claim.volume_id);
            format!("{what} {id}: {standing}\n  saddlebag volume claims {volume}\n")
        });
        operations.chain(claims).collect()
    }
}

fn or_none<T>(listed: Result<Vec<T>, Failure>) -> Result<Vec<T>, Failure> {
    match listed {
        Err(failure) if failure.exit() != Exit::NoServer => Ok(Vec::new()),
        listed => listed,
    }
}

fn text(volume: &Volume, under_way: &UnderWay, verbose: bool, screen: &Screen) -> String {
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

    let under_way = under_way.text();
    if !under_way.is_empty() {
        text += &section("Under way", &under_way);
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
fn segments(topology: &VolumeTopology) -> String {
    topology.segments.as_ref().map(pairs).unwrap_or_default()
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    match text {
        "" => otherwise,
        text => text,
    }
}
