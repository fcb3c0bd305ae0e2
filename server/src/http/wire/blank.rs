//! Fields that Nomad's clients read and that say nothing here: what only a scheduler knows.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// A value that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blank {
    /// `null`.
    Null,
    /// A boolean.
    Flag(bool),
    /// `0`.
    Zero,
    /// A text, mostly empty.
    Text(&'static str),
    /// `[]`.
    List,
    /// `{}`.
    Map,
}

/// Fields of an object, laid beside those that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blanks(pub &'static [(&'static str, Blank)]);

impl Serialize for Blank {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Blank::Null => serializer.serialize_unit(),
            Blank::Flag(flag) => serializer.serialize_bool(*flag),
            Blank::Zero => serializer.serialize_u64(0),
            Blank::Text(text) => serializer.serialize_str(text),
            Blank::List => [(); 0].serialize(serializer),
            Blank::Map => Blanks(&[]).serialize(serializer),
        }
    }
}

impl Serialize for Blanks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, blank) in self.0 {
            map.serialize_entry(name, blank)?;
        }
        map.end()
    }
}

/// Of a node in a list.
pub const NODE_STUB: Blanks = Blanks(&[
    ("Datacenter", Blank::Text("dc1")),
    ("Drain", Blank::Flag(false)),
    ("Drivers", Blank::Map),
    ("HostVolumes", Blank::Map),
    ("LastDrain", Blank::Null),
    ("NodeClass", Blank::Text("")),
    ("NodePool", Blank::Text("default")),
    ("Version", Blank::Text(env!("CARGO_PKG_VERSION"))),
]);

/// Of a node.
pub const NODE: Blanks = Blanks(&[
    ("Attributes", Blank::Map),
    ("CgroupParent", Blank::Text("")),
    ("ComputedClass", Blank::Text("")),
    ("Datacenter", Blank::Text("dc1")),
    ("Drain", Blank::Flag(false)),
    ("DrainStrategy", Blank::Null),
    ("Drivers", Blank::Map),
    ("Events", Blank::List),
    ("GCVolumesOnNodeGC", Blank::Flag(false)),
    ("HostNetworks", Blank::Map),
    ("HostVolumes", Blank::Map),
    ("IdentitySigningKeyID", Blank::Text("")),
    ("LastAllocUpdateIndex", Blank::Zero),
    ("LastDrain", Blank::Null),
    ("LastMissedHeartbeatIndex", Blank::Zero),
    ("Links", Blank::Map),
    ("Meta", Blank::Map),
    ("NodeClass", Blank::Text("")),
    ("NodeMaxAllocs", Blank::Zero),
    ("NodePool", Blank::Text("default")),
    ("NodeResources", Blank::Map),
    ("ReservedResources", Blank::Map),
    ("SecretID", Blank::Text("")),
    ("StatusUpdatedAt", Blank::Zero),
]);

/// Of a job.
pub const JOB: Blanks = Blanks(&[
    ("Affinities", Blank::Null),
    ("AllAtOnce", Blank::Flag(false)),
    ("Constraints", Blank::Null),
    ("ConsulNamespace", Blank::Text("")),
    ("DispatchIdempotencyToken", Blank::Text("")),
    ("Dispatched", Blank::Flag(false)),
    ("Meta", Blank::Null),
    ("Multiregion", Blank::Null),
    ("NodePool", Blank::Text("default")),
    ("NomadTokenID", Blank::Text("")),
    ("ParameterizedJob", Blank::Null),
    ("Payload", Blank::Null),
    ("Periodic", Blank::Null),
    ("Spreads", Blank::Null),
    ("Stable", Blank::Flag(true)),
    ("UI", Blank::Null),
    ("Update", Blank::Null),
    ("VaultNamespace", Blank::Text("")),
    ("VersionTag", Blank::Null),
]);

/// Of a job in a list.
pub const JOB_STUB: Blanks = Blanks(&[
    ("Multiregion", Blank::Null),
    ("NodePool", Blank::Text("default")),
    ("ParameterizedJob", Blank::Flag(false)),
    ("Periodic", Blank::Flag(false)),
    ("Stop", Blank::Flag(false)),
    ("Version", Blank::Zero),
    ("VersionTag", Blank::Null),
]);

/// Of a task group.
pub const TASK_GROUP: Blanks = Blanks(&[
    ("Affinities", Blank::Null),
    ("Constraints", Blank::Null),
    ("Consul", Blank::Null),
    ("Disconnect", Blank::Null),
    ("EphemeralDisk", Blank::Null),
    ("MaxClientDisconnect", Blank::Null),
    ("MaxRunDuration", Blank::Null),
    ("Meta", Blank::Null),
    ("Migrate", Blank::Null),
    ("Networks", Blank::Null),
    ("PreventRescheduleOnLost", Blank::Flag(false)),
    ("ReschedulePolicy", Blank::Null),
    ("RestartPolicy", Blank::Null),
    ("Scaling", Blank::Null),
    ("Services", Blank::Null),
    ("ShutdownDelay", Blank::Null),
    ("Spreads", Blank::Null),
    ("StopAfterClientDisconnect", Blank::Null),
    ("Update", Blank::Null),
    ("Volumes", Blank::Null),
]);

/// Of a task.
pub const TASK: Blanks = Blanks(&[
    ("Actions", Blank::Null),
    ("Affinities", Blank::Null),
    ("Artifacts", Blank::Null),
    ("Config", Blank::Null),
    ("Constraints", Blank::Null),
    ("Consul", Blank::Null),
    ("DispatchPayload", Blank::Null),
    ("Env", Blank::Null),
    ("Identities", Blank::Null),
    ("Identity", Blank::Null),
    ("KillSignal", Blank::Text("")),
    ("KillTimeout", Blank::Zero),
    ("Kind", Blank::Text("")),
    ("Leader", Blank::Flag(false)),
    ("Lifecycle", Blank::Null),
    ("LogConfig", Blank::Null),
    ("Meta", Blank::Null),
    ("Resources", Blank::Null),
    ("RestartPolicy", Blank::Null),
    ("ScalingPolicies", Blank::Null),
    ("Schedule", Blank::Null),
    ("Secrets", Blank::Null),
    ("Services", Blank::Null),
    ("ShutdownDelay", Blank::Zero),
    ("Templates", Blank::Null),
    ("User", Blank::Text("")),
    ("Vault", Blank::Null),
    ("VolumeMounts", Blank::Null),
]);
