//! Nodes: the hosts beside which drivers run.

mod fence;
mod row;

pub use fence::{fence, unfence};
pub use row::{Fenced, Node};
