//! Policies.

use super::{caught_up, must_be_on, seen, unfit};
use crate::acl::{self, PolicyEntry};
use crate::control::ControlPlane;
use crate::error::Fault;
use crate::http::declared::{
    At, Blocking, BodyErrors, Changed, Crowded, List, Missing, PolicyPath, Prefix, Read,
    ReadErrors, Region, StoredErrors,
};
use crate::http::edge::{ReadOptions, WriteOptions};
use crate::http::front::Asking;
use crate::http::reply::{Reply, empty, json, missing};
use crate::http::request::PolicyRequest;
use crate::http::wire::{self, Withheld};
use crate::state::State;

/// A management token sees all of them, any other its own.
#[utoipa::path(
    get, path = "/v1/acl/policies", tag = "acl",
    params(Prefix, Blocking, Read),
    responses(At<List<wire::PolicyStub<'static>>>, ReadErrors, Crowded),
)]
pub(in crate::http) async fn list_policies(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let shown = seen(asking, State::policies_index);
    let (state, caller) = caught_up(cp, asking, &options, shown).await?;
    let own = caller.policies(&state);
    let is_seen = |name: &String| caller.access.is_everything() || own.contains(name);
    let policies: Vec<_> = state
        .policies()
        .filter(|entry| entry.stored.row.name.starts_with(&options.prefix))
        .filter(|entry| is_seen(&entry.stored.row.name))
        .map(|entry| stub(entry))
        .collect();
    Ok(json(&policies).at(shown(&state)))
}

#[utoipa::path(
    get, path = "/v1/acl/policy/self", tag = "acl",
    params(Read),
    responses(At<List<wire::Policy<'static>>>, ReadErrors),
)]
pub(in crate::http) async fn list_own_policies(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    ReadOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let state = cp.state();
    let own = asking.caller.policies(&state);
    let known = own.iter().filter_map(|name| state.policy(name));
    let policies: Vec<_> = known.map(|entry| shown(entry)).collect();
    Ok(json(&policies).at(state.policies_index()))
}

#[utoipa::path(
    get, path = "/v1/acl/policy/{policy_name}", tag = "acl",
    params(PolicyPath, Blocking, Read),
    responses(At<wire::Policy<'static>>, Missing, ReadErrors, Crowded),
)]
pub(in crate::http) async fn read_policy(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let name = named(asking)?;
    let index = |state: &State| match state.policy(name) {
        Some(entry) => entry.stored.modified,
        None => state.policies_index(),
    };
    let (state, _) = caught_up(cp, asking, &options, index).await?;
    match state.policy(name) {
        Some(entry) => Ok(json(&shown(entry)).at(entry.stored.modified)),
        None => Err(missing(Fault::PolicyNotFound, state.policies_index())),
    }
}

#[utoipa::path(
    put, path = "/v1/acl/policy/{policy_name}", tag = "acl",
    params(PolicyPath, Region),
    request_body = PolicyRequest,
    responses(Changed, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn apply_policy(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let PolicyRequest(policy) = PolicyRequest::decode(asking.body()?)?;
    WriteOptions::read(asking.query, &asking.settings.region)?;
    if named(asking)? != policy.name {
        return Err(unfit("ACL policy name does not match request path").into());
    }
    must_be_on(cp)?;
    let index = acl::apply_policy(cp, &policy).await?;
    Ok(empty().changed_at(index))
}

#[utoipa::path(
    post, path = "/v1/acl/policy/{policy_name}", tag = "acl",
    params(PolicyPath, Region),
    request_body = PolicyRequest,
    responses(Changed, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn apply_policy_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    apply_policy(cp, asking).await
}

#[utoipa::path(
    delete,
    path = "/v1/acl/policy/{policy_name}",
    tag = "acl",
    params(PolicyPath, Region),
    responses(Changed, StoredErrors)
)]
pub(in crate::http) async fn delete_policy(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    WriteOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let index = acl::delete_policy(cp, named(asking)?).await?;
    Ok(empty().changed_at(index))
}

fn named<'a>(asking: &'a Asking<'_>) -> Result<&'a str, Fault> {
    match asking.param("policy_name") {
        "" => Err(unfit("Missing Policy Name")),
        name => Ok(name),
    }
}

fn stub(entry: &PolicyEntry) -> wire::PolicyStub<'_> {
    let stored = &entry.stored;
    wire::PolicyStub {
        create_index: stored.created.0,
        description: stored.row.description.as_str().into(),
        hash: Some(stored.row.fingerprint().into()),
        job_acl: Withheld,
        modify_index: stored.modified.0,
        name: stored.row.name.as_str().into(),
    }
}

fn shown(entry: &PolicyEntry) -> wire::Policy<'_> {
    let stored = &entry.stored;
    wire::Policy {
        create_index: stored.created.0,
        description: stored.row.description.as_str().into(),
        hash: Some(stored.row.fingerprint().into()),
        job_acl: Withheld,
        modify_index: stored.modified.0,
        name: stored.row.name.as_str().into(),
        rules: stored.row.rules.as_str().into(),
        rules_json: entry.rules.to_json(&stored.row.rules),
    }
}
