//! The API as its clients see it: the generated client, a real socket, a real store, a real driver.

mod examples;
mod reverse;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod server;
mod shape;
mod spine;
mod world;
