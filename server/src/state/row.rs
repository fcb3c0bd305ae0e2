//! Rows as the tables take them in: what a key names, and what the row under it holds.

use super::Stored;
use crate::claim::ClaimKey;
use crate::id::{AllocationId, ExternalId, Namespace, PluginId, VolumeId, VolumeKey};
use crate::store::keys::{self, Table};
use crate::store::{Key, Row};
use serde::de::DeserializeOwned;

/// A row that is not what its key says.
#[derive(Clone, Debug, thiserror::Error)]
#[error("row {key}: {detail}")]
pub struct Unreadable {
    /// Its key.
    pub key: Key,
    /// What is wrong with it.
    pub detail: String,
}

pub(super) fn read<T: DeserializeOwned>(key: &Key, row: &Row) -> Result<Stored<T>, Unreadable> {
    let value = serde_json::from_slice(&row.value).map_err(|error| unreadable(key, error))?;
    Ok(Stored {
        row: value,
        created: row.created,
        modified: row.modified,
    })
}

/// The table of a key, and the names after it.
pub(super) fn table_of(key: &Key) -> Result<(Table, &str), Unreadable> {
    Table::of(key).ok_or_else(|| unreadable(key, "no such table"))
}

pub(super) fn exactly<'a, const N: usize>(
    key: &Key,
    names: &'a str,
) -> Result<[&'a str; N], Unreadable> {
    keys::parts(names).ok_or_else(|| {
        let found = names.split('\0').count();
        unreadable(key, format!("{found} parts, not {N}"))
    })
}

pub(super) fn backing_key(key: &Key, names: &str) -> Result<(PluginId, ExternalId), Unreadable> {
    let [plugin, external] = exactly(key, names)?;
    Ok((PluginId::known(plugin), ExternalId::known(external)))
}

pub(super) fn volume_key(key: &Key, names: &str) -> Result<VolumeKey, Unreadable> {
    let [namespace, id] = exactly(key, names)?;
    Ok(VolumeKey {
        namespace: Namespace::known(namespace),
        id: VolumeId::known(id),
    })
}

pub(super) fn claim_key(key: &Key, names: &str) -> Result<ClaimKey, Unreadable> {
    let [namespace, id, allocation] = exactly(key, names)?;
    let volume = VolumeKey {
        namespace: Namespace::known(namespace),
        id: VolumeId::known(id),
    };
    Ok((volume, AllocationId::known(allocation)))
}

pub(super) fn unreadable(key: &Key, detail: impl ToString) -> Unreadable {
    Unreadable {
        key: key.clone(),
        detail: detail.to_string(),
    }
}
