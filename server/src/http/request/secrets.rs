//! Secrets on their way from a request to the domain.

use std::{collections::BTreeMap, fmt};

/// Secrets of a request: never printed, compared or written.
#[derive(Clone, Default)]
pub struct SecretsIn(BTreeMap<String, String>);

impl SecretsIn {
    /// Takes them in.
    pub fn new(secrets: BTreeMap<String, String>) -> Self {
        Self(secrets)
    }

    /// Hands them on, to be given to a driver or encrypted and nothing else.
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }
}

impl fmt::Debug for SecretsIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}
