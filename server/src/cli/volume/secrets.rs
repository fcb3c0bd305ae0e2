//! Secrets and parameters that are given with a command.

use crate::cli::failure::Failure;
use crate::csi::Secret;
use std::collections::BTreeMap;

/// `KEY=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

/// Secrets that were given as `KEY=VALUE`, by key. What is wrong with one is told without showing it.
pub(super) fn by_key(secrets: &[Secret]) -> Result<BTreeMap<String, String>, Failure> {
    let pairs = secrets.iter().map(|secret| pair(secret.expose()));
    pairs
        .collect::<Result<_, String>>()
        .map_err(|problem| Failure::usage(format!("a --secret {problem}")))
}

/// The header that carries the secrets of a call without a body; nothing without secrets.
pub(super) fn header(secrets: &[Secret]) -> Result<Option<String>, Failure> {
    let mut pairs = Vec::new();
    for (key, value) in by_key(secrets)? {
        if [&key, &value]
            .iter()
            .any(|it| it.contains(|c: char| c == ',' || c.is_control()))
        {
            return Err(Failure::usage(format!(
                "the secret {key:?} cannot be sent with this command: it has a comma or a control character"
            )));
        }
        pairs.push(format!("{key}={value}"));
    }
    Ok((!pairs.is_empty()).then(|| pairs.join(",")))
}
