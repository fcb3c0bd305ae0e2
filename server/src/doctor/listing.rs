//! What drivers say they have.

use crate::control::ControlPlane;
use crate::csi::{ListVolumes, ListedVolume};
use crate::error::{Error, Result};
use crate::id::{ExternalId, PluginId};
use crate::operation::verbs::Deadline;
use crate::plugin::Plugin;
use crate::state::State;
use crate::volume::list_external;
use futures::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How many pages of a driver's list are read.
pub const MOST_PAGES: usize = 100;
/// How many volumes are taken from a driver's list.
pub const MOST_VOLUMES: usize = 100_000;
/// How many volumes are asked for on a page.
const PER_PAGE: i32 = 1_000;

/// What a plugin said it has.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The plugin.
    pub plugin: PluginId,
    /// Whether it was asked: one that cannot list its volumes is not.
    pub asked: bool,
    /// What it told of.
    pub volumes: Vec<Listed>,
    /// Why that is not all; nothing if it is, or if it was not asked.
    pub silence: Option<String>,
}

/// A volume that a driver has.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The driver's id of it.
    pub external_id: ExternalId,
    /// The driver's ids of the nodes that it says the volume is attached to.
    pub nodes: Vec<String>,
}

impl From<ListedVolume> for Listed {
    /// Some drivers name a node without a name where there is none (csi-driver-host-path does).
    fn from(listed: ListedVolume) -> Self {
        let mut nodes = listed.published_node_ids.unwrap_or_default();
        nodes.retain(|node| !node.is_empty());
        Self {
            external_id: ExternalId::known(listed.volume.external_id),
            nodes,
        }
    }
}

impl Listing {
    /// Whether it told all that it has.
    pub fn is_complete(&self) -> bool {
        self.asked && self.silence.is_none()
    }
}

/// Asks every plugin that can say.
pub(super) async fn of_all(cp: &ControlPlane, state: &State, deadline: Deadline) -> Vec<Listing> {
    join_all(state.plugins().map(|plugin| of(cp, plugin, deadline))).await
}

async fn of(cp: &ControlPlane, plugin: &Plugin, deadline: Deadline) -> Listing {
    let can = |plugin: &Plugin| {
        let says = plugin.controller_info();
        says.is_some_and(|says| says.supports_list_volumes)
    };
    let mut listing = Listing {
        plugin: plugin.id.clone(),
        asked: can(plugin) || plugin.is_unknown(),
        volumes: Vec::new(),
        silence: None,
    };
    if listing.asked {
        let started = Instant::now();
        let read = deadline.bound(read(cp, &mut listing)).await;
        let silence = match read {
            Some(Ok(silence)) => silence,
            Some(Err(error)) => Some(error.to_string()),
            None => Some(no_answer(started.elapsed())),
        };
        listing.silence = silence;
    }
    listing
}

fn no_answer(waited: Duration) -> String {
    format!("it did not answer within {:.1} s", waited.as_secs_f32())
}

/// Reads page after page. What it gives back is why that is not all.
async fn read(cp: &ControlPlane, listing: &mut Listing) -> Result<Option<String>, Error> {
    let mut tokens = BTreeSet::new();
    let mut page = ListVolumes {
        max_entries: PER_PAGE,
        starting_token: String::new(),
    };
    for _ in 0..MOST_PAGES {
        let listed = list_external(cp, listing.plugin.as_str(), &page).await?;
        let volumes = listed.entries.into_iter().map(Listed::from);
        listing.volumes.extend(volumes);
        if listing.volumes.len() > MOST_VOLUMES {
            listing.volumes.truncate(MOST_VOLUMES);
            return Ok(Some(format!("it has more than {MOST_VOLUMES} volumes")));
        }
        if listed.next_token.is_empty() {
            return Ok(None);
        }
        if !tokens.insert(listed.next_token.clone()) {
            let text = format!("its pages go round in a circle at {:?}", listed.next_token);
            return Ok(Some(text));
        }
        page.starting_token = listed.next_token;
    }
    Ok(Some(format!("it has more than {MOST_PAGES} pages")))
}
