//! What can go wrong, as facts of the domain, and the one table that turns each into an answer.
//!
//! A [`Fault`] is the fact. Its text is Nomad's, to the letter, wherever Nomad has one, since clients
//! match on it. [`Fault::answer`] says for each its stable code, its true HTTP status and the status
//! that Nomad sends instead (almost always 500). An [`Error`] is a fault with the names of what it
//! concerns.
//!
//! Neither ever holds a secret: texts of drivers are cleaned where they enter (`csi`).

mod answer;
mod fault;

pub use answer::{Answer, StatusStyle};
pub use fault::Fault;

use crate::csi::UnreadableSecret;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;

/// The result of a domain verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A [`Failure`], boxed: what may fail returns no more than a pointer in place of what it made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Error(Box<Failure>);

/// A fault, and what it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Failure {
    /// What is wrong.
    pub fault: Fault,
    /// The volume concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The plugin concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The node concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The claim concerned, by its allocation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The operation concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

impl Error {
    /// Names the volume concerned, unless one is named already.
    #[must_use]
    pub fn volume(mut self, id: impl fmt::Display) -> Self {
        self.0.volume.get_or_insert_with(|| id.to_string());
        self
    }

    /// Names the plugin concerned, unless one is named already.
    #[must_use]
    pub fn plugin(mut self, id: impl fmt::Display) -> Self {
        self.0.plugin.get_or_insert_with(|| id.to_string());
        self
    }

    /// Names the node concerned, unless one is named already.
    #[must_use]
    pub fn node(mut self, id: impl fmt::Display) -> Self {
        self.0.node.get_or_insert_with(|| id.to_string());
        self
    }

    /// Names the claim concerned, unless one is named already.
    #[must_use]
    pub fn claim(mut self, allocation: impl fmt::Display) -> Self {
        self.0.claim.get_or_insert_with(|| allocation.to_string());
        self
    }

    /// Names the operation concerned, unless one is named already.
    #[must_use]
    pub fn operation(mut self, id: impl fmt::Display) -> Self {
        self.0.operation.get_or_insert_with(|| id.to_string());
        self
    }
}

impl Error {
    /// The same error about another fault, made of its own.
    #[must_use]
    pub fn map_fault(mut self, change: impl FnOnce(Fault) -> Fault) -> Self {
        let fault = std::mem::replace(&mut self.0.fault, Fault::Internal);
        self.0.fault = change(fault);
        self
    }

    /// Several items failed. What is concerned is what the first concerns.
    pub fn several(errors: Vec<Error>, done: Vec<String>) -> Self {
        let first = errors.first().cloned();
        let concerned = first.unwrap_or_else(|| Fault::Internal.into());
        Self(Box::new(Failure {
            fault: Fault::Several { errors, done },
            ..*concerned.0
        }))
    }
}

impl Deref for Error {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self(Box::new(Failure {
            fault,
            volume: None,
            plugin: None,
            node: None,
            claim: None,
            operation: None,
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for Error {}

/// Several errors as Nomad prints them (the form of Go's multierror).
///
/// One: `1 error occurred:\n\t* first\n\n`; more: `2 errors occurred:\n\t* first\n\t* second\n\n`.
/// Lines inside an item are kept as they are.
pub fn multierror(items: &[String]) -> String {
    let counted = match items.len() {
        1 => "1 error occurred:".to_owned(),
        many => format!("{many} errors occurred:"),
    };
    let listed: String = items.iter().map(|item| format!("\n\t* {item}")).collect();
    format!("{counted}{listed}\n\n")
}

impl From<UnreadableSecret> for Error {
    fn from(unreadable: UnreadableSecret) -> Self {
        Fault::HostFailed(unreadable.to_string()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::multierror;

    #[test]
    fn several_errors_read_as_nomad_prints_them() {
        let one = vec!["volume name cannot be updated".to_owned()];
        assert_eq!(
            multierror(&one),
            "1 error occurred:\n\t* volume name cannot be updated\n\n"
        );
        let two = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(multierror(&two), "2 errors occurred:\n\t* a\n\t* b\n\n");
    }
}
