//! The API as its clients see it: the generated client, a real socket, a real store, a real driver.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod blocking;
mod bodies;
mod browsers;
mod create;
mod delete;
#[path = "../store/disk.rs"]
#[allow(dead_code, reason = "what loses power is tested with the store")]
mod disk;
mod drafts;
mod driven;
mod examples;
mod external;
mod faults;
mod health;
mod killed;
mod lists;
mod operations;
mod plugins;
mod process;
mod recovery;
mod register;
mod rig;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod secrets;
mod server;
mod shape;
mod snapshots;
mod spine;
<<<<<<< HEAD
mod statuses;
mod turns;
mod update;
mod wire;
=======
mod world;
>>>>>>> contract
