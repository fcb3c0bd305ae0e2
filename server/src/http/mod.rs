//! HTTP in front of the domain.
pub mod edge;
pub mod request;
