//! `kill -9` at every point of every operation: before and after each commit, before and after each
//! call to a driver, before each answer.
//!
//! So does a death while the driver is in the middle of a call, and a second one during the recovery from
//! the first. For each operation a first run without a crash records the points that it passes. Then, for each of
//! them, the operation is run anew in a world of its own; the process is killed there and started again
//! on the same data, its client repeats what was not answered, and in the end
//!
//! - what was answered before the crash is what is answered after it;
//! - the driver has what is recorded and no more, and no claim is lost or doubled;
//! - the driver never saw the order of CSI broken;
//! - everything is at rest within a minute.
//!
//! A release build has no such points, and no such test.
#![cfg(debug_assertions)]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod matrix;
mod operation;
mod points;
#[path = "../support/process.rs"]
mod process;
mod records;
mod rotation;
#[path = "../support/strict_driver/mod.rs"]
mod strict_driver;
mod world;
