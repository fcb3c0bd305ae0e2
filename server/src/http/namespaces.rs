//! The routes of tag `namespaces`.

use super::declared::{
    At, Blocking, BodyErrors, ChangeErrors, Changed, Crowded, List, Missing, NamespacePath, Prefix,
    Read, ReadErrors, Region, StoredErrors,
};
use super::edge::{ReadOptions, WriteOptions};
use super::front::Asking;
use super::reply::{Reply, empty, json, missing};
use super::request::NamespaceRequest;
use super::waiting;
use super::wire::{self, Withheld};
use crate::acl::capability::ANY;
use crate::control::ControlPlane;
use crate::error::Fault;
use crate::id::Namespace;
use crate::namespace::{self, NamespaceRow};
use crate::state::{Interest, State, Stored};
use std::borrow::Cow;

#[utoipa::path(
    get, path = "/v1/namespaces", tag = "namespaces",
    params(Prefix, Blocking, Read),
    responses(At<List<wire::Namespace<'static>>>, ReadErrors, Crowded),
)]
pub(super) async fn list_namespaces(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let state = waiting::state(cp, asking, &options, Interest::Namespaces, |state| {
        state.namespaces_index
    })
    .await?;
    let access = &asking.caller.access;
    let namespaces: Vec<_> = state
        .namespaces()
        .filter(|stored| stored.row.name.as_str().starts_with(&options.prefix))
        .filter(|stored| access.in_namespace(stored.row.name.as_str(), &[ANY]))
        .map(|stored| picture(stored))
        .collect();
    Ok(json(&namespaces).at(state.namespaces_index))
}

#[utoipa::path(
    get, path = "/v1/namespace/{namespace_name}", tag = "namespaces",
    params(NamespacePath, Blocking, Read),
    responses(At<wire::Namespace<'static>>, Missing, ReadErrors, Crowded),
)]
pub(super) async fn read_namespace(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let name = named(asking);
    let shown = |state: &State| match state.namespace(&name) {
        Some(stored) => stored.modified,
        None => state.namespaces_index,
    };
    let state = waiting::state(cp, asking, &options, Interest::Namespaces, shown).await?;
    match state.namespace(&name) {
        Some(stored) => Ok(json(&picture(stored)).at(stored.modified)),
        None => Err(missing(Fault::NoNamespaceToRead, state.namespaces_index)),
    }
}

#[utoipa::path(
    put, path = "/v1/namespace", tag = "namespaces",
    params(Region),
    request_body = NamespaceRequest,
    responses(Changed, BodyErrors, StoredErrors),
)]
pub(super) async fn create_namespace(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = NamespaceRequest::decode(asking.body()?)?;
    WriteOptions::read(asking.query, &asking.settings.region)?;
    let NamespaceRequest {
        name,
        description,
        meta,
    } = request;
    asking.record.concerns("namespace", &name);
    let index = namespace::apply(cp, &name, description, meta).await?;
    Ok(empty().changed_at(index))
}

#[utoipa::path(
    post, path = "/v1/namespace", tag = "namespaces",
    params(Region),
    request_body = NamespaceRequest,
    responses(Changed, BodyErrors, StoredErrors),
)]
pub(super) async fn create_namespace_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    create_namespace(cp, asking).await
}

#[utoipa::path(
    put, path = "/v1/namespace/{namespace_name}", tag = "namespaces",
    params(NamespacePath, Region),
    request_body = NamespaceRequest,
    responses(Changed, BodyErrors, StoredErrors),
)]
pub(super) async fn apply_namespace(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = NamespaceRequest::decode(asking.body()?)?;
    if request.name != asking.param("namespace_name") {
        let text = "Namespace name does not match request path".to_owned();
        return Err(Fault::UnfitForAccess(text).into());
    }
    create_namespace(cp, asking).await
}

#[utoipa::path(
    post, path = "/v1/namespace/{namespace_name}", tag = "namespaces",
    params(NamespacePath, Region),
    request_body = NamespaceRequest,
    responses(Changed, BodyErrors, StoredErrors),
)]
pub(super) async fn apply_namespace_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    apply_namespace(cp, asking).await
}

#[utoipa::path(
    delete,
    path = "/v1/namespace/{namespace_name}",
    tag = "namespaces",
    params(NamespacePath, Region),
    responses(Changed, ChangeErrors)
)]
pub(super) async fn delete_namespace(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    WriteOptions::read(asking.query, &asking.settings.region)?;
    let index = namespace::delete(cp, &named(asking), &asking.settings.region).await?;
    Ok(empty().changed_at(index))
}

fn named(asking: &Asking<'_>) -> Namespace {
    Namespace::known(asking.param("namespace_name"))
}

fn picture(stored: &Stored<NamespaceRow>) -> wire::Namespace<'_> {
    let row = &stored.row;
    wire::Namespace {
        capabilities: Withheld,
        consul_configuration: Withheld,
        create_index: stored.created.0,
        description: row.description.as_str().into(),
        hash: Some(row.fingerprint().into()),
        meta: (!row.meta.is_empty()).then_some(Cow::Borrowed(&row.meta)),
        modify_index: stored.modified.0,
        name: row.name.as_str().into(),
        node_pool_configuration: Withheld,
        optional_extra_claims: Withheld,
        quota: "".into(),
        required_extra_claims: Withheld,
        vault_configuration: Withheld,
    }
}
