//! The API as its clients see it: the generated client, a real socket, a real store, a real driver.

mod blocking;
mod bodies;
mod browsers;
mod create;
mod delete;
mod drafts;
mod external;
mod lists;
mod plugins;
mod register;
mod rig;
#[path = "../support/scripted_driver/mod.rs"]
mod scripted_driver;
mod secrets;
mod server;
mod snapshots;
mod spine;
mod statuses;
mod update;
mod wire;
