//! How far an operation may be tried without harm to a server that does what it should.

use saddlebag_client::operations::Operation;

/// How far an operation is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By every request: it reads, or it is about what is made for it, or about nothing that exists.
    Whole,
    /// By bodies alone that nobody can carry out.
    Unreadable,
    /// Not at all, for this reason.
    Not(&'static str),
}

/// What a run may do.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// It may make things of its own.
    pub write: bool,
    /// Access control is on at the server, or nobody knows.
    pub acl: bool,
}

impl Reach {
    /// How far this operation is tried.
    #[must_use]
    pub fn of(operation: Operation, allowed: Allowed) -> Self {
        if operation.tag() == "testing" {
            return Reach::Not("only test servers have it, and it changes how they answer");
        }
        match operation {
            Operation::BootstrapAcl | Operation::BootstrapAclByPost if allowed.acl => {
                Reach::Not("it makes the first token, which nobody can take back")
            }
            _ if allowed.write || operation.method() == "GET" || is_about_the_named(operation) => {
                Reach::Whole
            }
            _ => Reach::Unreadable,
        }
    }
}

/// Whether an operation that is not GET reads only, or does nothing where the ids in it are of nothing.
fn is_about_the_named(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::BootstrapAcl
            | Operation::BootstrapAclByPost
            | Operation::Search
            | Operation::SearchByPost
            | Operation::FuzzySearch
            | Operation::FuzzySearchByPost
            | Operation::DeregisterVolume
            | Operation::DeleteVolume
            | Operation::DetachVolume
            | Operation::ClaimVolume
            | Operation::ReleaseClaim
            | Operation::RetryClaims
            | Operation::DeleteSnapshot
            | Operation::SnapshotVolume
            | Operation::CreateSnapshots
            | Operation::CreateSnapshotsByPost
            | Operation::CreateSnapshotOf
            | Operation::FenceNode
            | Operation::UnfenceNode
            | Operation::AbandonOperation
            | Operation::RetryOperation
            | Operation::DeleteNamespace
            | Operation::DeleteToken
            | Operation::DeletePolicy
            | Operation::DeleteRole
    )
}
