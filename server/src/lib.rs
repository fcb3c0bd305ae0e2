//! The saddlebag control plane.
pub mod cli;
pub mod csi;
pub mod driver;
pub mod store;
