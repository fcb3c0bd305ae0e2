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
    /// Whose namespace is checked; `None` exactly when `namespace` is empty.
    pub checked: Option<Checked>,
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

/// Whose namespace is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The request's.
    Request,
    /// That of each volume or operation concerned.
    Volume,
}
