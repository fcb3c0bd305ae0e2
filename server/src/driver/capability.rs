//! How volumes may be used: access types, access modes and mount flags.

use super::Refusal;
use crate::csi::v1::{self, volume_capability::AccessType, volume_capability::access_mode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a volume consists of. A volume asked for both ways has both, side by side: what is written
/// to the one is not seen in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Content {
    /// A directory, for access type mount.
    Directory,
    /// A raw file, for access type block.
    File,
}

impl Content {
    /// Its name beside the record.
    pub(super) fn entry(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File => "block",
        }
    }

    /// The CSI access type that it serves.
    pub(super) fn access_type(self) -> &'static str {
        match self {
            Self::Directory => "mount",
            Self::File => "block",
        }
    }
}

/// CSI's access modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    SingleNodeWriter,
    SingleNodeReaderOnly,
    MultiNodeReaderOnly,
    MultiNodeSingleWriter,
    MultiNodeMultiWriter,
    SingleNodeSingleWriter,
    SingleNodeMultiWriter,
}

impl Mode {
    /// Whether several nodes may have the volume at once.
    pub(super) fn is_multi_node(self) -> bool {
        match self {
            Self::MultiNodeReaderOnly
            | Self::MultiNodeSingleWriter
            | Self::MultiNodeMultiWriter => true,
            Self::SingleNodeWriter
            | Self::SingleNodeReaderOnly
            | Self::SingleNodeSingleWriter
            | Self::SingleNodeMultiWriter => false,
        }
    }

    /// Whether a volume may be published at several target paths of one node at once.
    pub(super) fn allows_many_targets(self) -> bool {
        self.is_multi_node() || self == Self::SingleNodeMultiWriter
    }

    /// Whether nobody may write.
    pub(super) fn is_reader_only(self) -> bool {
        matches!(self, Self::SingleNodeReaderOnly | Self::MultiNodeReaderOnly)
    }

    fn parse(mode: i32) -> Option<Self> {
        Some(match access_mode::Mode::try_from(mode).ok()? {
            access_mode::Mode::Unknown => return None,
            access_mode::Mode::SingleNodeWriter => Self::SingleNodeWriter,
            access_mode::Mode::SingleNodeReaderOnly => Self::SingleNodeReaderOnly,
            access_mode::Mode::MultiNodeReaderOnly => Self::MultiNodeReaderOnly,
            access_mode::Mode::MultiNodeSingleWriter => Self::MultiNodeSingleWriter,
            access_mode::Mode::MultiNodeMultiWriter => Self::MultiNodeMultiWriter,
            access_mode::Mode::SingleNodeSingleWriter => Self::SingleNodeSingleWriter,
            access_mode::Mode::SingleNodeMultiWriter => Self::SingleNodeMultiWriter,
        })
    }
}

/// One way to use a volume.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Capability {
    pub(super) content: Content,
    pub(super) mode: Mode,
    /// Kept to compare requests with. A directory has the file system that it lies on.
    pub(super) fs_type: String,
    /// May be sensitive (CSI), so never printed.
    pub(super) mount_flags: Vec<String>,
}

impl Capability {
    /// The capability that a request must carry.
    pub(super) fn required(sent: Option<&v1::VolumeCapability>) -> Result<Self, Refusal> {
        Self::parse(sent.ok_or(Refusal::Missing("volume_capability"))?)
    }

    /// A capability as it was sent, if this driver can honour it.
    pub(super) fn parse(sent: &v1::VolumeCapability) -> Result<Self, Refusal> {
        let mode = sent
            .access_mode
            .as_ref()
            .ok_or(Refusal::Missing("volume_capability.access_mode"))?;
        let mode = Mode::parse(mode.mode).ok_or_else(|| {
            Refusal::invalid("volume_capability.access_mode", "is unknown to this driver")
        })?;
        let (content, fs_type, mount_flags) = match &sent.access_type {
            None => return Err(Refusal::Missing("volume_capability.access_type")),
            Some(AccessType::Block(_)) => (Content::File, String::new(), Vec::new()),
            Some(AccessType::Mount(mount)) if !mount.volume_mount_group.is_empty() => {
                return Err(Refusal::invalid(
                    "volume_capability.mount.volume_mount_group",
                    "needs VOLUME_MOUNT_GROUP, which this driver lacks",
                ));
            }
            Some(AccessType::Mount(mount)) => {
                super::mounting::check_flags(&mount.mount_flags)?;
                (
                    Content::Directory,
                    mount.fs_type.clone(),
                    mount.mount_flags.clone(),
                )
            }
        };
        Ok(Self {
            content,
            mode,
            fs_type,
            mount_flags,
        })
    }

    /// Whether two uses agree in what the data is and who may use it, mount options aside.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        self.content == other.content && self.mode == other.mode
    }
}

/// What a volume must consist of to serve every capability of a list that must not be empty.
pub(super) fn contents_for(
    capabilities: &[v1::VolumeCapability],
) -> Result<BTreeSet<Content>, Refusal> {
    if capabilities.is_empty() {
        return Err(Refusal::Missing("volume_capabilities"));
    }
    capabilities
        .iter()
        .map(|sent| Capability::parse(sent).map(|capability| capability.content))
        .collect()
}
