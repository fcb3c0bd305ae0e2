//! What is refused before a driver is called.

use super::{Call, CallError, Code, Origin};

/// A request that no driver is asked. The texts are Nomad's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A volume or snapshot to create has no name.
    #[error("missing Name")]
    MissingName,
    /// The upper bound of a capacity is below the lower one.
    #[error("LimitBytes cannot be less than RequiredBytes")]
    LimitBelowRequired,
    /// A volume is to be made of a snapshot and of another volume.
    #[error("one of SnapshotID or CloneID must be set if ContentSource is set")]
    TwoContentSources,
    /// A call about a volume does not say which.
    #[error("missing ExternalVolumeID")]
    MissingExternalVolumeId,
    /// A page of fewer than no entries.
    #[error("MaxEntries cannot be negative")]
    NegativeMaxEntries,
    /// A snapshot to create has no source.
    #[error("missing VolumeID")]
    MissingVolumeId,
    /// A call about a snapshot does not say which.
    #[error("missing SnapshotID")]
    MissingSnapshotId,
    /// An unpublish without a node: to CSI that would mean "from every node".
    #[error("missing NodeID")]
    MissingNodeId,
    /// A node's call has no path to stage at.
    #[error("missing stagingTargetPath")]
    MissingStagingTargetPath,
    /// A node's call has no path to publish at.
    #[error("missing targetPath")]
    MissingTargetPath,
}

impl Refused {
    /// The error of a call that was not made.
    pub(super) fn of(self, call: Call) -> CallError {
        let message = match call {
            Call::NodePublishVolume => format!("validation error: {self}"),
            _ => self.to_string(),
        };
        CallError {
            call,
            code: Code::InvalidArgument,
            message,
            origin: Origin::Here,
        }
    }
}

/// Refuses with `reason` unless `value` is something.
pub(super) fn required(value: &str, reason: Refused) -> Result<(), Refused> {
    if value.is_empty() {
        return Err(reason);
    }
    Ok(())
}
