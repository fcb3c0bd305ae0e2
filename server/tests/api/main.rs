//! The API as its clients see it: the generated client, a real socket, a real store, a real driver.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod backing;
mod blocking;
mod bodies;
mod browsers;
mod claimed;
mod claiming;
mod claims;
mod claims_admitted;
mod claims_finished;
mod claims_growth;
mod claims_http;
mod claims_let_go;
mod claims_modes;
mod claims_nodes;
mod claims_nomad;
mod claims_seen;
mod conformance;
mod create;
mod create_refused;
mod delete;
mod deregister;
#[path = "../store/disk.rs"]
#[allow(dead_code, reason = "what loses power is tested with the store")]
mod disk;
mod disks;
mod doctor;
mod drafts;
mod driven;
mod examples;
mod expiry;
mod external;
mod false_fences;
mod faults;
mod front;
mod given_up;
mod growth;
mod health;
mod killed;
mod lists;
mod operation_pages;
mod operations;
mod plugins;
mod process;
mod recovery;
mod register;
mod reverse;
mod rig;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod secrets;
mod server;
mod several;
mod shape;
mod snapshots;
mod snapshots_refused;
mod spine;
mod statuses;
mod turns;
mod update;
mod validation;
mod wire;
mod world;
