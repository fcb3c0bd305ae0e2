//! The saddlebag control plane.
pub mod csi;
pub mod driver;
pub mod http {
    //! The HTTP interface.
    pub mod contract;
}
pub mod store;
