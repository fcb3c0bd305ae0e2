//! `saddlebag serve` and `saddlebag config` as an operator sees them: real processes, files, signals,
//! drivers and datagrams.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod alive;
mod audit;
mod audit_file;
mod canaries;
mod certificates;
mod check;
mod data;
mod double;
mod flooded;
#[path = "../support/floods.rs"]
mod floods;
mod help;
mod locked;
mod logs;
mod manager;
#[path = "../support/process.rs"]
mod process;
mod reload;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod site;
mod stopping;
mod tls;
mod unit;
