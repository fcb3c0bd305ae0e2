//! Speaks CSI to storage drivers. Nothing outside knows protobuf or gRPC.
//!
//! - A [`Connection`] is a way to one driver's socket; each call of CSI is a method of it, with a
//!   request and an answer in our own types, and a deadline.
//! - A [`CallError`] says whether the driver refused or whether the outcome is unclear
//!   ([`CallError::class`]), and has Nomad's text ([`CallError::nomad_text`]). It holds no secret.
//! - [`fingerprint()`] asks a driver what it is, [`watch()`] how it is, all the time.
//! - [`supervise()`] runs a driver that is not there by itself.

mod answer;
mod appearance;
mod backoff;
mod call;
mod capabilities;
mod capability;
mod confided;
mod connection;
mod controller;
mod deadlines;
mod endpoint;
mod error;
mod fingerprint;
mod identity;
mod node;
mod output;
mod question;
mod redact;
mod reference;
mod refused;
mod secret;
mod socket;
mod supervise;
mod text;
mod volume;
mod watch;
mod wire;

pub use call::Call;
pub use capabilities::{ControllerCapabilities, NodeCapabilities};
pub use capability::{AccessMode, AttachmentMode, Capability, MountOptions, UnknownMode};
pub use confided::Confided;
pub use connection::{CALLS_AT_ONCE, Connection, Limits};
pub use controller::{
    Capacity, ControllerExpandVolume, ControllerPublishVolume, ControllerUnpublishVolume,
    CreateSnapshot, CreateVolume, DeleteSnapshot, DeleteVolume, Expanded, GetCapacity, GetSnapshot,
    ListSnapshots, ListVolumes, NotConfirmed, ValidateVolumeCapabilities, Validation,
};
pub use deadlines::Deadlines;
pub use endpoint::{Endpoint, EndpointError, MOST_SOCKET_PATH_BYTES};
pub use error::{CallError, Class, Code, MOST_MESSAGE_BYTES, Origin};
pub use fingerprint::{Fingerprint, FingerprintError, NodeInfo, Role, fingerprint};
pub use identity::{PluginCapabilities, PluginInfo};
pub use node::{
    NodeExpandVolume, NodeGetVolumeStats, NodeIdentity, NodePublishVolume, NodeStageVolume,
    NodeUnpublishVolume, NodeUnstageVolume, Unit, Usage, VolumeStats,
};
pub use reference::{Reference, Sources, UnreadableSecret};
pub use refused::Refused;
pub use secret::{PublishContext, REDACTED, Secret, Secrets};
pub use supervise::{DriverCommand, Process, Restart, Supervisor, supervise};
pub use text::About;
pub use volume::{
    CapacityRange, Condition, ContentSource, ListedVolume, Page, Snapshot, Topology,
    TopologyRequirement, Volume,
};
pub use watch::{Observation, Pace, Watcher, watch};

/// The messages and stubs of CSI v1, generated from `proto/csi.proto`.
#[allow(missing_docs, clippy::all, clippy::unwrap_used)]
pub mod v1 {
    tonic::include_proto!("csi.v1");
}
