//! Where each kind of row is kept.
//!
//! ```text
//! volume/NAMESPACE\0ID              a volume
//! backing/PLUGIN\0EXTERNAL-ID       which volumes stand for one backing store of a plugin
//! claim/NAMESPACE\0ID\0ALLOCATION   a claim: its presence means that the volume is in use
//! dropped-claim/NAMESPACE\0ID\0ALLOCATION  a claim whose volume was deregistered by force
//! ended-claim/NAMESPACE\0ID\0ALLOCATION    a claim that was released or that failed
//! attachment/PLUGIN\0EXTERNAL-ID\0NODE     a backing store on a node
//! doing/NAMESPACE\0ID               the operation under way on a volume: its presence is the lock
//! doing-snapshot/PLUGIN\0SNAPSHOT   the operation under way on a snapshot
//! ended/UUID                        an operation that ended
//! instance/PLUGIN\0ROLE\0NODE\0JOB  what one driver socket said last
//! job/NAMESPACE\0ID                 a plugin job
//! node/ID                           a node
//! namespace/NAME                    a namespace
//! token/ACCESSOR                    a token of access control
//! policy/NAME                       a policy
//! role/ID                           a role
//! role-name/NAME                    the id of the role of this name
//! acl-bootstrap/done                that the first token was made
//! data-key/UUID                     what secrets are sealed with, wrapped
//! ```
//!
//! A NUL ends each part but the last, so that rows are ordered part by part and no id is taken for
//! the beginning of another. No id holds a control character (`id`).

use super::Key;
use crate::id::{
    AllocationId, ExternalId, JobId, Namespace, NodeId, PluginId, SnapshotId, VolumeKey,
};
use crate::plugin::Role;
use uuid::Uuid;

/// The kinds of rows, by the word before the first `/` of their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Volumes.
    Volume,
    /// Backing stores.
    Backing,
    /// Claims.
    Claim,
    /// Claims whose volumes were deregistered by force.
    DroppedClaim,
    /// Claims that ended.
    EndedClaim,
    /// Attachments.
    Attachment,
    /// Operations on volumes under way.
    Doing,
    /// Operations on snapshots under way.
    DoingSnapshot,
    /// Operations that ended.
    Ended,
    /// Plugin instances.
    Instance,
    /// Plugin jobs.
    Job,
    /// Nodes.
    Node,
    /// Namespaces.
    Namespace,
    /// Tokens of access control.
    Token,
    /// Policies.
    Policy,
    /// Roles.
    Role,
    /// The names of roles.
    RoleName,
    /// That the first token was made.
    Bootstrap,
    /// Data keys.
    DataKey,
}

impl Table {
    const ALL: [Table; 19] = [
        Table::Volume,
        Table::Backing,
        Table::Claim,
        Table::DroppedClaim,
        Table::EndedClaim,
        Table::Attachment,
        Table::Doing,
        Table::DoingSnapshot,
        Table::Ended,
        Table::Instance,
        Table::Job,
        Table::Node,
        Table::Namespace,
        Table::Token,
        Table::Policy,
        Table::Role,
        Table::RoleName,
        Table::Bootstrap,
        Table::DataKey,
    ];

    /// The word before the first `/` of its keys.
    pub const fn word(self) -> &'static str {
        match self {
            Table::Volume => "volume",
            Table::Backing => "backing",
            Table::Claim => "claim",
            Table::DroppedClaim => "dropped-claim",
            Table::EndedClaim => "ended-claim",
            Table::Attachment => "attachment",
            Table::Doing => "doing",
            Table::DoingSnapshot => "doing-snapshot",
            Table::Ended => "ended",
            Table::Instance => "instance",
            Table::Job => "job",
            Table::Node => "node",
            Table::Namespace => "namespace",
            Table::Token => "token",
            Table::Policy => "policy",
            Table::Role => "role",
            Table::RoleName => "role-name",
            Table::Bootstrap => "acl-bootstrap",
            Table::DataKey => "data-key",
        }
    }

    /// The table of a key, and the parts after it, each but the last ended by a NUL ([`parts`] takes
    /// them apart). `None`: no key of ours.
    pub fn of(key: &Key) -> Option<(Table, &str)> {
        let (word, names) = key.as_str().split_once('/')?;
        let table = Self::ALL.into_iter().find(|table| table.word() == word)?;
        Some((table, names))
    }

    fn key(self, parts: &[&str]) -> Key {
        Key::new(format!("{}/{}", self.word(), parts.join("\0")))
    }
}

/// The parts of a key after its table, if there are so many.
pub fn parts<const N: usize>(names: &str) -> Option<[&str; N]> {
    let mut each = names.split('\0');
    let mut parts = [""; N];
    for part in &mut parts {
        *part = each.next()?;
    }
    each.next().is_none().then_some(parts)
}

/// The row of a volume.
pub fn volume(volume: &VolumeKey) -> Key {
    Table::Volume.key(&[volume.namespace.as_str(), volume.id.as_str()])
}

/// The row that says which volumes stand for a backing store.
pub fn backing(plugin: &PluginId, external: &ExternalId) -> Key {
    Table::Backing.key(&[plugin.as_str(), external.as_str()])
}

/// The row of a claim.
pub fn claim(volume: &VolumeKey, allocation: &AllocationId) -> Key {
    of_claim(Table::Claim, volume, allocation)
}

/// The row of a claim whose volume was deregistered by force.
pub fn dropped_claim(volume: &VolumeKey, allocation: &AllocationId) -> Key {
    of_claim(Table::DroppedClaim, volume, allocation)
}

/// The row of a claim that ended.
pub fn ended_claim(volume: &VolumeKey, allocation: &AllocationId) -> Key {
    of_claim(Table::EndedClaim, volume, allocation)
}

fn of_claim(table: Table, volume: &VolumeKey, allocation: &AllocationId) -> Key {
    table.key(&[
        volume.namespace.as_str(),
        volume.id.as_str(),
        allocation.as_str(),
    ])
}

/// The row of an attachment.
pub fn attachment(plugin: &PluginId, external: &ExternalId, node: &NodeId) -> Key {
    Table::Attachment.key(&[plugin.as_str(), external.as_str(), node.as_str()])
}

/// What the keys of all claims of a volume begin with.
pub fn claims(volume: &VolumeKey) -> Key {
    Table::Claim.key(&[volume.namespace.as_str(), volume.id.as_str(), ""])
}

/// The row of the operation under way on a volume.
pub fn doing(volume: &VolumeKey) -> Key {
    Table::Doing.key(&[volume.namespace.as_str(), volume.id.as_str()])
}

/// The row of the operation under way on a snapshot.
pub fn doing_snapshot(plugin: &PluginId, snapshot: &SnapshotId) -> Key {
    Table::DoingSnapshot.key(&[plugin.as_str(), snapshot.as_str()])
}

/// The row of an operation that ended.
pub fn ended(operation: Uuid) -> Key {
    Table::Ended.key(&[&operation.hyphenated().to_string()])
}

/// The row of a plugin instance.
pub fn instance(plugin: &PluginId, role: Role, node: &NodeId, job: &JobId) -> Key {
    Table::Instance.key(&[plugin.as_str(), role.as_str(), node.as_str(), job.as_str()])
}

/// The row of a plugin job.
pub fn job(namespace: &Namespace, job: &JobId) -> Key {
    Table::Job.key(&[namespace.as_str(), job.as_str()])
}

/// The row of a node.
pub fn node(node: &NodeId) -> Key {
    Table::Node.key(&[node.as_str()])
}

/// The row of a namespace.
pub fn namespace(namespace: &Namespace) -> Key {
    Table::Namespace.key(&[namespace.as_str()])
}

/// What the keys of all that belongs to a namespace begin with: its volumes, what is under way there, its claims and
/// plugin jobs.
pub fn all_in(namespace: &Namespace) -> [Key; 5] {
    let tables = [
        Table::Volume,
        Table::Doing,
        Table::Claim,
        Table::DroppedClaim,
        Table::Job,
    ];
    tables.map(|table| table.key(&[namespace.as_str(), ""]))
}

/// The row of a token.
pub fn token(accessor: &str) -> Key {
    Table::Token.key(&[accessor])
}

/// The row of a policy.
pub fn policy(name: &str) -> Key {
    Table::Policy.key(&[name])
}

/// The row of a role.
pub fn role(id: &str) -> Key {
    Table::Role.key(&[id])
}

/// The row that says which role has a name.
pub fn role_name(name: &str) -> Key {
    Table::RoleName.key(&[name])
}

/// The row that says that the first token was made.
pub fn bootstrap() -> Key {
    Table::Bootstrap.key(&["done"])
}

/// The row of a data key.
pub fn data_key(id: Uuid) -> Key {
    Table::DataKey.key(&[&id.hyphenated().to_string()])
}

/// What the keys of all data keys begin with.
pub fn data_keys() -> Key {
    Table::DataKey.key(&[""])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::VolumeId;

    #[test]
    fn no_volume_is_taken_for_the_beginning_of_another() {
        let short = VolumeKey {
            namespace: Namespace::known("default"),
            id: VolumeId::known("db"),
        };
        let long = VolumeKey {
            id: VolumeId::known("db-2"),
            ..short.clone()
        };
        let allocation = AllocationId::known("a");
        assert!(
            !claim(&long, &allocation)
                .as_str()
                .starts_with(claims(&short).as_str())
        );
        assert!(
            claim(&short, &allocation)
                .as_str()
                .starts_with(claims(&short).as_str())
        );
    }

    #[test]
    fn a_key_tells_its_table_and_parts() {
        let key = job(&Namespace::known("default"), &JobId::known("plugin-local"));
        let (table, names) = Table::of(&key).unwrap();
        assert_eq!(table, Table::Job);
        assert_eq!(parts(names), Some(["default", "plugin-local"]));
        assert_eq!(parts::<1>(names), None);
        assert_eq!(parts::<3>(names), None);
        assert_eq!(Table::of(&Key::new("colour/red")), None);
    }
}
