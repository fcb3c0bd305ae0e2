//! `saddlebag plugin status`.

use super::{List, capabilities};
use crate::cli::allocations;
use crate::cli::connection::{Session, given};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::{Facts, Table, pairs, section};
use saddlebag_client::types::Plugin;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plugin's id. All plugins are listed without one.
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,

    /// Everything: capabilities, topologies, whole ids, exact times.
    #[arg(long)]
    verbose: bool,
}

pub(super) async fn run(session: &Session, args: Args) -> Result<(), Failure> {
    let Some(id) = args.id else {
        let args = List {
            json: args.json,
            ..List::default()
        };
        return super::list(session, args).await;
    };
    let request = given!(
        session.client.read_plugin().plugin_id(&id).namespace(session.namespace()),
        region: session.region.as_deref(),
    );
    let answer = request.send().await;
    let plugin = answer.map_err(|error| session.failure(error))?.into_inner();
    let screen = Screen::new().exact(args.verbose);
    if args.json {
        return screen.show_json(&plugin);
    }
    screen.show(&text(&plugin, args.verbose, &screen));
    Ok(())
}

fn text(plugin: &Plugin, verbose: bool, screen: &Screen) -> String {
    let mut facts = Facts::default();
    facts.add("ID", &plugin.id);
    facts.add("Provider", &plugin.provider);
    facts.add("Version", &plugin.version);
    facts.add(
        "Controllers Healthy",
        plugin.controllers_healthy.to_string(),
    );
    facts.add(
        "Controllers Expected",
        plugin.controllers_expected.to_string(),
    );
    facts.add("Nodes Healthy", plugin.nodes_healthy.to_string());
    facts.add("Nodes Expected", plugin.nodes_expected.to_string());
    let mut text = facts.text();
    text += &section("Instances", &instances(plugin, verbose, screen));
    if verbose {
        let controllers = capabilities::of_controllers(plugin.controllers.values());
        text += &section("Controller Capabilities", &lines(&controllers));
        let nodes = capabilities::of_nodes(plugin.nodes.values());
        text += &section("Node Capabilities", &lines(&nodes));
        text += &section("Accessible Topologies", &topologies(plugin));
    }
    let (none, run) = ("No allocations run it\n", plugin.allocations.as_deref());
    let run = allocations::text(run.unwrap_or_default(), none, verbose, screen);
    text + &section("Allocations", &run)
}

/// Each controller and node with its health, in the driver's words if it is not well.
fn instances(plugin: &Plugin, verbose: bool, screen: &Screen) -> String {
    let mut table = Table::new(&["Role", "Node ID", "Health", "Since", "Allocation"]);
    let controllers = plugin.controllers.iter().map(|it| ("controller", it));
    let nodes = plugin.nodes.iter().map(|it| ("node", it));
    for (role, (node, instance)) in controllers.chain(nodes) {
        table.row([
            role,
            &allocations::id(node, verbose),
            &health(instance.healthy, &instance.health_description),
            &screen.time(instance.update_time),
            &allocations::id(&instance.alloc_id, verbose),
        ]);
    }
    match table.is_empty() {
        true => "None was heard of\n".to_owned(),
        false => table.text(),
    }
}

/// Whether it is well, and if not, why.
pub(in crate::cli) fn health(healthy: bool, description: &str) -> String {
    match (healthy, description) {
        (true, _) => "healthy".to_owned(),
        (false, "") => "unhealthy".to_owned(),
        (false, why) => format!("unhealthy: {why}"),
    }
}

fn topologies(plugin: &Plugin) -> String {
    let mut table = Table::new(&["Node ID", "Accessible Topology"]);
    for (node, instance) in &plugin.nodes {
        let topology = instance.node_info.as_ref();
        let topology = topology.and_then(|info| info.accessible_topology.as_ref());
        if let Some(segments) = topology.and_then(|topology| topology.segments.as_ref()) {
            table.row([node, &pairs(segments)]);
        }
    }
    match table.is_empty() {
        true => "  none\n".to_owned(),
        false => table.text(),
    }
}

fn lines(names: &[&str]) -> String {
    match names {
        [] => "  none\n".to_owned(),
        names => names.iter().map(|name| format!("  {name}\n")).collect(),
    }
}
