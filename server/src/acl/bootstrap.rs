//! The first token.

use super::{Created, SecretHash, Token, TokenKind};
use crate::control::ControlPlane;
use crate::error::{Fault, Result};
use crate::store::{Guard, Transaction, keys};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// That the first token was made. Its row is never removed, whatever becomes of the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Bootstrap {
    /// The token's accessor.
    pub accessor: String,
}

/// Makes the first management token, once. Its secret is the one given, a UUID, or a new one.
///
/// An operator who has lost every management token writes the index that the refusal names into
/// `acl-bootstrap-reset` in the data folder: then it can be done once more, as with Nomad.
pub async fn bootstrap(cp: &ControlPlane, secret: &str) -> Result<Created> {
    let secret = match secret {
        "" => cp.chance.uuid(),
        given => Uuid::try_parse(given)
            .map_err(|_| Fault::UnfitForAccess("invalid acl token".to_owned()))?,
    };
    let secret = secret.hyphenated().to_string();
    let state = cp.state();
    let key = keys::bootstrap();
    let guard = match state.bootstrapped() {
        None => Guard::Absent(key.clone()),
        Some(done) if reset_index(cp) == Some(done.0) => Guard::At(key.clone(), done),
        Some(done) => {
            let text = format!("ACL bootstrap already done (reset index: {done})");
            return Err(Fault::UnfitForAccess(text).into());
        }
    };
    let token = Token {
        accessor: cp.chance.uuid().to_string(),
        secret: SecretHash::of(&secret),
        name: "Bootstrap Token".to_owned(),
        kind: TokenKind::Management,
        policies: Vec::new(),
        roles: Vec::new(),
        global: true,
        created_at: cp.clock.now(),
        expires_at: None,
        expiration_ttl: SignedDuration::ZERO,
    };
    let mut transaction = Transaction::default();
    transaction.guards.push(guard);
    let accessor = token.accessor.clone();
    transaction.put(key, &Bootstrap { accessor })?;
    transaction.put(keys::token(&token.accessor), &token)?;
    cp.commit(transaction).await?;
    let state = cp.state();
    match state.token(&token.accessor).cloned() {
        Some(token) => Ok(Created { token, secret }),
        // Another was faster.
        None => Err(Fault::UnfitForAccess(match state.bootstrapped() {
            Some(done) => format!("ACL bootstrap already done (reset index: {done})"),
            None => "ACL bootstrap already done".to_owned(),
        })
        .into()),
    }
}

/// The index that an operator allows to begin anew at, if he does.
fn reset_index(cp: &ControlPlane) -> Option<u64> {
    let state = cp.state();
    let folder = &state.node(&cp.node)?.row.data_dir;
    let text = std::fs::read_to_string(folder.join("acl-bootstrap-reset")).ok()?;
    text.trim().parse().ok()
}
