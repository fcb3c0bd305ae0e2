//! Tokens: who has one may do what its policies say.

use super::naming::{MOST_CHARACTERS, is_too_long};
use super::{fingerprint, in_go};
use crate::control::ControlPlane;
use crate::error::{Error, Fault, Result, multierror};
use crate::state::{State, Stored};
use crate::store::{Guard, Index, Transaction, Write, keys};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The shortest time after which a token may expire.
pub const SHORTEST_LIFE: SignedDuration = SignedDuration::from_mins(1);
/// The longest time after which a token may expire, if it does.
pub const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What is kept of a token's secret. One round of SHA-256 suffices: a secret is a random UUID, 122 bits
/// that nobody can try out, unlike a password. Whoever reads the store learns no secret from it.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// The hash of this secret.
    pub fn of(secret: &str) -> Self {
        use std::fmt::Write as _;
        let digest = Sha256::digest(secret.as_bytes());
        let mut hexadecimal = String::with_capacity(2 * digest.len());
        for byte in digest {
            let _ = write!(hexadecimal, "{byte:02x}");
        }
        Self(hexadecimal)
    }

    /// Whether two are the same, found in a time that does not depend on where they differ.
    pub fn is(&self, other: &Self) -> bool {
        use ctutils::CtEq;
        bool::from(self.0.as_bytes().ct_eq(other.0.as_bytes()))
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// It may do what its policies and roles say.
    Client,
    /// It may do everything.
    Management,
}

impl TokenKind {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenKind::Client => "client",
            TokenKind::Management => "management",
        }
    }
}

/// A token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Token {
    /// Names it: a UUID.
    pub accessor: String,
    /// Proves who has it.
    pub secret: SecretHash,
    /// A label.
    pub name: String,
    /// What it is.
    pub kind: TokenKind,
    /// Its policies, by name. One that is not there grants nothing.
    pub policies: Vec<String>,
    /// Its roles, by id. One that is not there grants nothing.
    pub roles: Vec<String>,
    /// Whether it counts in every region. A label here.
    pub global: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops to be one.
    pub expires_at: Option<Timestamp>,
    /// How long after its making that was asked to be; zero if not.
    pub expiration_ttl: SignedDuration,
}

impl Token {
    /// What Nomad shows as `Hash`.
    pub fn fingerprint(&self) -> String {
        let global = if self.global { "global" } else { "local" };
        let named = self.policies.iter().map(String::as_str);
        let roles = self.roles.iter().map(String::as_str);
        let first = [self.name.as_str(), self.kind.as_str()];
        fingerprint(first.into_iter().chain(named).chain([global]).chain(roles))
    }

    /// Whether it is none any more.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// What a client says of a token.
#[derive(Clone, Debug, Default)]
pub struct TokenSpec {
    /// Its label.
    pub name: String,
    /// Its type, as sent.
    pub kind: String,
    /// Its policies.
    pub policies: Vec<String>,
    /// Its roles, by id or, where that is empty, by name.
    pub roles: Vec<(String, String)>,
    /// Whether it counts in every region.
    pub global: bool,
    /// When it is to expire.
    pub expires_at: Option<Timestamp>,
    /// How long after its making it is to expire; zero for not.
    pub expiration_ttl: SignedDuration,
}

/// A token that was made, with the only copy of its secret.
pub struct Created {
    /// The token as stored.
    pub token: Arc<Stored<Token>>,
    /// Its secret.
    pub secret: String,
}

/// Makes a token. Whatever is wrong with what is asked is told at once.
pub async fn create(cp: &ControlPlane, spec: &TokenSpec) -> Result<Created> {
    let created_at = cp.clock.now();
    let (kind, mut problems) = judged(spec);
    let expires_at = match spec.expires_at {
        None if spec.expiration_ttl > SignedDuration::ZERO => Some(
            created_at
                .saturating_add(spec.expiration_ttl)
                .unwrap_or(Timestamp::MAX),
        ),
        given => given,
    };
    if spec.expiration_ttl < SignedDuration::ZERO {
        let ttl = in_go(spec.expiration_ttl);
        problems.push(format!(
            "token expiration TTL '{ttl}' should not be negative"
        ));
    }
    if let Some(at) = expires_at {
        problems.extend(expiry_problem(created_at, at));
    }
    refuse(problems)?;
    let state = cp.state();
    let secret = cp.chance.uuid().to_string();
    let token = Token {
        accessor: cp.chance.uuid().to_string(),
        secret: SecretHash::of(&secret),
        name: spec.name.clone(),
        kind,
        policies: spec.policies.clone(),
        roles: roles(&state, spec)?,
        global: spec.global,
        created_at,
        expires_at,
        expiration_ttl: spec.expiration_ttl,
    };
    let mut transaction = Transaction::default();
    let key = keys::token(&token.accessor);
    transaction.guards.push(Guard::Absent(key.clone()));
    transaction.put(key, &token)?;
    cp.commit(transaction).await?;
    let token = stored(&cp.state(), &token.accessor)?;
    Ok(Created { token, secret })
}

/// Changes name, type, policies and roles of a token; its secret, its region and its end stay.
pub async fn update(
    cp: &ControlPlane,
    accessor: &str,
    spec: &TokenSpec,
) -> Result<Arc<Stored<Token>>> {
    loop {
        let state = cp.state();
        let Some(seen) = state.token(accessor) else {
            return Err(Fault::UnfitForAccess(format!("cannot find token {accessor}")).into());
        };
        let (kind, mut problems) = judged(spec);
        if spec.global != seen.row.global {
            problems.push("cannot toggle global mode".to_owned());
        }
        let same_ttl =
            [SignedDuration::ZERO, seen.row.expiration_ttl].contains(&spec.expiration_ttl);
        if !same_ttl {
            problems.push("cannot update expiration TTL".to_owned());
        }
        if spec.expires_at.is_some() && spec.expires_at != seen.row.expires_at {
            problems.push("cannot update expiration time".to_owned());
        }
        refuse(problems)?;
        let token = Token {
            name: spec.name.clone(),
            kind,
            policies: spec.policies.clone(),
            roles: roles(&state, spec)?,
            ..seen.row.clone()
        };
        let mut transaction = Transaction::default();
        let key = keys::token(accessor);
        transaction
            .guards
            .push(Guard::At(key.clone(), seen.modified));
        transaction.put(key, &token)?;
        if cp.commit(transaction).await?.is_some() {
            return stored(&cp.state(), accessor);
        }
    }
}

/// Takes a token away: whoever has it may do nothing with it from now on.
pub async fn delete(cp: &ControlPlane, accessor: &str) -> Result<Index> {
    loop {
        let state = cp.state();
        let Some(seen) = state.token(accessor) else {
            let text = format!("Cannot delete nonexistent tokens: {accessor}");
            return Err(Fault::UnfitForAccess(text).into());
        };
        if let Some(index) = cp.commit(removal(seen)).await? {
            return Ok(index);
        }
    }
}

/// Forgets the tokens that have expired.
pub async fn expire(cp: &ControlPlane) -> Result<()> {
    let now = cp.clock.now();
    let state = cp.state();
    for token in state.tokens().filter(|token| token.row.has_expired(now)) {
        cp.commit(removal(token)).await?;
    }
    Ok(())
}

fn removal(token: &Stored<Token>) -> Transaction {
    let key = keys::token(&token.row.accessor);
    Transaction {
        guards: vec![Guard::At(key.clone(), token.modified)],
        writes: vec![Write::Delete(key)],
    }
}

/// The type that is asked for, and all that is wrong whether the token is new or not.
fn judged(spec: &TokenSpec) -> (TokenKind, Vec<String>) {
    let mut problems = Vec::new();
    if is_too_long(&spec.name) {
        problems.push("token name too long".to_owned());
    }
    let has_any = !(spec.policies.is_empty() && spec.roles.is_empty());
    let kind = match (spec.kind.as_str(), has_any) {
        ("client", true) => TokenKind::Client,
        ("client", false) => {
            problems.push("client token missing policies or roles".to_owned());
            TokenKind::Client
        }
        ("management", false) => TokenKind::Management,
        ("management", true) => {
            problems
                .push("management token cannot be associated with policies or roles".to_owned());
            TokenKind::Management
        }
        _ => {
            problems.push("token type must be client or management".to_owned());
            TokenKind::Client
        }
    };
    let overlong = spec
        .policies
        .iter()
        .find(|name| name.len() > MOST_CHARACTERS);
    problems
        .extend(overlong.map(|_| "a policy's name is longer than any policy's can be".to_owned()));
    (kind, problems)
}

fn expiry_problem(created_at: Timestamp, at: Timestamp) -> Option<String> {
    let life = at.duration_since(created_at);
    if life.is_negative() {
        return Some("expiration time cannot be before create time".to_owned());
    }
    let (bound, word) = match life {
        short if short < SHORTEST_LIFE => (SHORTEST_LIFE, "less"),
        long if long > LONGEST_LIFE => (LONGEST_LIFE, "more"),
        _ => return None,
    };
    let (bound, life) = (in_go(bound), in_go(life));
    Some(format!(
        "expiration time cannot be {word} than {bound} in the future (was {life})"
    ))
}

fn refuse(problems: Vec<String>) -> Result<()> {
    match problems.is_empty() {
        true => Ok(()),
        false => {
            Err(Fault::UnfitForAccess(format!("token 0 invalid: {}", multierror(&problems))).into())
        }
    }
}

/// The ids of the roles that are asked for, each once.
fn roles(state: &State, spec: &TokenSpec) -> Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    for (id, name) in &spec.roles {
        let found = match id.is_empty() {
            true => state.role_named(name),
            false => state.role(id),
        };
        let Some(role) = found else {
            let asked = if id.is_empty() { name } else { id };
            return Err(Fault::UnfitForAccess(format!("cannot find role {asked}")).into());
        };
        if !ids.contains(&role.row.id) {
            ids.push(role.row.id.clone());
        }
    }
    Ok(ids)
}

fn stored(state: &State, accessor: &str) -> Result<Arc<Stored<Token>>> {
    let found = state.token(accessor).cloned();
    found.ok_or_else(|| Error::from(Fault::TokenNotFound))
}
