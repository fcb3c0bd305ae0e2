//! The built-in driver over its real socket, as any orchestrator would use it.
//!
//! Run as root these tests cover bind mounts, otherwise symbolic links; the promises are the same.

#![allow(clippy::unwrap_used)] // the whole crate is tests

mod busy;
mod capacity;
mod command;
mod copies;
#[path = "../support/folder.rs"]
mod folder;
mod killed;
mod node;
mod requests;
mod restart;
mod rig;
mod targets;
mod volumes;
