//! Every operation of the document, as an enum that the server matches without a wildcard: an operation that is added to
//! the document and nowhere else does not compile.

include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// What a caller needs to perform an operation, once access control is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Any one of these namespace capabilities. Empty: none is needed.
    pub namespace: &'static [&'static str],
    /// What a policy has to allow on plugins.
    pub plugin: Option<PluginPolicy>,
    /// What a policy has to allow on nodes.
    pub node: Option<NodePolicy>,
    /// What a policy has to allow on agents.
    pub agent: Option<AgentPolicy>,
    /// Whose namespace is checked; `None` exactly when `namespace` is empty.
    pub checked: Option<Checked>,
    /// Whose token it takes, whatever its policies say.
    pub token: Option<TokenNeeded>,
}

/// What a policy allows on plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginPolicy {
    /// To list them.
    List,
    /// To read and use them, and to list them.
    Read,
}

/// What a policy allows on nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodePolicy {
    /// To list and read them.
    Read,
    /// To change them, and to read them.
    Write,
}

/// What a policy allows on agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgentPolicy {
    /// To read them.
    Read,
    /// To change them, and to read them.
    Write,
}

/// Whose token an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenNeeded {
    /// Anybody's, or none. What the answer shows is what the caller may see.
    Any,
    /// A management token, or the one that the operation is about, or has it.
    Own,
    /// A management token.
    Management,
}

/// Whose namespace is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The request's.
    Request,
    /// That of each volume or operation concerned.
    Volume,
    /// The one that the path names.
    Path,
}
