//! The ids of the domain, each its own type: confusing a volume's id with the driver's id of it is
//! the classic mistake of this field.

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// The longest id, in bytes.
pub const MOST_ID_BYTES: usize = 128;
/// The longest id of a driver's own, in bytes.
pub const MOST_DRIVER_ID_BYTES: usize = 768;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            schemars::JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(#[serde(deserialize_with = "text")] Arc<str>);

        impl $name {
            /// The id's characters.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// An id that is known to be one: it comes from a row, a driver or ourselves.
            pub fn known(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// A volume's id, unique in its namespace. See [`VolumeId::parse`].
    VolumeId,
    /// The driver's id of a volume: what CSI calls `volume_id`.
    ExternalId,
    /// The driver's id of a snapshot.
    SnapshotId,
    /// A plugin's id, unique in the control plane.
    PluginId,
    /// A plugin job's id, unique in its namespace.
    JobId,
    /// A node's id: a UUID in lower case with hyphens.
    NodeId,
    /// A namespace's name.
    Namespace,
    /// An allocation's id: a UUID in lower case with hyphens.
    AllocationId,
}

/// Reads a text into memory of its own, which serde's own way takes two allocations for.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    struct Text;

    impl Visitor<'_> for Text {
        type Value = Arc<str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Arc<str>, E> {
            Ok(text.into())
        }
    }

    from.deserialize_str(Text)
}

impl VolumeId {
    /// An id as a client may choose it: 1 to 128 bytes, no `/`, no control characters, not `.` or
    /// `..`. The message says what is wrong.
    pub fn parse(id: &str) -> Result<Self, String> {
        speakable("volume id", id)?;
        if id.contains('/') {
            return Err(format!("volume id {id:?} must not contain '/'"));
        }
        if id == "." || id == ".." {
            return Err(format!("volume id must not be {id:?}"));
        }
        Ok(Self::known(id))
    }
}

impl PluginId {
    /// An id as an operator may choose it: 1 to 128 bytes, no `/`, no control characters.
    pub fn parse(id: &str) -> Result<Self, String> {
        speakable("plugin id", id)?;
        if id.contains('/') {
            return Err(format!("plugin id {id:?} must not contain '/'"));
        }
        Ok(Self::known(id))
    }
}

impl Namespace {
    /// The namespace that is always there.
    pub fn default_namespace() -> Self {
        Self::known("default")
    }

    /// A name as an operator may choose it: 1 to 128 letters, digits and hyphens (Nomad's rule).
    pub fn parse(name: &str) -> Result<Self, String> {
        let fits = (1..=MOST_ID_BYTES).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits {
            Ok(Self::known(name))
        } else {
            Err(format!(
                "invalid namespace {name:?}: use 1 to {MOST_ID_BYTES} letters, digits and hyphens"
            ))
        }
    }
}

impl ExternalId {
    /// A driver's id as a client may name it: at most [`MOST_DRIVER_ID_BYTES`], no control
    /// characters.
    pub fn parse(id: &str) -> Result<Self, String> {
        Ok(Self::known(driver_id("external id", id)?))
    }
}

impl SnapshotId {
    /// A driver's id as a client may name it: as [`ExternalId::parse`].
    pub fn parse(id: &str) -> Result<Self, String> {
        Ok(Self::known(driver_id("snapshot id", id)?))
    }
}

/// CSI bounds the ids of drivers to 128 bytes; longer ones are taken as far as they fit into a row's
/// key beside a plugin's id.
fn driver_id<'i>(what: &str, id: &'i str) -> Result<&'i str, String> {
    if id.len() > MOST_DRIVER_ID_BYTES {
        let length = id.len();
        return Err(format!(
            "{what} has {length} bytes, more than {MOST_DRIVER_ID_BYTES}"
        ));
    }
    if id.chars().any(char::is_control) {
        return Err(format!("{what} {id:?} must not contain control characters"));
    }
    Ok(id)
}

fn speakable(what: &str, id: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err(format!("{what} must not be empty"));
    }
    if id.len() > MOST_ID_BYTES {
        return Err(format!(
            "{what} has {} bytes, more than {MOST_ID_BYTES}",
            id.len()
        ));
    }
    if id.chars().any(char::is_control) {
        return Err(format!("{what} {id:?} must not contain control characters"));
    }
    Ok(())
}

/// What names a volume everywhere: its namespace and its id. Ordered by namespace, then id.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct VolumeKey {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its id there.
    pub id: VolumeId,
}

impl fmt::Display for VolumeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.id)
    }
}
