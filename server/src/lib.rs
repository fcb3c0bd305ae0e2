//! The saddlebag control plane.
pub mod csi;
pub mod driver;
pub mod http;
pub mod store;
