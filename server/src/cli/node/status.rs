//! `saddlebag node status`.

use super::List;
use crate::cli::connection::{Session, given};
use crate::cli::failure::Failure;
use crate::cli::plugin;
use crate::cli::screen::Screen;
use crate::cli::table::{Facts, Table, section};
use crate::cli::volume;
use saddlebag_client::types::{Node, NodeInfo, VolumeStub};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The node's id, or the beginning of it. All nodes are listed without one.
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// The answer as JSON.
    #[arg(long)]
    json: bool,

    /// Whole ids, exact times.
    #[arg(long)]
    verbose: bool,
}

pub(super) async fn run(session: &Session, args: Args) -> Result<(), Failure> {
    let Some(asked) = args.id else {
        let args = List {
            json: args.json,
            verbose: args.verbose,
            ..List::default()
        };
        return super::list(session, args).await;
    };
    let id = super::find(session, &asked).await?;
    let request = given!(
        session.client.read_node().node_id(&id),
        region: session.region.as_deref(),
    );
    let answer = request.send().await;
    let node = answer.map_err(|error| session.failure(error))?.into_inner();
    let screen = Screen::new().exact(args.verbose);
    if args.json {
        return screen.show_json(&node);
    }
    let volumes = volumes(session, &id).await?;
    screen.show(&text(&node, &volumes, args.verbose, &screen));
    Ok(())
}

/// The volumes that have claims there, of all namespaces unless one is given.
async fn volumes(session: &Session, node: &str) -> Result<Vec<VolumeStub>, Failure> {
    let namespace = session.namespace.as_deref().unwrap_or("*");
    let request = given!(
        session.client.list_volumes().type_("csi").node_id(node).namespace(namespace),
        region: session.region.as_deref(),
    );
    let listed = request.send().await.map_err(|error| session.failure(error));
    Ok(listed?.into_inner())
}

fn text(node: &Node, volumes: &[VolumeStub], verbose: bool, screen: &Screen) -> String {
    let mut text = facts(node, screen).text();
    text += &section("Plugins", &plugins(node, screen));
    let used = match volumes {
        [] => "No volumes are used there\n".to_owned(),
        volumes => volume::table(volumes, verbose, screen).text(),
    };
    text + &section("Volumes", &used)
}

fn facts(node: &Node, screen: &Screen) -> Facts {
    let mut facts = Facts::default();
    facts.add("ID", &node.id);
    facts.add("Name", &node.name);
    facts.add("Status", &node.status);
    facts.add_if_any("Why", &node.status_description);
    facts.add("Eligibility", &node.scheduling_eligibility);
    if let Some(fence) = &node.fence {
        facts.add("Fenced Because", &fence.reason);
        facts.add("Fenced By", &fence.by);
        facts.add("Fenced Since", screen.time(Some(fence.time)));
    }
    facts.add("Boot ID", node.boot_id.as_deref().unwrap_or_default());
    facts
}

/// What runs there, and what the drivers say of the node.
fn plugins(node: &Node, screen: &Screen) -> String {
    let mut table = Table::new(&[
        "Role",
        "Plugin ID",
        "Health",
        "Since",
        "Driver's Node ID",
        "Most Volumes",
    ]);
    let controllers = node.csi_controller_plugins.iter();
    let controllers = controllers.map(|it| ("controller", it));
    let nodes = node.csi_node_plugins.iter().map(|it| ("node", it));
    for (role, (id, instance)) in controllers.chain(nodes) {
        let Some(instance) = instance else { continue };
        let info = instance.node_info.as_ref();
        table.row([
            role,
            id,
            &plugin::health(instance.healthy, &instance.health_description),
            &screen.time(instance.update_time),
            info.map(|info| info.id.as_str()).unwrap_or_default(),
            &info.map(most_volumes).unwrap_or_default(),
        ]);
    }
    match table.is_empty() {
        true => "No plugins run there\n".to_owned(),
        false => table.text(),
    }
}

/// Nomad's way to say that a driver states no limit is the largest number there is.
fn most_volumes(info: &NodeInfo) -> String {
    match info.max_volumes {
        0 | i64::MAX => "no limit".to_owned(),
        most => most.to_string(),
    }
}
