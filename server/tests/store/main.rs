//! The store: what every implementation must do, and what the embedded one must survive.

mod conformance;
mod crash;
mod damage;
mod disk;
mod failure;
mod file;
mod following;
mod limits;
mod model;
mod place;
