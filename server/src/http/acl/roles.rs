//! Roles.

use super::{caught_up, must_be_on, seen, unfit};
use crate::acl::{self, Role};
use crate::control::ControlPlane;
use crate::error::Fault;
use crate::http::declared::{
    At, Blocking, BodyErrors, Changed, Crowded, List, Made, Missing, Prefix, Read, ReadErrors,
    RecordErrors, Region, RoleNamePath, RolePath, StoredErrors,
};
use crate::http::edge::{ReadOptions, WriteOptions};
use crate::http::front::Asking;
use crate::http::reply::{Reply, empty, json, missing};
use crate::http::request::RoleRequest;
use crate::http::wire;
use crate::state::{State, Stored};
use std::sync::Arc;

/// A management token sees all of them, any other its own.
#[utoipa::path(
    get, path = "/v1/acl/roles", tag = "acl",
    params(Prefix, Blocking, Read),
    responses(At<List<wire::Role<'static>>>, ReadErrors, Crowded),
)]
pub(in crate::http) async fn list_roles(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let newest = seen(asking, State::roles_index);
    let (state, caller) = caught_up(cp, asking, &options, newest).await?;
    let roles: Vec<_> = state
        .roles()
        .filter(|role| role.row.id.starts_with(&options.prefix))
        .filter(|role| caller.access.is_everything() || caller.has_role(&role.row.id))
        .map(|role| shown(role))
        .collect();
    Ok(json(&roles).at(newest(&state)))
}

#[utoipa::path(
    put, path = "/v1/acl/role", tag = "acl",
    params(Region),
    request_body = RoleRequest,
    responses(Made<wire::Role<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn create_role(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = RoleRequest::decode(asking.body()?)?;
    WriteOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let id = Some(request.id.as_str()).filter(|id| !id.is_empty());
    let role = acl::apply_role(cp, id, &request.spec).await?;
    asking.record.concerns("role", &role.row.id);
    Ok(json(&shown(&role)).changed_at(role.modified))
}

#[utoipa::path(
    post, path = "/v1/acl/role", tag = "acl",
    params(Region),
    request_body = RoleRequest,
    responses(Made<wire::Role<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn create_role_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    create_role(cp, asking).await
}

#[utoipa::path(
    get, path = "/v1/acl/role/name/{role_name}", tag = "acl",
    params(RoleNamePath, Blocking, Read),
    responses(At<wire::Role<'static>>, Missing, ReadErrors, Crowded),
)]
pub(in crate::http) async fn read_role_by_name(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    one(cp, asking, |state| {
        state.role_named(asking.param("role_name"))
    })
    .await
}

#[utoipa::path(
    get, path = "/v1/acl/role/{role_id}", tag = "acl",
    params(RolePath, Blocking, Read),
    responses(At<wire::Role<'static>>, Missing, ReadErrors, Crowded),
)]
pub(in crate::http) async fn read_role(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    one(cp, asking, |state| state.role(asking.param("role_id"))).await
}

/// Answers with the role that `find` finds.
async fn one(
    cp: &ControlPlane,
    asking: &Asking<'_>,
    find: impl Fn(&State) -> Option<&Arc<Stored<Role>>>,
) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let index = |state: &State| match find(state) {
        Some(role) => role.modified,
        None => state.roles_index(),
    };
    let (state, _) = caught_up(cp, asking, &options, index).await?;
    match find(&state) {
        Some(role) => Ok(json(&shown(role)).at(role.modified)),
        None => Err(missing(Fault::RoleNotFound, state.roles_index())),
    }
}

#[utoipa::path(
    put, path = "/v1/acl/role/{role_id}", tag = "acl",
    params(RolePath, Region),
    request_body = RoleRequest,
    responses(Made<wire::Role<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn update_role(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = RoleRequest::decode(asking.body()?)?;
    if request.id != asking.param("role_id") {
        return Err(unfit("ACL role ID does not match request path").into());
    }
    create_role(cp, asking).await
}

#[utoipa::path(
    post, path = "/v1/acl/role/{role_id}", tag = "acl",
    params(RolePath, Region),
    request_body = RoleRequest,
    responses(Made<wire::Role<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn update_role_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    update_role(cp, asking).await
}

#[utoipa::path(
    delete,
    path = "/v1/acl/role/{role_id}",
    tag = "acl",
    params(RolePath, Region),
    responses(Changed, RecordErrors)
)]
pub(in crate::http) async fn delete_role(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    WriteOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let index = acl::delete_role(cp, asking.param("role_id")).await?;
    Ok(empty().changed_at(index))
}

fn shown(role: &Arc<Stored<Role>>) -> wire::Role<'_> {
    let row = &role.row;
    let link = |name: &'_ String| wire::PolicyLink {
        name: name.clone().into(),
    };
    wire::Role {
        create_index: role.created.0,
        description: row.description.as_str().into(),
        hash: Some(row.fingerprint().into()),
        id: row.id.as_str().into(),
        modify_index: role.modified.0,
        name: row.name.as_str().into(),
        policies: (!row.policies.is_empty()).then(|| row.policies.iter().map(link).collect()),
    }
}
