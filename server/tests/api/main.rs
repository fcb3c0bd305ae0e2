//! The API as its clients see it: the generated client, a real socket, a real store, a real driver.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod backing;
mod blocking;
mod bodies;
mod browsers;
mod create;
mod create_refused;
mod delete;
mod deregister;
mod drafts;
mod external;
mod front;
mod growth;
mod lists;
mod plugins;
mod register;
mod rig;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod secrets;
mod server;
mod several;
mod snapshots;
mod snapshots_refused;
mod spine;
mod statuses;
mod update;
mod validation;
mod wire;
