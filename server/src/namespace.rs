//! Namespaces: what keeps the volumes of one team apart from another's.

use crate::acl::fingerprint;
use crate::control::ControlPlane;
use crate::error::{Fault, Result, multierror};
use crate::id::Namespace;
use crate::operation::Operation;
use crate::state::{State, Stored};
use crate::store::{Guard, Index, Transaction, Write, keys};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 256;

/// A namespace as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NamespaceRow {
    /// Its name.
    pub name: Namespace,
    /// What it is for.
    pub description: String,
    /// What its users note about it.
    #[serde(default)]
    pub meta: BTreeMap<String, String>,
}

impl NamespaceRow {
    /// What Nomad shows as `Hash`.
    pub fn fingerprint(&self) -> String {
        let meta = self
            .meta
            .iter()
            .flat_map(|(key, value)| [key.as_str(), value]);
        fingerprint(
            [self.name.as_str(), &self.description]
                .into_iter()
                .chain(meta),
        )
    }
}

/// Stores a namespace, new or changed.
pub async fn apply(
    cp: &ControlPlane,
    name: &str,
    description: String,
    meta: BTreeMap<String, String>,
) -> Result<Index> {
    let mut problems = Vec::new();
    let parsed = Namespace::parse(name);
    if parsed.is_err() {
        problems.push(format!(
            "invalid name {name:?}. Must match regex ^[a-zA-Z0-9-]{{1,128}}$"
        ));
    }
    if description.chars().count() > LONGEST_DESCRIPTION {
        problems.push(format!("description longer than {LONGEST_DESCRIPTION}"));
    }
    let name = match parsed {
        Ok(parsed) if problems.is_empty() => parsed,
        _ => {
            let text = format!("Invalid namespace {name:?}: {}", multierror(&problems));
            return Err(Fault::UnfitNamespace(text).into());
        }
    };
    let mut transaction = Transaction::default();
    let row = NamespaceRow {
        name,
        description,
        meta,
    };
    transaction.put(keys::namespace(&row.name), &row)?;
    Ok(cp.commit(transaction).await?.unwrap_or_default())
}

/// Forgets a namespace, unless something is in it: a volume, a claim, work on one, or a plugin job.
/// `region` is the one that a refusal names.
pub async fn delete(cp: &ControlPlane, name: &Namespace, region: &str) -> Result<Index> {
    loop {
        let state = cp.state();
        let Some(seen) = state.namespace(name) else {
            return Err(Fault::NoNamespaceToDelete.into());
        };
        if *name == Namespace::default_namespace() {
            let text = "default namespace can not be deleted".to_owned();
            return Err(Fault::UnfitNamespace(text).into());
        }
        let held = held_by(&state, name);
        if !held.is_empty() {
            let told = |what: &&str| {
                format!(
                    "namespace {:?} has {what} associated with it in regions: [{region}]",
                    name.as_str()
                )
            };
            let problems: Vec<String> = held.iter().map(told).collect();
            return Err(Fault::NamespaceInUse(multierror(&problems)).into());
        }
        let mut transaction = Transaction::default();
        let key = keys::namespace(name);
        transaction
            .guards
            .push(Guard::At(key.clone(), seen.modified));
        transaction
            .guards
            .extend(keys::all_in(name).map(Guard::Empty));
        transaction.writes.push(Write::Delete(key));
        if let Some(index) = cp.commit(transaction).await? {
            return Ok(index);
        }
    }
}

/// What is in a namespace: just what [`keys::all_in`] names.
fn held_by(state: &State, name: &Namespace) -> Vec<&'static str> {
    let mut held = Vec::new();
    if state.jobs().any(|job| &job.row.namespace == name) {
        held.push("plugin jobs");
    }
    if state.has_volumes_in(name) {
        held.push("volumes");
    }
    if state.has_claims_in(name) {
        held.push("claims");
    }
    let is_there = |operation: &Stored<Operation>| {
        operation
            .row
            .volume()
            .is_some_and(|volume| &volume.namespace == name)
    };
    if state.under_way().any(|operation| is_there(operation)) {
        held.push("operations");
    }
    held
}
