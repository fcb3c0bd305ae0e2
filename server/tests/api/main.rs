//! The API as its clients see it: the generated client, a real socket, a real store, a real driver.

mod examples;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod server;
mod shape;
mod spine;
mod world;
