//! The saddlebag control plane.
pub mod csi;
pub mod driver;
pub mod store;
