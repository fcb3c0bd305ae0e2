//! How a volume may be used: CSI's `VolumeCapability` in Nomad's words.

use super::{REDACTED, v1};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use v1::volume_capability::{AccessType, BlockVolume, MountVolume, access_mode::Mode};

/// A mode that Nomad's API does not have. The texts are Nomad's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownMode {
    /// Not one of [`AccessMode::ALL`].
    #[error("unknown volume access mode: {0}")]
    Access(String),
    /// Not one of [`AttachmentMode::ALL`].
    #[error("unknown volume attachment mode: {0}")]
    Attachment(String),
}

/// How many nodes may hold a volume, and whether they may write.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum AccessMode {
    /// One node, reading and writing. CSI leaves open how many users there; here any number (the
    /// driver may allow fewer).
    SingleNodeWriter,
    /// One node, reading.
    SingleNodeReaderOnly,
    /// Many nodes, reading.
    MultiNodeReaderOnly,
    /// Many nodes, of which one writes.
    MultiNodeSingleWriter,
    /// Many nodes, reading and writing.
    MultiNodeMultiWriter,
    /// One user on one node, reading and writing (CSI 1.5).
    SingleNodeSingleWriter,
    /// Many users on one node, reading and writing (CSI 1.5).
    SingleNodeMultiWriter,
}

impl AccessMode {
    /// Every mode: the five that Nomad's API has, and CSI's two younger ones.
    pub const ALL: [Self; 7] = [
        Self::SingleNodeWriter,
        Self::SingleNodeReaderOnly,
        Self::MultiNodeReaderOnly,
        Self::MultiNodeSingleWriter,
        Self::MultiNodeMultiWriter,
        Self::SingleNodeSingleWriter,
        Self::SingleNodeMultiWriter,
    ];

    /// Its word: Nomad's where Nomad has one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SingleNodeWriter => "single-node-writer",
            Self::SingleNodeReaderOnly => "single-node-reader-only",
            Self::MultiNodeReaderOnly => "multi-node-reader-only",
            Self::MultiNodeSingleWriter => "multi-node-single-writer",
            Self::MultiNodeMultiWriter => "multi-node-multi-writer",
            Self::SingleNodeSingleWriter => "single-node-single-writer",
            Self::SingleNodeMultiWriter => "single-node-multi-writer",
        }
    }

    /// The mode as a driver is told it: one that does not know SINGLE_NODE_MULTI_WRITER must not
    /// be told the two modes that came with it, and takes SINGLE_NODE_WRITER for both (CSI,
    /// `VolumeCapability.AccessMode`).
    #[must_use]
    pub const fn known_to(self, single_node_multi_writer: bool) -> Self {
        match self {
            Self::SingleNodeSingleWriter | Self::SingleNodeMultiWriter
                if !single_node_multi_writer =>
            {
                Self::SingleNodeWriter
            }
            known => known,
        }
    }

    pub(super) const fn to_message(self) -> Mode {
        match self {
            Self::SingleNodeWriter => Mode::SingleNodeWriter,
            Self::SingleNodeReaderOnly => Mode::SingleNodeReaderOnly,
            Self::MultiNodeReaderOnly => Mode::MultiNodeReaderOnly,
            Self::MultiNodeSingleWriter => Mode::MultiNodeSingleWriter,
            Self::MultiNodeMultiWriter => Mode::MultiNodeMultiWriter,
            Self::SingleNodeSingleWriter => Mode::SingleNodeSingleWriter,
            Self::SingleNodeMultiWriter => Mode::SingleNodeMultiWriter,
        }
    }
}

impl FromStr for AccessMode {
    type Err = UnknownMode;

    fn from_str(word: &str) -> Result<Self, UnknownMode> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == word)
            .ok_or_else(|| UnknownMode::Access(word.to_owned()))
    }
}

impl fmt::Display for AccessMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a volume looks like to its user.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentMode {
    /// A mounted directory (CSI `mount`).
    FileSystem,
    /// A raw block device (CSI `block`).
    BlockDevice,
}

impl AttachmentMode {
    /// Every mode that Nomad's API has.
    pub const ALL: [Self; 2] = [Self::FileSystem, Self::BlockDevice];

    /// Nomad's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FileSystem => "file-system",
            Self::BlockDevice => "block-device",
        }
    }
}

impl FromStr for AttachmentMode {
    type Err = UnknownMode;

    fn from_str(word: &str) -> Result<Self, UnknownMode> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == word)
            .ok_or_else(|| UnknownMode::Attachment(word.to_owned()))
    }
}

impl fmt::Display for AttachmentMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a file system is to be mounted. The flags may hold a password (as `cifs` takes it), so `Debug`
/// does not show them, and nothing serialises them: they are stored sealed.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct MountOptions {
    /// Type of the file system; empty leaves it to the driver.
    pub fs_type: String,
    /// Options of mount(8), in order.
    pub mount_flags: Vec<String>,
}

impl fmt::Debug for MountOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("MountOptions");
        shown.field("fs_type", &self.fs_type);
        if !self.mount_flags.is_empty() {
            shown.field("mount_flags", &format_args!("{REDACTED}"));
        }
        shown.finish()
    }
}

/// One way in which a volume may be used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capability {
    /// Who may hold it.
    pub access_mode: AccessMode,
    /// What it looks like.
    pub attachment_mode: AttachmentMode,
    /// How it is mounted. Not sent for [`AttachmentMode::BlockDevice`], which has no mount.
    pub mount_options: MountOptions,
}

impl Capability {
    pub(super) fn to_message(&self) -> v1::VolumeCapability {
        v1::VolumeCapability {
            access_type: Some(match self.attachment_mode {
                AttachmentMode::BlockDevice => AccessType::Block(BlockVolume {}),
                AttachmentMode::FileSystem => AccessType::Mount(MountVolume {
                    fs_type: self.mount_options.fs_type.clone(),
                    mount_flags: self.mount_options.mount_flags.clone(),
                    volume_mount_group: String::new(),
                }),
            }),
            access_mode: Some(v1::volume_capability::AccessMode {
                mode: self.access_mode.to_message().into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_nomads_and_stay_what_they_are_in_a_row() {
        for mode in AccessMode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
        for mode in AttachmentMode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
    }

    #[test]
    fn other_words_are_refused_with_nomads_text() {
        let access = "x".parse::<AccessMode>().unwrap_err().to_string();
        assert_eq!(access, "unknown volume access mode: x");
        let attachment = "".parse::<AttachmentMode>().unwrap_err().to_string();
        assert_eq!(attachment, "unknown volume attachment mode: ");
    }

    #[test]
    fn a_block_device_is_sent_without_mount_options() {
        let capability = Capability {
            access_mode: AccessMode::MultiNodeMultiWriter,
            attachment_mode: AttachmentMode::BlockDevice,
            mount_options: MountOptions {
                fs_type: "ext4".into(),
                mount_flags: vec!["noatime".into()],
            },
        };
        let message = capability.to_message();
        assert_eq!(message.access_type, Some(AccessType::Block(BlockVolume {})));
        assert_eq!(
            message.access_mode.unwrap().mode(),
            Mode::MultiNodeMultiWriter
        );
    }

    #[test]
    fn debug_hides_mount_flags() {
        let options = MountOptions {
            fs_type: "cifs".into(),
            mount_flags: vec!["password=hunter2".into()],
        };
        let shown = format!("{options:?}");
        assert!(
            shown.contains("cifs") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
