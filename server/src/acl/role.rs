//! Roles: policies under one name, for tokens to share.

use super::fingerprint;
use super::naming::{is_name, is_too_long};
use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result, multierror};
use crate::state::{State, Stored};
use crate::store::{Guard, Index, Transaction, Write, keys};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A role as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Role {
    /// Its id: a UUID.
    pub id: String,
    /// Its name, of no other role.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its policies, by name.
    pub policies: Vec<String>,
}

impl Role {
    /// What Nomad shows as `Hash`.
    pub fn fingerprint(&self) -> String {
        let policies = self.policies.iter().map(String::as_str);
        fingerprint(
            [self.name.as_str(), &self.description]
                .into_iter()
                .chain(policies),
        )
    }
}

/// What a client says of a role.
#[derive(Clone, Debug, Default)]
pub struct RoleSpec {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its policies.
    pub policies: Vec<String>,
}

/// Stores a role: the one with this id, or a new one.
pub async fn apply(
    cp: &ControlPlane,
    id: Option<&str>,
    spec: &RoleSpec,
) -> Result<Arc<Stored<Role>>> {
    let new = cp.chance.uuid().to_string();
    loop {
        let state = cp.state();
        judge(&state, id, spec)?;
        let mut role = Role {
            id: id.unwrap_or(&new).to_owned(),
            name: spec.name.clone(),
            description: spec.description.clone(),
            policies: Vec::new(),
        };
        for policy in &spec.policies {
            if !role.policies.contains(policy) {
                role.policies.push(policy.clone());
            }
        }
        let mut transaction = Transaction::default();
        let key = keys::role(&role.id);
        let name = keys::role_name(&role.name);
        transaction.guards.push(match state.role(&role.id) {
            Some(seen) => Guard::At(key.clone(), seen.modified),
            None => Guard::Absent(key.clone()),
        });
        transaction.put(key, &role)?;
        if let Some(seen) = state
            .role(&role.id)
            .filter(|seen| seen.row.name != role.name)
        {
            transaction
                .writes
                .push(Write::Delete(keys::role_name(&seen.row.name)));
        }
        if state.role_named(&role.name).is_none() {
            transaction.guards.push(Guard::Absent(name.clone()));
            transaction.put(name, &role.id)?;
        }
        if cp.commit(transaction).await?.is_some() {
            let found = cp.state().role(&role.id).cloned();
            return found.ok_or_else(|| Error::from(Fault::RoleNotFound));
        }
    }
}

/// Forgets a role. Tokens that name it lose what it granted.
pub async fn delete(cp: &ControlPlane, id: &str) -> Result<Index> {
    loop {
        let state = cp.state();
        let Some(seen) = state.role(id) else {
            return Err(Fault::RoleNotFound.into());
        };
        let key = keys::role(id);
        let transaction = Transaction {
            guards: vec![Guard::At(key.clone(), seen.modified)],
            writes: vec![
                Write::Delete(key),
                Write::Delete(keys::role_name(&seen.row.name)),
            ],
        };
        if let Some(index) = cp.commit(transaction).await? {
            return Ok(index);
        }
    }
}

fn judge(state: &State, id: Option<&str>, spec: &RoleSpec) -> Result<()> {
    let unfit = |text: String| Err(Fault::UnfitForAccess(text).into());
    let mut problems = Vec::new();
    if !is_name(&spec.name) {
        problems.push(format!("invalid name '{}'", spec.name));
    }
    if is_too_long(&spec.description) {
        problems.push("description longer than 256".to_owned());
    }
    if spec.policies.is_empty() {
        problems.push("at least one policy should be specified".to_owned());
    }
    if !problems.is_empty() {
        return unfit(format!("role 0 invalid: {}", multierror(&problems)));
    }
    if let Some(id) = id
        && state.role(id).is_none()
    {
        return unfit(format!("cannot find role {id}"));
    }
    if let Some(policy) = spec
        .policies
        .iter()
        .find(|name| state.policy(name).is_none())
    {
        return unfit(format!("cannot find policy {policy}"));
    }
    match state.role_named(&spec.name) {
        Some(other) if Some(other.row.id.as_str()) != id => {
            unfit(format!("role with name {} already exists", spec.name))
        }
        _ => Ok(()),
    }
}
