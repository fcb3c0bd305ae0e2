//! What finishes unfinished things.
//!
//! A worker takes no input: woken by a change of state, a timer or a kick, it does the next step of
//! each unfinished thing whose driver it is near to. So the way of every day is the way of recovery:
//! after a crash, or a client that left, it sees unfinished work in the state and goes on.
//!
//! - [`controller`]: operations, at the controllers of their plugins;
//! - [`health`]: what driver sockets say of themselves;
//! - [`expiry`]: operations that ended long ago.

pub mod backoff;
pub mod controller;
mod drivers;
pub mod expiry;

mod fault;
pub mod health;

mod outcome;
mod step;
mod told;

pub use drivers::Drivers;
pub use fault::fault_of;
