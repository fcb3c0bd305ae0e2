//! The commands that speak to a server, as their user sees them: a real server, real processes, in a pipe and in a
//! terminal. What they say is kept in files; `EXPECTORATE=overwrite` accepts a change.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod acl;
mod claims;
mod doctor;
mod environment;
mod failures;
mod help;
mod keyring;
mod nomad;
mod operations;
#[allow(dead_code, reason = "the tests of dev use the rest")]
#[path = "../dev/process.rs"]
mod process;
#[path = "../support/process.rs"]
mod running;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod secrets;
mod specifications;
mod story;
mod terminal;
mod told;
mod tour;
mod verify;
mod version;
mod waiting;
