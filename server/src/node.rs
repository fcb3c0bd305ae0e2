//! Nodes: the hosts beside which drivers run.

mod fence;
pub(crate) mod paths;
mod row;

pub use fence::{fence, unfence};
pub use row::{Fenced, Node};
