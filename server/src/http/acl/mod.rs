//! The routes of tag `acl`. While access control is off each but one says so: a caller may always ask who
//! they are.

pub(super) mod policies;
pub(super) mod roles;
pub(super) mod tokens;

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
    list_tokens, read_own_token, read_token, update_token, update_token_by_post,
};

use crate::control::ControlPlane;
use crate::error::{Fault, Result};

/// Refuses while access control is off.
fn must_be_on(cp: &ControlPlane) -> Result<()> {
    match cp.acl_enabled {
        true => Ok(()),
        false => Err(Fault::AclDisabled.into()),
    }
}

/// What a request names only in part.
fn unfit(text: &str) -> Fault {
    Fault::UnfitForAccess(text.to_owned())
}
