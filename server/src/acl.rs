//! Access control: who asks, and what they may do.
//!
//! ```text
//! secret ─► token ─► its policies, and those of its roles ─► rules ─► Access: may this be done?
//! ```
//!
//! - Off unless configured, as Nomad's: then everybody may do everything, and none of this is looked at.
//! - What an operation needs stands in the document (`x-capability`); it is checked in one place
//!   (`http::admission`).
//! - Nothing is granted that no rule grants. In one namespace the rules of its exact name count, or else
//!   those of the closest glob; `deny` among them takes everything away.
//! - The secret of a token is known to who was given it: what is kept is a hash.

mod access;
mod asker;
mod attempts;
mod bootstrap;
mod caller;
pub mod capability;
mod fingerprint;
mod glob;
mod naming;
mod period;
mod policy;
mod role;
mod rules;
mod token;

#[cfg(test)]
mod tests;

pub use access::{Access, Granted};
pub use asker::{asker, on_behalf_of};
pub use attempts::{Attempts, Limits};
pub use bootstrap::{Bootstrap, bootstrap};
pub use caller::{ANONYMOUS, Caller, Unresolved, Who};
pub use fingerprint::fingerprint;
pub use period::in_go;
pub use policy::{Policy, PolicyEntry, apply as apply_policy, delete as delete_policy};
pub use role::{Role, RoleSpec, apply as apply_role, delete as delete_role};
pub use rules::{Level, NamedRule, Rules};
pub use token::{
    Created, SecretHash, Token, TokenKind, TokenSpec, create as create_token,
    delete as delete_token, expire as expire_tokens, update as update_token,
};
