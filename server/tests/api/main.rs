//! The API as its clients see it: the generated client, a real socket, a real store, a real driver.

#[path = "../store/disk.rs"]
#[allow(dead_code, reason = "what loses power is tested with the store")]
mod disk;
mod driven;
mod expiry;
mod faults;
mod health;
mod killed;
mod operations;
mod process;
mod recovery;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod server;
mod spine;
mod turns;
