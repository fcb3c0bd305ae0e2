//! Policies: named sets of rules.

use super::fingerprint;
use super::naming::{is_name, is_too_long};
use super::rules::Rules;
use crate::control::ControlPlane;
use crate::error::{Fault, Result, multierror};
use crate::state::Stored;
use crate::store::{Index, Transaction, Write, keys};
use serde::{Deserialize, Serialize};

/// A policy as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its rules, as they were written.
    pub rules: String,
}

impl Policy {
    /// What Nomad shows as `Hash`.
    pub fn fingerprint(&self) -> String {
        fingerprint([self.name.as_str(), &self.description, &self.rules])
    }
}

/// A policy, and what its text says, read when it was stored or loaded.
#[derive(Debug)]
pub struct PolicyEntry {
    /// The policy as stored.
    pub stored: Stored<Policy>,
    /// What its text says.
    pub rules: Rules,
}

/// Stores a policy, new or changed. It counts for every token from now on.
pub async fn apply(cp: &ControlPlane, policy: &Policy) -> Result<Index> {
    let mut problems = Vec::new();
    if !is_name(&policy.name) {
        problems.push(format!("invalid name '{}'", policy.name));
    }
    if let Err(problem) = Rules::parse(&policy.rules) {
        problems.push(format!("failed to parse rules: {problem}"));
    }
    if is_too_long(&policy.description) {
        problems.push("description longer than 256".to_owned());
    }
    if !problems.is_empty() {
        let text = format!("policy 0 invalid: {}", multierror(&problems));
        return Err(Fault::UnfitForAccess(text).into());
    }
    let mut transaction = Transaction::default();
    transaction.put(keys::policy(&policy.name), policy)?;
    Ok(cp.commit(transaction).await?.unwrap_or_default())
}

/// Forgets a policy; one that is not there is forgotten already.
pub async fn delete(cp: &ControlPlane, name: &str) -> Result<Index> {
    if !is_name(name) {
        return Ok(cp.state().index);
    }
    let transaction = Transaction {
        writes: vec![Write::Delete(keys::policy(name))],
        ..Transaction::default()
    };
    Ok(cp.commit(transaction).await?.unwrap_or_default())
}
