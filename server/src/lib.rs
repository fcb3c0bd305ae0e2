//! The saddlebag control plane.
pub mod csi;
pub mod driver;
pub mod http {
    //! The HTTP API.
    pub mod wire;
}
pub mod store;
