//! The command line as its user sees it: real processes, real signals, real pipes.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod data;
mod double;
mod drivers;
mod full;
mod greeting;
mod help;
mod mounts;
mod process;
mod refusals;
mod requests;
#[path = "../support/process.rs"]
mod running;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod seeded;
mod stopping;
mod store;
