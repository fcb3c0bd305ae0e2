//! What is known now: the rows of the store in memory, as tables at an index.
//!
//! - A [`State`] never changes; each commit makes a new one that shares all it did not touch.
//! - A reader takes one and keeps it; no read waits for the store, a driver or another reader.
//! - [`Live`] holds the newest, applies commits in their order, and wakes who waits for a change.

mod acl;
mod apply;
mod claims;
mod data_keys;
mod differences;
mod entry;
mod evaluations;
mod interest;
mod journal;
mod live;
mod load;
mod operations;
mod plugins;
mod recent;
mod row;
mod select;
mod tables;
mod touched;
mod volumes;

pub use apply::readable;
pub use entry::VolumeEntry;
pub use evaluations::{Evaluated, Evaluations, Seat};
pub use interest::{Interest, VolumeQuery};
pub use journal::Step;
pub use live::{Attention, Live};
pub use load::LoadError;
pub use recent::ListOf;
pub use row::Unreadable;
pub use select::Order;
pub use tables::{State, Stored};
pub use touched::Touched;
