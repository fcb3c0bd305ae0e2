//! The facts. Every text is what a client reads.

use super::{Error, multierror};
use serde::{Deserialize, Serialize};

/// What is wrong.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Fault {
    /// The request cannot be read: its body, a parameter or a header.
    #[error("{0}")]
    Malformed(String),
    /// The request names a region that is not ours.
    #[error("No path to region")]
    UnknownRegion,
    /// The body is larger than is taken.
    #[error("{0}")]
    BodyTooLarge(String),
    /// The body takes too long to arrive.
    #[error("{0}")]
    BodyTooSlow(String),
    /// The URL is longer than is taken.
    #[error("{0}")]
    UrlTooLong(String),
    /// The URL and the headers are larger than is taken.
    #[error("{0}")]
    HeadTooLarge(String),
    /// There are as many blocked queries as there may be, or of this address.
    #[error("{0}")]
    TooManyBlocked(String),
    /// A web page of another origin asks.
    #[error("{0}")]
    ForeignOrigin(String),
    /// The caller may not do this.
    #[error("Permission denied")]
    PermissionDenied,
    /// What was sent as a token is none.
    #[error(
        "the token is no secret of a token: that is a UUID, such as `saddlebag acl token create` shows it"
    )]
    NoSecret,
    /// The token was one until a while ago.
    #[error("ACL token expired")]
    TokenExpired,
    /// Too much that is no token came from the caller's address.
    #[error(
        "Permission denied: too many requests came from this address with what is no token; \
         the next one is looked at in {seconds} s"
    )]
    TooManyFailedLogins {
        /// How long the caller has to wait.
        seconds: u64,
    },
    /// Tokens, policies and roles make no sense while access control is off.
    #[error("ACL support disabled")]
    AclDisabled,
    /// What is asked of a token, a policy or a role makes no sense.
    #[error("{0}")]
    UnfitForAccess(String),
    /// No such token.
    #[error("ACL token not found")]
    TokenNotFound,
    /// No such policy.
    #[error("ACL policy not found")]
    PolicyNotFound,
    /// No such role.
    #[error("ACL role not found")]
    RoleNotFound,
    /// No such data key.
    #[error("root key not found: {0}")]
    DataKeyNotFound(String),
    /// Something is, or will be, sealed with the data key.
    #[error("{0}")]
    DataKeyInUse(String),
    /// Reading: no such namespace.
    #[error("Namespace not found")]
    NoNamespaceToRead,
    /// Deleting: no such namespace.
    #[error("namespace not found")]
    NoNamespaceToDelete,
    /// What is asked of a namespace makes no sense.
    #[error("{0}")]
    UnfitNamespace(String),
    /// Something is in the namespace still.
    #[error("{0}")]
    NamespaceInUse(String),
    /// No such route; the text is empty or Nomad's `resource not found`.
    #[error("{0}")]
    NoSuchRoute(String),
    /// The route takes other methods.
    #[error("Invalid method")]
    MethodNotAllowed,

    /// The request holds no volumes.
    #[error("missing volume definition")]
    NoVolumes,
    /// Reading needs an id.
    #[error("missing volume ID")]
    NoVolumeId,
    /// Reading needs an id.
    #[error("missing plugin ID")]
    NoPluginId,
    /// Detaching needs a node.
    #[error("detach requires node ID")]
    NoNodeId,
    /// A snapshot in the request is null.
    #[error("snapshot cannot be nil")]
    NullSnapshot,
    /// Fields of a volume are missing or contradict each other.
    #[error("validation: {}", .0.join(", "))]
    Validation(Vec<String>),
    /// More items than one request may hold, or one of them twice.
    #[error("{0}")]
    BadItems(String),
    /// A request to a driver that need not be sent, as it would be refused (Nomad's texts).
    #[error("{0}")]
    RefusedLocally(String),
    /// Giving up needs a reason.
    #[error("giving up an operation needs a reason: say why it will never end, as ?reason=")]
    NoReason,

    /// Reading: no such volume.
    #[error("volume not found")]
    NoVolumeToRead,
    /// Changing: no such volume.
    #[error("volume not found: {0}")]
    VolumeNotFound(String),
    /// Detaching: no such volume.
    #[error("no such volume")]
    NoVolumeToDetach,
    /// Snapshotting: no such volume.
    #[error("no such volume {0:?}")]
    NoVolumeToSnapshot(String),
    /// Reading: no such plugin.
    #[error("plugin not found")]
    NoPluginToRead,
    /// Registering, creating: no such plugin.
    #[error("no CSI plugin named: {0} could be found")]
    NoPluginNamed(String),
    /// Asking a driver: no such plugin.
    #[error("no such plugin")]
    NoPluginToAsk,
    /// Snapshotting: no such plugin.
    #[error("no such plugin {0:?}")]
    NoPluginToSnapshot(String),
    /// Deleting: the volume's plugin is gone, and needed no controller.
    #[error("plugin {plugin:?} for volume {volume:?} not found")]
    PluginOfVolumeNotFound {
        /// The plugin that is gone.
        plugin: String,
        /// The volume that it held.
        volume: String,
    },
    /// The volume's namespace does not exist.
    #[error("volume {volume} is in nonexistent namespace {namespace}")]
    NamespaceNotFound {
        /// The volume.
        volume: String,
        /// Its namespace.
        namespace: String,
    },
    /// No such plugin job.
    #[error("job not found")]
    JobNotFound,
    /// No such operation, or it ended more than an hour ago.
    #[error("operation not found")]
    OperationNotFound,

    /// No such claim, or it ended more than an hour ago.
    #[error("claim not found")]
    ClaimNotFound,
    /// No such node.
    #[error("node not found: {0}")]
    NodeNotFound(String),
    /// Reading: no such node.
    #[error("node not found")]
    NoNodeToRead,
    /// Claiming, or deleting what needs a controller: the volume's plugin is gone.
    #[error("plugin not found: {0}")]
    PluginOfClaimNotFound(String),
    /// Fencing needs a reason.
    #[error(
        "fencing a node needs a reason: say how it is known that the node uses no volume any more, as ?reason="
    )]
    NoFenceReason,
    /// The claim cannot be had (Nomad's texts).
    #[error("alloc {allocation:?} failed to claim volume {volume:?}: {why}")]
    ClaimRefused {
        /// Who asked.
        allocation: String,
        /// The volume.
        volume: String,
        /// Why not.
        why: String,
    },
    /// The allocation has, or had, another claim of the volume.
    #[error("{0}")]
    ClaimConflict(String),
    /// The node is fenced.
    #[error("node {node} is fenced: {reason}. It takes claims again once it was booted anew")]
    NodeFenced {
        /// The node.
        node: String,
        /// The operator's words.
        reason: String,
    },
    /// Something on a node's host stands in the way of a volume.
    #[error("{0}")]
    HostFailed(String),
    /// A release goes on, but the caller has waited long enough.
    #[error("{what} is still under way: {why}. The same request waits for it again")]
    StillReleasing {
        /// What is released.
        what: String,
        /// Why it is not done.
        why: String,
    },

    /// The volume has claims.
    #[error("volume in use: {0}")]
    VolumeInUse(String),
    /// The claims of a node are not finished.
    #[error("{0}")]
    ClaimsLive(String),
    /// Another operation on the volume is under way that this request cannot wait for.
    #[error("volume {volume:?} is busy: {doing} is under way as operation {operation}")]
    VolumeBusy {
        /// The volume.
        volume: String,
        /// What is under way.
        doing: String,
        /// Its operation.
        operation: String,
    },
    /// The update contradicts what is stored.
    #[error("{0}")]
    UpdateConflict(String),
    /// The update names another identity.
    #[error("volume identity cannot be updated: {0}")]
    IdentityConflict(String),
    /// Another volume has this backing store.
    #[error("external ID {external_id:?} of plugin {plugin:?} already exists as volume {holder:?}")]
    ExternalIdTaken {
        /// The driver's id of the backing store.
        external_id: String,
        /// The plugin.
        plugin: String,
        /// The volume that has it.
        holder: String,
    },
    /// Other volumes share the backing store.
    #[error(
        "external ID {external_id:?} of volume {volume:?} is shared with {others}: deregister those first"
    )]
    ExternalIdShared {
        /// The driver's id of the backing store.
        external_id: String,
        /// The volume that was to be deleted.
        volume: String,
        /// The others.
        others: String,
    },
    /// The operation has ended: there is nothing to retry or to give up.
    #[error("operation {0} has ended")]
    OperationEnded(String),
    /// An operator gave the operation up.
    #[error("{what} was given up: {reason}")]
    Abandoned {
        /// What was given up.
        what: String,
        /// The operator's words.
        reason: String,
    },

    /// The driver lacks a capability.
    #[error("{0}")]
    CapabilityMissing(String),
    /// As much waits for the plugin as may.
    #[error(
        "{most} operations of CSI plugin {plugin:?} are under way or wait, and no more may: ask again later"
    )]
    PluginCrowded {
        /// The plugin.
        plugin: String,
        /// How many may.
        most: usize,
    },
    /// As many requests wait for an operation as may.
    #[error(
        "{most} requests wait for {what} (operation {operation}), and no more may: ask again later"
    )]
    OperationCrowded {
        /// What is under way.
        what: String,
        /// The operation.
        operation: String,
        /// How many may wait.
        most: usize,
    },
    /// No controller instance of the plugin is healthy.
    #[error("no healthy controllers for CSI plugin: {0}")]
    NoHealthyController(String),
    /// No instance of the plugin can be asked.
    #[error("{0}")]
    NoInstance(String),

    /// The driver says that the request is invalid.
    #[error("{0}")]
    DriverInvalid(String),
    /// The driver does not know what the request names.
    #[error("{0}")]
    DriverNotFound(String),
    /// The driver says that the request conflicts with what it has.
    #[error("{0}")]
    DriverConflict(String),
    /// The driver has no room.
    #[error("{0}")]
    DriverExhausted(String),
    /// The driver does not do this.
    #[error("{0}")]
    DriverUnimplemented(String),
    /// The driver failed.
    #[error("{0}")]
    DriverFailed(String),
    /// The driver cannot be reached, or says so.
    #[error("{0}")]
    DriverUnavailable(String),
    /// The driver did not end in time, or is busy with the same.
    #[error("{0}")]
    DriverSlow(String),

    /// The work goes on, but the caller has waited long enough.
    #[error(
        "{what} is still under way as operation {operation}: {why}. The same request waits for it again"
    )]
    StillUnderWay {
        /// What is under way.
        what: String,
        /// Its operation.
        operation: String,
        /// Why it is not done.
        why: String,
    },
    /// Several items failed; the first says how it is answered.
    #[error("{}", multierror(&.errors.iter().map(|error| error.to_string()).collect::<Vec<_>>()))]
    Several {
        /// What failed, in the order of the request.
        errors: Vec<Error>,
        /// The ids of the items that were done all the same.
        done: Vec<String>,
    },
    /// Nomad's prefix before another fault.
    #[error("{prefix}{inner}")]
    Prefixed {
        /// The words before it.
        prefix: String,
        /// The fault.
        inner: Box<Fault>,
    },

    /// What a test wants to fail makes no sense.
    #[error("{0}")]
    UnfitTest(String),
    /// A test asked for this failure.
    #[error("{message}")]
    Injected {
        /// How it is answered.
        status: u16,
        /// Its text.
        message: String,
    },

    /// The store cannot take changes now. Nothing was changed, unless the text says so.
    #[error("the store cannot take changes: {0}")]
    StoreUnavailable(String),
    /// The audit log cannot be written, and what is done without it must not be.
    #[error("{0}")]
    NotRecorded(String),
    /// A defect of ours. The cause is in the log.
    #[error("internal error")]
    Internal,
}

impl Fault {
    /// The same fault behind Nomad's words for where it arose.
    #[must_use]
    pub fn prefixed(self, prefix: impl Into<String>) -> Self {
        Self::Prefixed {
            prefix: prefix.into(),
            inner: Box::new(self),
        }
    }
}
