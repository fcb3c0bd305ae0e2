//! Operations: changes at storage that are intended, under way, or ended.
//!
//! A request that needs a driver to change something commits an operation and waits for its end; the
//! worker beside the driver's socket acts on it and commits the outcome. What may be relied on:
//!
//! - at most one operation is under way on a volume, and one on a snapshot (`store::keys`);
//! - an operation that was committed ends by the driver's word or by an operator's, never by a
//!   client that left or a crash;
//! - its secrets are erased by the commit that ends it.
//!
//! ```text
//!              ┌──unclear──┐
//!              ▼           │
//! intended ─► waiting ─────┘
//!    │           ├─── done ────► done
//!    └───────────┼─── refused ─► failed
//!                └─── given up ► abandoned
//! ```

mod progress;
mod row;

pub use progress::{Event, Progress, Refused, Trouble};
pub use row::{Kind, Operation, Outcome, SnapshotTaken, Subject};
pub mod verbs;
