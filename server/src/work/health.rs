//! What driver sockets say of themselves, made known: a commit for every change, and none without.

use super::backoff;
use crate::control::ControlPlane;
use crate::csi::{self, Connection, Observation, Pace, Process};
use crate::id::NodeId;
use crate::plugin::{Instance, PluginJob, Role};
use crate::store::{Transaction, keys};
use std::time::Duration;
use tokio::sync::watch;

/// What an instance says of itself until it was asked (Nomad's words).
pub const NOT_ASKED_YET: &str = "initial fingerprint not completed";

/// An instance of a job that was not asked yet, or that is not asked any more.
pub fn unasked(cp: &ControlPlane, job: &PluginJob, role: Role, node: &NodeId) -> Instance {
    Instance {
        plugin: job.plugin.clone(),
        role,
        node: node.clone(),
        job: job.id.clone(),
        allocation: job.allocation(),
        healthy: false,
        description: NOT_ASKED_YET.to_owned(),
        fingerprint: None,
        updated_at: cp.clock.now(),
    }
}

/// Watches one service of one job until the task is dropped, at this pace. `process` is the driver that
/// we started for it, if we did.
pub async fn work(
    cp: ControlPlane,
    job: PluginJob,
    role: Role,
    connection: Connection,
    pace: Pace,
    process: Option<watch::Receiver<Process>>,
) {
    let mut watcher = csi::watch(connection, role, pace, process);
    let mut seen = watcher.latest();
    let testing = cp.testing.as_ref();
    let mut faults = testing.map(|testing| testing.faults.changes());
    loop {
        tell(&cp, &job, role, &seen).await;
        seen = loop {
            tokio::select! {
                seen = watcher.changed() => break seen,
                () = changed(faults.as_mut()) => watcher.refresh(),
            }
        };
        its_turn(&cp, &job, role).await;
    }
}

/// Waits for the faults that tests ask for to change.
async fn changed(faults: Option<&mut watch::Receiver<()>>) {
    match faults {
        // Whoever tells of them lives as long as the server.
        Some(faults) => drop(faults.changed().await),
        None => std::future::pending().await,
    }
}

/// Where nothing is left to chance, what is first heard of instances is told in their order, so that
/// each gets the same index every time.
async fn its_turn(cp: &ControlPlane, job: &PluginJob, role: Role) {
    if !cp.chance.is_seeded() {
        return;
    }
    let before = |instance: &Instance| {
        (&instance.plugin, instance.role, &instance.job) < (&job.plugin, role, &job.id)
    };
    let mut indexes = cp.live.indexes();
    loop {
        let state = cp.state();
        let mut instances = state.plugins().flat_map(|plugin| &plugin.instances);
        let is_first =
            !instances.any(|stored| before(&stored.row) && stored.row.description == NOT_ASKED_YET);
        if is_first || indexes.changed().await.is_err() {
            return;
        }
    }
}

/// Commits it, unless that is what is stored, for as long as the store takes to take it. What the
/// driver said of itself before a restart counts until it says something new.
async fn tell(cp: &ControlPlane, job: &PluginJob, role: Role, seen: &Observation) {
    let state = cp.state();
    let stored = state.plugin(&job.plugin).and_then(|plugin| {
        let is_this =
            |instance: &&Instance| (&instance.node, &instance.job) == (&job.node, &job.id);
        plugin.of_role(role).find(is_this)
    });
    let instance = Instance {
        healthy: seen.healthy,
        description: seen.description.clone(),
        fingerprint: seen
            .fingerprint
            .clone()
            .or_else(|| stored?.fingerprint.clone()),
        ..unasked(cp, job, role, &job.node)
    };
    let is_stored = stored.is_some_and(|stored| {
        let updated_at = stored.updated_at;
        *stored
            == Instance {
                updated_at,
                ..instance.clone()
            }
    });
    if is_stored {
        return;
    }
    let (plugin, description) = (&job.plugin, &seen.description);
    if seen.healthy {
        tracing::info!(plugin.id = %plugin, node.id = %job.node, "{role} of plugin `{plugin}` is healthy");
    } else if description == NOT_ASKED_YET {
        tracing::debug!(plugin.id = %plugin, node.id = %job.node, "{role} of plugin `{plugin}` is asked for the first time");
    } else {
        tracing::warn!(plugin.id = %plugin, node.id = %job.node, "{role} of plugin `{plugin}`: {description}");
    }
    let mut refusals = 0;
    loop {
        let mut transaction = Transaction::default();
        let key = keys::instance(plugin, role, &job.node, &job.id);
        let committed = match transaction.put(key, &instance) {
            Ok(()) => cp.commit(transaction).await,
            Err(error) => Err(error),
        };
        let Err(error) = committed else { return };
        refusals += 1;
        tracing::error!(plugin.id = %plugin, "the health of plugin `{plugin}` is not known yet: {error}");
        tokio::time::sleep(
            Duration::try_from(backoff::after(&cp.chance, refusals)).unwrap_or_default(),
        )
        .await;
    }
}
