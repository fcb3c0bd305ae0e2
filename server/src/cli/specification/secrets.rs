//! Where secrets are read from: `secrets_from { password { file = "/run/secrets/db" } }`.

use crate::hcl::{Entry, Problem, normal};
use saddlebag_client::types::{SecretReference, SecretsFromRequest};

/// Adds the references of a block to those that were read. Each names one place.
pub(super) fn references(entry: &Entry, into: &mut SecretsFromRequest) -> Result<(), Problem> {
    for secret in entry.blocks()?.into_iter().flatten() {
        let reference = reference(secret)?;
        if into.0.insert(secret.key.clone(), reference).is_some() {
            let text = format!("`{}` is given a second time", secret.key);
            return Err(Problem::at(secret.place, text));
        }
    }
    Ok(())
}

fn reference(secret: &Entry) -> Result<SecretReference, Problem> {
    let mut reference = SecretReference::default();
    let places: Vec<&Entry> = secret.blocks()?.into_iter().flatten().collect();
    for place in places {
        let named = place.node.optional_text()?;
        let known = match normal(&place.key).as_str() {
            "file" => &mut reference.file,
            "env" => &mut reference.env,
            "credential" => &mut reference.credential,
            _ => return Err(place.unknown("`secrets_from`", &["file", "env", "credential"])),
        };
        if std::mem::replace(known, named).is_some() {
            let text = format!("`{}` is given a second time", place.key);
            return Err(Problem::at(place.place, text));
        }
    }
    let SecretReference {
        file,
        env,
        credential,
    } = &reference;
    match [file, env, credential].into_iter().flatten().count() {
        1 => Ok(reference),
        _ => Err(secret.node.problem(
            "one place is needed, such as { file = \"/run/secrets/db\" }, { env = \"DB_PASSWORD\" } or { credential = \"db\" }",
        )),
    }
}
