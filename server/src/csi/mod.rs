//! Speaks CSI to storage drivers.

/// The messages and stubs of CSI v1, generated from `proto/csi.proto`.
#[allow(missing_docs, clippy::all, clippy::unwrap_used)]
pub mod v1 {
    tonic::include_proto!("csi.v1");
}
