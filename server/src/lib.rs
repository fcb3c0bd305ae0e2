//! The saddlebag control plane.
pub mod csi;
pub mod driver;
pub mod http {
    //! HTTP in front of the domain.
    pub mod edge;
    pub mod request;
}
pub mod store;
