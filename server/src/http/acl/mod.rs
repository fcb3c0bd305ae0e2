//! The routes of tag `acl`. While access control is off each but one says so: a caller may always ask who
//! they are.

pub(super) mod listed;
pub(super) mod policies;
pub(super) mod roles;
pub(super) mod tokens;

pub(super) use listed::list_tokens;
pub(super) use policies::{
    apply_policy, apply_policy_by_post, delete_policy, list_own_policies, list_policies,
    read_policy,
};
pub(super) use roles::{
    create_role, create_role_by_post, delete_role, list_roles, read_role, read_role_by_name,
    update_role, update_role_by_post,
};
pub(super) use tokens::{
    bootstrap_acl, bootstrap_acl_by_post, create_token, create_token_by_post, delete_token,
    read_own_token, read_token, update_token, update_token_by_post,
};

use super::edge::ReadOptions;
use super::front::Asking;
use super::waiting;
use crate::acl::Caller;
use crate::control::ControlPlane;
use crate::error::{Fault, Result};
use crate::state::{Interest, State};
use crate::store::Index;
use std::sync::Arc;

/// Refuses while access control is off.
fn must_be_on(cp: &ControlPlane) -> Result<()> {
    match cp.acl_enabled {
        true => Ok(()),
        false => Err(Fault::AclDisabled.into()),
    }
}

/// The state to answer from, and who asks by then: at once, or when `shown` says more than the request
/// knows.
///
/// # Errors
///
/// The caller's token ended while the request waited.
async fn caught_up(
    cp: &ControlPlane,
    asking: &Asking<'_>,
    options: &ReadOptions,
    shown: impl Fn(&State) -> Index,
) -> Result<(Arc<State>, Caller)> {
    let state = waiting::state(cp, asking, options, Interest::AccessControl, shown).await?;
    let caller = asking.caller.again(&state, cp.clock.now());
    Ok((state, caller.map_err(|_| Fault::PermissionDenied)?))
}

/// The newest commit to what a list shows, of which a management token sees everything and any other its
/// own: what is its own changes with the token and its roles.
fn seen(asking: &Asking<'_>, everything: fn(&State) -> Index) -> fn(&State) -> Index {
    match asking.caller.access.is_everything() {
        true => everything,
        false => State::acl_index,
    }
}

/// What a request names only in part.
fn unfit(text: &str) -> Fault {
    Fault::UnfitForAccess(text.to_owned())
}
