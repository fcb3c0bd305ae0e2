//! What finishes unfinished things.
//!
//! A worker takes no input: woken by a change of state, a timer or a kick, it does the next step of
//! each unfinished thing whose driver it is near to. So the way of every day is the way of recovery:
//! after a crash, or a client that left, it sees unfinished work in the state and goes on.
//!
//! - [`controller`]: operations and attachments, at the controllers of their plugins;
//! - [`node`]: what is staged and published on a node, at the Node services beside it;
//! - [`settle`]: claims and attachments, where no driver has to be asked;
//! - [`health`]: what driver sockets say of themselves;
//! - [`expiry`]: operations and claims that ended long ago;
//! - [`rekey`]: what an older data key sealed.

mod attach;
pub mod backoff;
pub mod controller;
mod drivers;
pub mod expiry;
mod fault;
mod folders;
pub mod health;
mod later;
mod mount;
mod mounted;
pub mod node;
mod outcome;
mod record;
pub mod rekey;
pub mod settle;
mod step;
mod steps;
mod told;

pub use drivers::Drivers;
pub use fault::fault_of;
pub use steps::{Running, Steps};
