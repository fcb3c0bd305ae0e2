//! At rest: once nothing fails any more, everything that was begun ends, and then what is recorded is what
//! the driver has, and what clients were told.

use crate::model::Known;
use crate::play::{Play, SHARED_STORES, external, key};
use crate::site::{NODES, plugin};
use crate::step::{USERS, VOLUMES, id};
use crate::strict_driver::StrictDriver;
use saddlebag::attachment::{self, AttachmentKey};
use saddlebag::claim::Stage;
use saddlebag::id::{AllocationId, ExternalId, NodeId};
use saddlebag::state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the faults, waits for everything to end, and compares.
pub async fn come_to_rest(play: &mut Play) -> Result<(), String> {
    play.site.driver.fail_no_more();
    for node in 0..NODES {
        play.end_fence(node).await?;
    }
    let deadline = Instant::now() + PATIENCE;
    while let Some(unfinished) = unfinished(play) {
        if let Some(breach) = play.site.driver.take_breaches().first() {
            return Err(breach.to_string());
        }
        if Instant::now() > deadline {
            let calls = play.site.driver.under_way();
            let state = play.site.control_plane().state();
            let health = state.plugin(&plugin()).map(|plugin| plugin.health());
            return Err(format!(
                "not at rest after {PATIENCE:?}: {unfinished}\n    {calls} calls are under way, {health:?}"
            ));
        }
        play.site.driver.let_go();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut problems = Vec::new();
    volumes(play, &mut problems);
    claims(play, &mut problems);
    nodes(play, &mut problems);
    snapshots(play, &mut problems);
    match problems.is_empty() {
        true => Ok(()),
        false => Err(format!("at rest: {}", problems.join("\n"))),
    }
}

/// What has not ended yet.
fn unfinished(play: &Play) -> Option<String> {
    let state = play.site.control_plane().state();
    if let Some(operation) = state.under_way().next() {
        return Some(format!("{:?}", operation.row));
    }
    if let Some(claim) = state.restless_claims().next() {
        let row = &claim.row;
        let attachment = state.attachment(&row.attachment_key());
        let attachment = attachment.map(|attachment| &attachment.row);
        let history = calls_about(play, &row.external_id);
        return Some(format!("{row:?}\n    {attachment:?}\n    {history}"));
    }
    if let Some(attachment) = state.restless_attachments().next() {
        let row = &attachment.row;
        let history = calls_about(play, &row.key.external_id);
        return Some(format!("{row:?}\n    {history}"));
    }
    if let Some(row) = of_an_earlier_boot(&state) {
        return Some(row);
    }
    let health = state.plugin(&plugin())?.health();
    if health.controllers_healthy < 1 || health.nodes_healthy < NODES {
        return Some("the plugin is not healthy".to_owned());
    }
    match play.site.driver.under_way() {
        0 => None,
        calls => Some(format!("{calls} calls are under way at the driver")),
    }
}

fn calls_about(play: &Play, external_id: &ExternalId) -> String {
    let storage = play.site.driver.storage();
    storage.history_of(external_id.as_str()).join("\n    ")
}

/// What still stands as it did before its node was switched off and on.
fn of_an_earlier_boot(state: &State) -> Option<String> {
    let has_passed = |node: &NodeId, boot: &str| state.boot_of(node) != boot;
    let mut attachments = state.attachments().map(|stored| &stored.row);
    let attachment = attachments.find(|row| has_passed(&row.key.node, &row.boot));
    let mut claims = live_claims(state);
    let claim = claims.find(|claim| has_passed(&claim.node, &claim.boot));
    attachment
        .map(|row| format!("of an earlier boot: {row:?}"))
        .or_else(|| claim.map(|claim| format!("of an earlier boot: {claim:?}")))
}

fn volumes(play: &mut Play, problems: &mut Vec<String>) {
    let mut recorded = BTreeSet::new();
    for volume in 0..VOLUMES {
        let external = play.external_id(volume);
        match (play.model.volumes[volume], &external) {
            (Known::Present, None) => problems.push(format!("{} is lost", id(volume))),
            (Known::Absent, Some(_)) => problems.push(format!("{} is there again", id(volume))),
            _ => {}
        }
        play.model.volumes[volume] = match external {
            Some(_) => Known::Present,
            None => Known::Absent,
        };
        recorded.extend(external);
    }
    let mut storage = play.site.driver.storage();
    for external in &recorded {
        if !storage.disks.contains_key(external) && !storage.is_doubtful(external) {
            let history = storage.history_of(external).join("\n    ");
            problems.push(format!(
                "{external} is recorded, and not at the driver:\n    {history}"
            ));
        }
    }
    let at_driver: Vec<String> = storage.disks.keys().cloned().collect();
    for external in at_driver {
        let is_known = recorded.contains(&external)
            || external.starts_with(SHARED_STORES)
            || play.loose.contains(&external)
            || storage.is_doubtful(&external);
        if !is_known {
            let history = storage.history_of(&external).join("\n    ");
            problems.push(format!(
                "{external} is at the driver, and nobody knows it:\n    {history}"
            ));
        }
        if !recorded.contains(&external)
            && !external.starts_with(SHARED_STORES)
            && storage.disks[&external].published.is_empty()
        {
            storage.disks.remove(&external);
        }
    }
    play.loose.clear();
}

fn claims(play: &mut Play, problems: &mut Vec<String>) {
    let state = play.site.control_plane().state();
    let at = |volume: usize, allocation: &str| (key(volume), AllocationId::known(allocation));
    for (volume, allocation) in std::mem::take(&mut play.model.gone) {
        if let Some(live) = state.claim(&at(volume, &allocation)) {
            problems.push(format!(
                "a claim is there that was refused or released: {:?}",
                live.row
            ));
        }
    }
    for user in 0..USERS {
        let Some(held) = play.model.users[user].clone() else {
            continue;
        };
        let live = state.claim(&at(held.volume, &held.allocation));
        let is_published = live.is_some_and(|live| live.row.stage == Stage::Published);
        let must_be = held.told
            && !held.releasing
            && !held.may_end
            && play.turned_away(held.volume) == held.turned_away
            && play.is_whole(&held);
        if must_be && !is_published {
            let how = play.end_of(user);
            problems.push(format!("the claim {held:?} is lost: {live:?}\n    {how}"));
        }
        play.model.users[user] = live.map(|_| crate::model::Held {
            told: true,
            releasing: false,
            may_end: false,
            turned_away: play.turned_away(held.volume),
            ..held
        });
    }
    let known: BTreeSet<&str> = play
        .model
        .users
        .iter()
        .flatten()
        .map(|held| held.allocation.as_str())
        .collect();
    for claim in live_claims(&state) {
        if !known.contains(claim.allocation.as_str()) {
            problems.push(format!("a claim that nobody made: {claim:?}"));
        }
    }
}

fn live_claims(state: &State) -> impl Iterator<Item = &saddlebag::claim::Claim> {
    state
        .nodes()
        .flat_map(|node| state.claims_on(&node.row.id))
        .map(|claim| &claim.row)
}

/// What is attached, staged and published is what is recorded so.
fn nodes(play: &Play, problems: &mut Vec<String>) {
    let state = play.site.control_plane().state();
    let storage = play.site.driver.storage();
    let mut targets: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for claim in live_claims(&state) {
        let node = (0..NODES).find(|node| play.site.node(*node) == claim.node);
        let at = (
            claim.external_id.to_string(),
            StrictDriver::node_id(node.unwrap_or(NODES)),
        );
        let path = claim.target_path.display().to_string();
        targets.entry(at).or_default().insert(path);
    }
    let mut recorded = BTreeSet::new();
    for attachment in state.attachments().map(|stored| &stored.row) {
        let (external, node) = (
            attachment.key.external_id.to_string(),
            attachment.external_node_id.clone(),
        );
        let there = storage.disks.get(&external).and_then(|disk| {
            let here = disk.nodes.get(&node)?;
            disk.published.get(&node)?;
            Some((
                here.staged.as_ref()?.path.clone(),
                here.targets.keys().cloned().collect(),
            ))
        });
        let path = attachment
            .staging_path
            .as_ref()
            .map(|path| path.display().to_string());
        let wanted = targets
            .get(&(external.clone(), node.clone()))
            .cloned()
            .unwrap_or_default();
        let is_right = attachment.stage == attachment::Stage::Staged
            && there == Some((path.unwrap_or_default(), wanted.clone()));
        if !is_right && storage.disks.contains_key(&external) {
            let history = storage.history_of(&external).join("\n    ");
            problems.push(format!(
                "{external} on {node} is recorded as {:?} with {wanted:?}, and is {there:?}:\n    {history}",
                attachment.stage
            ));
        }
        recorded.insert((external, node));
    }
    for (id, disk) in &storage.disks {
        let used = disk
            .nodes
            .iter()
            .filter(|(_, here)| !here.is_clear())
            .map(|(node, _)| node);
        for node in disk.published.keys().chain(used) {
            if !recorded.contains(&(id.clone(), node.clone())) {
                let history = storage.history_of(id).join("\n    ");
                problems.push(format!("{id} is left on {node}:\n    {history}"));
            }
        }
    }
    for (external_id, node) in targets.keys() {
        let node = (0..NODES).find(|number| StrictDriver::node_id(*number) == *node);
        let key = AttachmentKey {
            plugin: plugin(),
            external_id: external(external_id),
            node: play.site.node(node.unwrap_or_default()),
        };
        if state.attachment(&key).is_none() {
            problems.push(format!(
                "claims of {external_id} have no attachment on {}",
                key.node
            ));
        }
    }
}

fn snapshots(play: &mut Play, problems: &mut Vec<String>) {
    let storage = play.site.driver.storage();
    for id in std::mem::take(&mut play.model.deleted_snapshots) {
        if storage.snapshots.contains_key(&id) && !storage.doubtful.contains(&id) {
            let history = storage.history_of(&id).join("\n    ");
            problems.push(format!("{id} was deleted, and is there:\n    {history}"));
        }
    }
    for id in play.model.snapshots.keys() {
        if !storage.snapshots.contains_key(id) && !storage.doubtful.contains(id) {
            let history = storage.history_of(id).join("\n    ");
            problems.push(format!("{id} was taken, and is not there:\n    {history}"));
        }
    }
}
