//! Who asks.

use super::{Access, Granted, SecretHash, Token, TokenKind};
use crate::id::Namespace;
use crate::state::{State, Stored};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// The policy of whoever has no token.
pub const ANONYMOUS: &str = "anonymous";

/// Who asks, and what they may do.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What they may do.
    pub access: Access,
    /// Who they are.
    pub who: Who,
}

/// Who asks.
#[derive(Clone, Debug)]
pub enum Who {
    /// Nobody wants to know: access control is off.
    Anybody,
    /// Whoever has no token.
    Anonymous,
    /// Whoever has this token.
    Token(Arc<Stored<Token>>),
}

/// Why a secret is no token's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// It does not look like one.
    NoSecret,
    /// There is no such token.
    Unknown,
    /// The token has expired.
    Expired,
    /// It was not looked at: too many from the same address were none. So long it has to wait.
    TooSoon(SignedDuration),
}

impl Caller {
    /// Whoever asks while access control is off.
    pub fn anybody() -> Self {
        Self {
            access: Access::Everything,
            who: Who::Anybody,
        }
    }

    /// Whoever may do nothing.
    pub fn nobody() -> Self {
        Self {
            access: Access::nothing(),
            who: Who::Anonymous,
        }
    }

    /// Whoever has this secret, or none.
    pub fn resolve(
        state: &State,
        secret: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Unresolved> {
        let Some(secret) = secret else {
            return Ok(Self::anonymous(state));
        };
        if Uuid::try_parse(secret).is_err() {
            return Err(Unresolved::NoSecret);
        }
        let hash = SecretHash::of(secret);
        let token = state
            .token_of(&hash)
            .filter(|token| token.row.secret.is(&hash));
        Self::with(state, token, now)
    }

    /// The same caller by a later state: with what they may do now.
    pub fn again(&self, state: &State, now: Timestamp) -> Result<Self, Unresolved> {
        match &self.who {
            Who::Anybody => Ok(self.clone()),
            Who::Anonymous => Ok(Self::anonymous(state)),
            Who::Token(token) => Self::with(state, state.token(&token.row.accessor), now),
        }
    }

    fn anonymous(state: &State) -> Self {
        let policy = state.policy(ANONYMOUS).into_iter();
        Self {
            access: Access::Granted(Granted::of(policy.map(|entry| &entry.rules))),
            who: Who::Anonymous,
        }
    }

    fn with(
        state: &State,
        token: Option<&Arc<Stored<Token>>>,
        now: Timestamp,
    ) -> Result<Self, Unresolved> {
        let token = token.ok_or(Unresolved::Unknown)?;
        if token.row.has_expired(now) {
            return Err(Unresolved::Expired);
        }
        let access = match token.row.kind {
            TokenKind::Management => Access::Everything,
            TokenKind::Client => {
                let names = policies(state, &token.row);
                let known = names.iter().filter_map(|name| state.policy(name));
                Access::Granted(Granted::of(known.map(|entry| &entry.rules)))
            }
        };
        let who = Who::Token(Arc::clone(token));
        Ok(Self { access, who })
    }

    /// The namespaces in which any one of these capabilities is the caller's; `None` if that is all there are or will be.
    pub fn namespaces(&self, state: &State, any_of: &[&str]) -> Option<BTreeSet<Namespace>> {
        if self.access.is_everything() {
            return None;
        }
        let names = state.namespaces().map(|stored| &stored.row.name);
        let may = |name: &&Namespace| self.access.in_namespace(name.as_str(), any_of);
        Some(names.filter(may).cloned().collect())
    }

    /// Whether this token is the caller's own.
    pub fn is(&self, accessor: &str) -> bool {
        matches!(&self.who, Who::Token(token) if token.row.accessor == accessor)
    }

    /// The names of the caller's policies, of roles too.
    pub fn policies(&self, state: &State) -> Vec<String> {
        match &self.who {
            Who::Anybody => Vec::new(),
            Who::Anonymous => vec![ANONYMOUS.to_owned()],
            Who::Token(token) => policies(state, &token.row),
        }
    }

    /// Whether this role is one of the caller's own.
    pub fn has_role(&self, id: &str) -> bool {
        matches!(&self.who, Who::Token(token) if token.row.roles.iter().any(|role| role == id))
    }
}

/// The policies of a token and of its roles.
fn policies(state: &State, token: &Token) -> Vec<String> {
    let roles = token.roles.iter().filter_map(|id| state.role(id));
    let of_roles = roles.flat_map(|role| &role.row.policies);
    token.policies.iter().chain(of_roles).cloned().collect()
}
