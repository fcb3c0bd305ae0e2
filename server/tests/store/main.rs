//! The store: what every implementation must do, and what the embedded one must survive.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod backup;
mod conformance;
mod crash;
mod damage;
mod disk;
mod failure;
mod file;
mod following;
mod limits;
mod migration;
mod model;
mod place;
