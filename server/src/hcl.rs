//! HCL as files and policies are written in it, and JSON, which HCL takes as well: a tree of values with
//! their places.
//!
//! - Volume specifications and access control policies hold values only, in the syntax of HCL 1, of
//!   HCL 2, or mixed. What would have to be computed is refused.
//! - Whatever a text holds, reading it needs little stack and ends.
//! - What is wrong is told with its place.

mod escape;
mod node;
mod place;
mod reader;

pub(crate) use node::{Entry, Node, Value, normal, refuse_repeated, suggestion, texts_by_key};
pub(crate) use place::{Place, Problem, Wrong};
pub(crate) use reader::{parse, parse_labelled};

/// Deeper than any text of ours goes; what goes deeper is refused, so that reading it needs little stack.
pub(crate) const DEEPEST: usize = 32;
