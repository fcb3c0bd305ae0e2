//! `saddlebag volume list`.

use crate::cli::connection::{Session, given};
use crate::cli::failure::{Failure, word};
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::table::Table;
use saddlebag_client::types;

#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Only volumes whose ids begin with this.
    #[arg(value_name = "PREFIX")]
    pub prefix: Option<String>,

    /// Only volumes of this plugin.
    #[arg(long, value_name = "ID", aliases = ["plugin-id", "plugin_id"])]
    pub plugin: Option<String>,

    /// Only volumes that are used on nodes whose ids begin with this.
    #[arg(long, value_name = "ID", aliases = ["node-id", "node_id"])]
    pub node: Option<String>,

    /// What the plugin itself lists, known here or not; needs --plugin.
    #[arg(long, requires = "plugin", conflicts_with_all = ["prefix", "node", "reverse"])]
    pub external: bool,

    /// From the last to the first.
    #[arg(long)]
    pub reverse: bool,

    /// At most so many.
    #[arg(long, value_name = "N")]
    pub per_page: Option<i32>,

    /// Where to go on, as the page before said.
    #[arg(long, value_name = "TOKEN")]
    pub page_token: Option<String>,

    /// The answer as JSON.
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,

    /// Ids alone, one in a line.
    #[arg(long, short)]
    pub quiet: bool,

    /// More columns.
    #[arg(long)]
    pub verbose: bool,
}

pub(super) async fn run(session: &Session, args: Args) -> Result<(), Failure> {
    if args.external {
        return list_external(session, args).await;
    }
    let request = given!(
        session.client.list_volumes().type_("csi").namespace(session.namespace()),
        region: session.region.as_deref(),
        prefix: args.prefix.as_deref(),
        plugin_id: args.plugin.as_deref(),
        node_id: args.node.as_deref(),
        reverse: args.reverse.then_some(true),
        per_page: args.per_page,
        next_token: args.page_token.as_deref(),
    );
    let answer = request.send().await;
    let answer = answer.map_err(|error| session.failure(error))?;
    let next = answer.headers().get("x-nomad-nexttoken");
    let next = next
        .and_then(|token| token.to_str().ok())
        .unwrap_or_default();
    let next = next.to_owned();
    let volumes = answer.into_inner();
    let screen = Screen::new();
    if args.json {
        screen.show_json(&volumes)?;
    } else if args.quiet {
        volumes
            .iter()
            .for_each(|volume| screen.show(&format!("{}\n", volume.id)));
    } else if volumes.is_empty() {
        screen.show("No volumes\n");
    } else {
        screen.show(&table(&volumes, args.verbose, &screen).text());
    }
    tell_more(&next);
    Ok(())
}

/// The table of volumes that `list` and an ambiguous `status` show.
pub(in crate::cli) fn table(
    volumes: &[types::VolumeStub],
    verbose: bool,
    screen: &Screen,
) -> Table {
    let mut columns = vec![
        "ID",
        "Name",
        "Namespace",
        "Plugin ID",
        "Schedulable",
        "Access Mode",
    ];
    if verbose {
        columns.extend(["External ID", "Readers", "Writers", "Created"]);
    }
    let mut table = Table::new(&columns);
    for volume in volumes {
        let schedulable = volume.schedulable.to_string();
        let short = [
            &volume.id,
            &volume.name,
            &volume.namespace,
            &volume.plugin_id,
            &schedulable,
            &volume.access_mode,
        ];
        let long = [
            &volume.external_id,
            &volume.current_readers.to_string(),
            &volume.current_writers.to_string(),
            &screen.nanoseconds(volume.create_time),
        ];
        table.row(
            short
                .into_iter()
                .chain(long.into_iter().filter(|_| verbose)),
        );
    }
    table
}

async fn list_external(session: &Session, args: Args) -> Result<(), Failure> {
    let request = given!(
        session.client.list_external_volumes().namespace(session.namespace()),
        plugin_id: args.plugin.as_deref(),
        region: session.region.as_deref(),
        per_page: args.per_page,
        next_token: args.page_token.as_deref(),
    );
    let answer = request.send().await;
    let answer = answer.map_err(|error| session.failure(error))?.into_inner();
    let screen = Screen::new();
    if args.json {
        return screen.show_json(&answer);
    }
    let volumes = answer.volumes.unwrap_or_default();
    if args.quiet {
        volumes
            .iter()
            .for_each(|volume| screen.show(&format!("{}\n", volume.external_id)));
    } else if volumes.is_empty() {
        screen.show("No volumes\n");
    } else {
        let mut table = Table::new(&["External ID", "Capacity", "Published On", "Condition"]);
        for volume in volumes {
            let nodes = volume.published_external_node_i_ds.unwrap_or_default();
            let condition = match (volume.is_abnormal, volume.status.as_str()) {
                (true, status) => format!("abnormal: {status}"),
                (false, "") => "OK".to_owned(),
                (false, status) => status.to_owned(),
            };
            table.row([
                &volume.external_id,
                &screen.size(volume.capacity_bytes),
                &nodes.join(", "),
                &condition,
            ]);
        }
        screen.show(&table.text());
    }
    tell_more(&answer.next_token);
    Ok(())
}

/// Tells how to see the next page, if there is one.
pub(super) fn tell_more(token: &str) {
    if !token.is_empty() {
        let line = format!("There is more: --page-token {}\n", word(token));
        say(std::io::stderr(), &line);
    }
}
