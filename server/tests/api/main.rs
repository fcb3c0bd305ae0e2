//! The API as its clients see it: the generated client, a real socket, a real store, a real driver.

mod examples;
mod server;
mod shape;
mod spine;
