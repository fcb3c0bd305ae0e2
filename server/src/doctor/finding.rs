//! One thing that needs somebody's attention.

use crate::id::{AllocationId, ExternalId, Namespace, PluginId, VolumeKey};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A driver has a volume that nobody registered.
    UnregisteredVolume,
    /// A volume is registered, and its driver does not have it.
    MissingVolume,
    /// A volume is attached to a node where nobody claimed it.
    ForeignPublication,
    /// A create was given up and may have left a volume.
    AbandonedCreate,
    /// A delete was given up and may have done its work, or half of it.
    AbandonedDelete,
    /// An operation waits for more than an answer.
    StuckOperation,
    /// A claim, or its release, does.
    StuckClaim,
    /// A volume grew at the storage, and not on a node.
    StuckExpansion,
    /// A driver did not say what it has.
    SilentDriver,
}

impl Kind {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::UnregisteredVolume => "unregistered-volume",
            Kind::MissingVolume => "missing-volume",
            Kind::ForeignPublication => "foreign-publication",
            Kind::AbandonedCreate => "abandoned-create",
            Kind::AbandonedDelete => "abandoned-delete",
            Kind::StuckOperation => "stuck-operation",
            Kind::StuckClaim => "stuck-claim",
            Kind::StuckExpansion => "stuck-expansion",
            Kind::SilentDriver => "silent-driver",
        }
    }
}

/// One thing that needs somebody's attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// The plugin concerned.
    pub plugin: PluginId,
    /// The volume concerned, if it has an id here.
    pub volume: Option<VolumeKey>,
    /// The driver's id of the volume concerned.
    pub external_id: Option<ExternalId>,
    /// The node concerned; the driver's id of it where it has none here.
    pub node: Option<String>,
    /// The claim concerned.
    pub allocation: Option<AllocationId>,
    /// The operation concerned.
    pub operation: Option<Uuid>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What it means.
    pub meaning: String,
    /// What to do about it, with the request that does it.
    pub remedy: String,
}

impl Finding {
    /// A finding about a plugin, and nothing else yet.
    pub(super) fn of(kind: Kind, plugin: &PluginId, meaning: String, remedy: String) -> Self {
        Self {
            kind,
            plugin: plugin.clone(),
            volume: None,
            external_id: None,
            node: None,
            allocation: None,
            operation: None,
            since: None,
            meaning,
            remedy,
        }
    }

    /// Where it stands among others.
    pub(super) fn place(&self) -> impl Ord + use<'_> {
        (
            &self.plugin,
            self.kind.as_str(),
            &self.volume,
            &self.external_id,
            (&self.node, &self.allocation, &self.operation),
        )
    }
}

/// A request about a volume, as in `DELETE /v1/volume/csi/pgdata/delete`. `under` is what follows the
/// id.
pub(super) fn request(method: &str, key: &VolumeKey, under: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    let id = utf8_percent_encode(key.id.as_str(), ESCAPED);
    let namespace = match key.namespace == Namespace::default_namespace() {
        true => String::new(),
        false => format!("?namespace={}", key.namespace),
    };
    format!("{method} /v1/volume/csi/{id}{under}{namespace}")
}
