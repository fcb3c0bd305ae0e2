//! The API as its clients see it: the generated client, a real socket, a real store, a real driver.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod server;
mod spine;
