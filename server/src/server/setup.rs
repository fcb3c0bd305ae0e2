//! The rows that a server writes at its start: its node, its namespaces, its plugin jobs, and that
//! nothing of them was asked yet.

use super::StartError;
use crate::chance::Chance;
use crate::config::Config;
use crate::control::ControlPlane;
use crate::error::Fault;
use crate::id::{Namespace, NodeId};
use crate::namespace::NamespaceRow;
use crate::node::Node;
use crate::plugin::{Instance, PluginJob};
use crate::state::State;
use crate::store::{MOST_OPERATIONS, Transaction, Write, keys};
use crate::work::health;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use uuid::Uuid;

/// This server's node: the one that its data folder names. A folder that names none gets the one
/// that is stored, or a new one.
pub(super) fn node_of(
    state: &State,
    data_dir: &Path,
    chance: &Chance,
) -> Result<NodeId, StartError> {
    let file = data_dir.join("node-id");
    let at = |error| StartError::Path {
        path: file.clone(),
        error,
    };
    match std::fs::read_to_string(&file) {
        Ok(text) => match Uuid::try_parse(text.trim()) {
            Ok(id) => return Ok(NodeId::known(id.to_string())),
            Err(error) => {
                let text = format!("{}: it holds no node id: {error}", file.display());
                return Err(StartError::Setup(text));
            }
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(at(error)),
    }
    let id = match state.nodes().next() {
        Some(node) => node.row.id.clone(),
        None => NodeId::known(chance.uuid().to_string()),
    };
    let mut new = tempfile::NamedTempFile::new_in(data_dir).map_err(at)?;
    writeln!(new, "{id}").map_err(at)?;
    new.as_file().sync_all().map_err(at)?;
    new.persist(&file).map_err(|error| at(error.error))?;
    Ok(id)
}

/// Writes what is new or differs, and removes the jobs and instances of this node that are in neither
/// list: not in `kept`, jobs that go on as they are, and not in `begun`, jobs that were not asked yet.
pub(super) async fn write(
    cp: &ControlPlane,
    config: &Config,
    namespaces: &[Namespace],
    kept: &[&PluginJob],
    begun: &[&PluginJob],
) -> Result<(), StartError> {
    let state = cp.state();
    let mut transaction = Transaction::default();
    fill(
        cp,
        &state,
        config,
        namespaces,
        kept,
        begun,
        &mut transaction,
    )
    .map_err(|error| StartError::Setup(error.to_string()))?;
    for some in transaction.writes.chunks(MOST_OPERATIONS) {
        let writes = Transaction {
            guards: Vec::new(),
            writes: some.to_vec(),
        };
        cp.commit(writes)
            .await
            .map_err(|error| StartError::Setup(error.to_string()))?;
    }
    Ok(())
}

/// This node as it is now. A fence is lifted by another boot.
fn node(cp: &ControlPlane, state: &State, config: &Config) -> crate::error::Result<Node> {
    let name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let data_dir = config.data_dir.canonicalize().map_err(|error| {
        let text = format!("{}: {error}", config.data_dir.display());
        Fault::HostFailed(text)
    })?;
    let boot_id = config.boot_id.clone().unwrap_or_else(boot_id);
    let known = state.node(&cp.node).map(|stored| &stored.row);
    let same_boot = known.filter(|known| known.boot_id == boot_id || boot_id.is_empty());
    Ok(Node {
        id: cp.node.clone(),
        name,
        fenced: same_boot.and_then(|known| known.fenced.clone()),
        boot_id,
        data_dir,
        target_roots: config.target_roots.clone(),
    })
}

/// What Linux says to tell one boot from another. On other systems nothing is known.
fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

fn fill(
    cp: &ControlPlane,
    state: &State,
    config: &Config,
    namespaces: &[Namespace],
    kept: &[&PluginJob],
    begun: &[&PluginJob],
    transaction: &mut Transaction,
) -> crate::error::Result<()> {
    fill_namespaces(state, namespaces, begun, transaction)?;
    let node = node(cp, state, config)?;
    if state.node(&cp.node).is_none_or(|stored| stored.row != node) {
        transaction.put(keys::node(&cp.node), &node)?;
    }
    for job in begun {
        let stored = state.job(&job.namespace, &job.id).map(|stored| &stored.row);
        let same = stored.is_some_and(|stored| {
            PluginJob {
                submitted_at: job.submitted_at,
                ..stored.clone()
            } == **job
        });
        if !same {
            transaction.put(keys::job(&job.namespace, &job.id), *job)?;
        }
    }
    for old in state.jobs().map(|stored| &stored.row) {
        let is_wanted = kept
            .iter()
            .chain(begun)
            .any(|job| job.id == old.id && job.namespace == old.namespace);
        if old.node == cp.node && !is_wanted {
            transaction
                .writes
                .push(Write::Delete(keys::job(&old.namespace, &old.id)));
        }
    }
    let known = state.plugins().flat_map(|plugin| &plugin.instances);
    for old in known
        .map(|stored| &stored.row)
        .filter(|old| old.node == cp.node)
    {
        let brings_it = |job: &&&PluginJob| {
            (&job.plugin, &job.id) == (&old.plugin, &old.job)
                && job.kind.roles().contains(&old.role)
        };
        if kept.iter().chain(begun).find(brings_it).is_none() {
            let key = keys::instance(&old.plugin, old.role, &old.node, &old.job);
            transaction.writes.push(Write::Delete(key));
        }
    }
    let unasked = |job: &&PluginJob| {
        let job = (*job).clone();
        let roles = job.kind.roles().iter();
        roles.map(move |role| health::unasked(cp, &job, *role, &cp.node))
    };
    for new in begun.iter().flat_map(unasked) {
        let fingerprint = state
            .plugin(&new.plugin)
            .and_then(|plugin| plugin.of_role(new.role).find(|old| old.job == new.job))
            .and_then(|old| old.fingerprint.clone());
        let key = keys::instance(&new.plugin, new.role, &new.node, &new.job);
        transaction.put(key, &Instance { fingerprint, ..new })?;
    }
    Ok(())
}

fn fill_namespaces(
    state: &State,
    namespaces: &[Namespace],
    begun: &[&PluginJob],
    transaction: &mut Transaction,
) -> crate::error::Result<()> {
    let default = NamespaceRow {
        name: Namespace::default_namespace(),
        description: "Default shared namespace".to_owned(),
        meta: BTreeMap::new(),
    };
    let of_jobs = begun.iter().map(|job| &job.namespace);
    let named: BTreeSet<&Namespace> = namespaces.iter().chain(of_jobs).collect();
    let more = named
        .into_iter()
        .filter(|name| **name != default.name)
        .map(|name| NamespaceRow {
            name: name.clone(),
            description: String::new(),
            meta: BTreeMap::new(),
        })
        .collect::<Vec<_>>();
    for namespace in std::iter::once(default).chain(more) {
        if state.namespace(&namespace.name).is_none() {
            transaction.put(keys::namespace(&namespace.name), &namespace)?;
        }
    }
    Ok(())
}
