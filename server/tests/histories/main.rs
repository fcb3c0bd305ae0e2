//! Random histories: what clients, operators, drivers and hosts do, in any order and at once.
#![allow(missing_docs, clippy::unwrap_used)] // clippy.toml lets tests unwrap, but not what they share

#[path = "../support/strict_driver/mod.rs"]
mod strict_driver;
