//! What clients send in bodies: the requests of the document, decoded and not judged.
//!
//! What may be relied on:
//!
//! - a request holds what its client may set. What only the server sets (claims, health, indexes,
//!   times) is accepted, since Nomad's clients send it, and dropped here;
//! - absent and `null` read the same, and so does Go's zero value where a field is no `Option`;
//! - no secret can be printed.

mod acl;
mod capability;
mod claims;
mod envelope;
mod namespaces;
mod schema;
mod search;
mod snapshots;
mod testing;
mod topology;
mod volumes;

pub use acl::{BootstrapRequest, PolicyRequest, RoleRequest, TokenRequest};
pub use capability::{CapabilityRequest, MountOptionsRequest};
pub use claims::ClaimRequest;
pub use envelope::Envelope;
pub use namespaces::NamespaceRequest;
pub use search::{FuzzySearchRequest, SearchRequest};
pub use snapshots::{SnapshotRequest, SnapshotsRequest};
pub use testing::{ClockRequest, FaultsRequest};
pub use topology::{TopologyRequest, TopologySegmentsRequest};
pub use volumes::{VolumeRequest, VolumesRequest};
