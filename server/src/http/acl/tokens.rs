//! Tokens: the first one, one's own, and any other.

use super::{caught_up, must_be_on, unfit};
use crate::acl::{self, Created, Token, Who, in_go};
use crate::control::ControlPlane;
use crate::error::{Error, Fault};
use crate::http::admission;
use crate::http::declared::{
    At, Blocking, BodyErrors, Changed, Crowded, Made, Missing, Read, ReadErrors, Region,
    StoredErrors, TokenPath,
};
use crate::http::edge::credentials::ClientToken;
use crate::http::edge::{ReadOptions, WriteOptions};
use crate::http::front::Asking;
use crate::http::reply::{Reply, empty, json, missing};
use crate::http::request::{BootstrapRequest, TokenRequest};
use crate::http::wire;
use crate::state::{State, Stored};
use crate::store::Index;
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

#[utoipa::path(
    put, path = "/v1/acl/bootstrap", tag = "acl",
    params(Region),
    request_body = BootstrapRequest,
    responses(Made<wire::Token<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn bootstrap_acl(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = BootstrapRequest::decode(asking.body()?)?;
    WriteOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    made(cp, asking, &acl::bootstrap(cp, request.secret()).await?)
}

#[utoipa::path(
    post, path = "/v1/acl/bootstrap", tag = "acl",
    params(Region),
    request_body = BootstrapRequest,
    responses(Made<wire::Token<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn bootstrap_acl_by_post(
    cp: &ControlPlane,
    asking: &Asking<'_>,
) -> Reply {
    bootstrap_acl(cp, asking).await
}

#[utoipa::path(
    put, path = "/v1/acl/token", tag = "acl",
    params(Region),
    request_body = TokenRequest,
    responses(Made<wire::Token<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn create_token(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = TokenRequest::decode(asking.body()?)?;
    WriteOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    if !request.accessor_id.is_empty() {
        return updated(cp, asking, &request).await;
    }
    made(cp, asking, &acl::create_token(cp, &request.spec).await?)
}

#[utoipa::path(
    post, path = "/v1/acl/token", tag = "acl",
    params(Region),
    request_body = TokenRequest,
    responses(Made<wire::Token<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn create_token_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    create_token(cp, asking).await
}

#[utoipa::path(
    get, path = "/v1/acl/token/self", tag = "acl",
    params(Read),
    responses(At<wire::Token<'static>>, ReadErrors),
)]
pub(in crate::http) async fn read_own_token(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    ReadOptions::read(asking.query, &asking.settings.region)?;
    if !cp.acl_enabled {
        return Ok(json(&nobodys("acls-disabled", "ACLs disabled token", None)).at(Index(0)));
    }
    let caller = admission::resolve(cp, asking, None).map_err(Error::from)?;
    match &caller.who {
        Who::Token(token) => {
            let secret = ClientToken::of(asking.headers);
            let secret = secret.as_ref().map_or("", ClientToken::expose);
            Ok(json(&shown(&cp.state(), token, secret)).at(token.modified))
        }
        Who::Anonymous | Who::Anybody => {
            let policies = Some(vec![Cow::Borrowed(acl::ANONYMOUS)]);
            Ok(json(&nobodys("anonymous", "Anonymous Token", policies)).at(Index(0)))
        }
    }
}

#[utoipa::path(
    get, path = "/v1/acl/token/{accessor_id}", tag = "acl",
    params(TokenPath, Blocking, Read),
    responses(At<wire::Token<'static>>, Missing, ReadErrors, Crowded),
)]
pub(in crate::http) async fn read_token(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let accessor = named(asking)?;
    let index = |state: &State| match state.token(accessor) {
        Some(token) => token.modified,
        None => state.tokens_index(),
    };
    let (state, _) = caught_up(cp, asking, &options, index).await?;
    match state.token(accessor) {
        Some(token) => Ok(json(&shown(&state, token, "")).at(token.modified)),
        None => Err(missing(Fault::TokenNotFound, state.tokens_index())),
    }
}

#[utoipa::path(
    put, path = "/v1/acl/token/{accessor_id}", tag = "acl",
    params(TokenPath, Region),
    request_body = TokenRequest,
    responses(Made<wire::Token<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn update_token(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = TokenRequest::decode(asking.body()?)?;
    WriteOptions::read(asking.query, &asking.settings.region)?;
    if named(asking)? != request.accessor_id {
        return Err(unfit("ACL token accessor does not match request path").into());
    }
    must_be_on(cp)?;
    updated(cp, asking, &request).await
}

#[utoipa::path(
    post, path = "/v1/acl/token/{accessor_id}", tag = "acl",
    params(TokenPath, Region),
    request_body = TokenRequest,
    responses(Made<wire::Token<'static>>, BodyErrors, StoredErrors),
)]
pub(in crate::http) async fn update_token_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    update_token(cp, asking).await
}

#[utoipa::path(
    delete,
    path = "/v1/acl/token/{accessor_id}",
    tag = "acl",
    params(TokenPath, Region),
    responses(Changed, StoredErrors)
)]
pub(in crate::http) async fn delete_token(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    WriteOptions::read(asking.query, &asking.settings.region)?;
    must_be_on(cp)?;
    let index = acl::delete_token(cp, named(asking)?).await?;
    Ok(empty().changed_at(index))
}

fn named<'a>(asking: &'a Asking<'_>) -> Result<&'a str, Fault> {
    match asking.param("accessor_id") {
        "" => Err(unfit("Missing Token Accessor")),
        accessor => Ok(accessor),
    }
}

/// A token that was just made, with its secret.
fn made(cp: &ControlPlane, asking: &Asking<'_>, created: &Created) -> Reply {
    let Created { token, secret } = created;
    asking.record.concerns("token", &token.row.accessor);
    Ok(json(&shown(&cp.state(), token, secret)).changed_at(token.modified))
}

async fn updated(cp: &ControlPlane, asking: &Asking<'_>, request: &TokenRequest) -> Reply {
    let token = acl::update_token(cp, &request.accessor_id, &request.spec).await?;
    asking.record.concerns("token", &token.row.accessor);
    Ok(json(&shown(&cp.state(), &token, "")).changed_at(token.modified))
}

fn shown<'a>(state: &'a State, stored: &'a Stored<Token>, secret: &'a str) -> wire::Token<'a> {
    let row = &stored.row;
    wire::Token {
        expiration_ttl: match row.expiration_ttl {
            SignedDuration::ZERO => "".into(),
            ttl => in_go(ttl).into(),
        },
        accessor_id: row.accessor.as_str().into(),
        secret_id: secret.into(),
        name: row.name.as_str().into(),
        kind: row.kind.as_str().into(),
        policies: policies(row),
        roles: roles(state, row),
        global: row.global,
        hash: Some(row.fingerprint().into()),
        create_time: row.created_at,
        expiration_time: row.expires_at,
        create_index: stored.created.0,
        modify_index: stored.modified.0,
    }
}

/// The policies of a token, as answers show them.
pub(super) fn policies(row: &Token) -> Option<Vec<Cow<'_, str>>> {
    let names = row.policies.iter().map(|name| name.as_str().into());
    (!row.policies.is_empty()).then(|| names.collect())
}

/// Its roles, likewise.
pub(super) fn roles<'a>(state: &'a State, row: &'a Token) -> Option<Vec<wire::RoleLink<'a>>> {
    let link = |id: &'a String| wire::RoleLink {
        id: id.as_str().into(),
        name: state.role(id).map_or("", |role| &role.row.name).into(),
    };
    (!row.roles.is_empty()).then(|| row.roles.iter().map(link).collect())
}

/// What stands for a token where there is none.
fn nobodys<'a>(
    accessor: &'a str,
    name: &'a str,
    policies: Option<Vec<Cow<'a, str>>>,
) -> wire::Token<'a> {
    /// 0001-01-01T00:00:00Z, Go's zero time.
    const NO_TIME: Timestamp = Timestamp::constant(-62_135_596_800, 0);
    wire::Token {
        expiration_ttl: "".into(),
        accessor_id: accessor.into(),
        secret_id: "".into(),
        name: name.into(),
        kind: "client".into(),
        policies,
        roles: None,
        global: false,
        hash: None,
        create_time: NO_TIME,
        expiration_time: None,
        create_index: 0,
        modify_index: 0,
    }
}
