//! What the server answers, as types of its own.
//!
//! Each type here is a schema of `openapi.yaml`, and what the handlers declare of them
//! ([`declared`](super::declared)) is compared with the document in both directions: names, presence, nullability,
//! formats. They are not the generated client's types, so that the document cannot agree with the server by being the
//! server. They borrow what they show where that is easy, and are made to be encoded once.
//!
//! A volume is encoded in two parts. Its row changes with the volume; what it shows of its plugin changes with the plugin,
//! and is the same for every volume of it. Each part encodes to a JSON object of its own, so that a flip of health encodes
//! one fragment and not a million rows. [`Volume`] and [`VolumeStub`] are the two parts together.

pub mod acl;
pub mod allocations;
pub mod blank;
pub mod claims;
pub mod doctor;
pub mod draft;
pub mod error;
pub mod events;
pub mod external;
pub mod jobs;
pub mod keyring;
pub mod namespaces;
pub mod nodes;
pub mod operations;
pub mod plugins;
pub mod search;
pub mod snapshots;
pub mod status;
pub mod testing;
pub mod volumes;

#[cfg(test)]
mod encoded;

pub use acl::{Policy, PolicyLink, PolicyStub, Role, RoleLink, Token, TokenStub};
pub use allocations::{AllocationStub, NodeAllocation};
pub use claims::Claim;
pub use doctor::{Diagnosis, Finding, PluginListing};
pub use draft::{
    DraftChildren, DraftController, DraftControllerInfo, DraftJob, DraftJobSummary, DraftNode,
    DraftNodeInfo, DraftPlugin, DraftPluginHealth, DraftPluginStub, DraftTaskGroupSummary,
    DraftTopology,
};
pub use error::Error;
pub use events::{Event, Events};
pub use external::{ExternalVolume, ExternalVolumes};
pub use jobs::{Job, JobStub, PluginConfig, Task, TaskGroup};
pub use keyring::{RootKey, RootKeyMade};
pub use namespaces::Namespace;
pub use nodes::{Fence, Node, NodeStub};
pub use operations::Operation;
pub use plugins::{ControllerInfo, JobDescription, NodeInfo, Plugin, PluginInstance, PluginStub};
pub use search::{FuzzyMatch, FuzzySearchAnswer, SearchAnswer};
pub use snapshots::{Snapshot, Snapshots};
pub use status::{AgentHealth, AgentPartHealth, AgentSelf};
pub use testing::{ClockNow, Fault, FaultList};
pub use volumes::{
    DeleteGivenUp, MountFlags, MountOptions, PluginHealth, Topology, TopologyRequirement, Volume,
    VolumeCapability, VolumeDetail, VolumePlugin, VolumeStub, VolumeSummary, VolumeUsers,
    VolumesAnswer,
};

use serde::{Serialize, Serializer};

/// Stands where Nomad's answers have secrets. It holds none and encodes as `null`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Withheld;

impl Serialize for Withheld {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}
