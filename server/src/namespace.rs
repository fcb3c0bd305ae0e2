//! Namespaces: what keeps the volumes of one team apart from another's.

use crate::id::Namespace;
use serde::{Deserialize, Serialize};

/// A namespace as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NamespaceRow {
    /// Its name.
    pub name: Namespace,
    /// What it is for.
    pub description: String,
}
