//! The routes of tag `keyring`.

use super::declared::{
    At, ChangeErrors, Changed, List, Made, Read, ReadErrors, Region, RootKeyPath, StoredErrors,
    Wait,
};
use super::edge::{ReadOptions, WriteOptions};
use super::front::Asking;
use super::reply::{Reply, empty, json};
use super::wire;
use crate::control::ControlPlane;
use crate::error::Fault;
use crate::keyring;
use crate::operation::verbs::Deadline;
use crate::seal::DataKey;
use crate::state::Stored;
use uuid::Uuid;

/// Oldest first.
#[utoipa::path(
    get, path = "/v1/operator/keyring/keys", tag = "keyring",
    params(Read),
    responses(At<List<wire::RootKey<'static>>>, ReadErrors),
)]
pub(super) async fn list_root_keys(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    ReadOptions::read(asking.query, &asking.settings.region)?;
    let state = cp.state();
    let mut keys: Vec<_> = state.data_keys().map(shown).collect();
    keys.sort_by_key(|key| key.create_index);
    Ok(json(&keys).at(state.data_keys_index()))
}

#[utoipa::path(
    put, path = "/v1/operator/keyring/rotate", tag = "keyring",
    params(Region),
    responses(Made<wire::RootKeyMade<'static>>, StoredErrors),
)]
pub(super) async fn rotate_root_key(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    WriteOptions::read(asking.query, &asking.settings.region)?;
    let made = keyring::rotate(cp).await?;
    let answer = wire::RootKeyMade {
        index: made.modified.0,
        key: shown(&made),
    };
    Ok(json(&answer).changed_at(made.modified))
}

#[utoipa::path(
    delete,
    path = "/v1/operator/keyring/key/{key_id}",
    tag = "keyring",
    params(RootKeyPath, Wait, Region),
    responses(Changed, ChangeErrors)
)]
pub(super) async fn remove_root_key(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = WriteOptions::read(asking.query, &asking.settings.region)?;
    let named = asking.param("key_id");
    let id = Uuid::try_parse(named).map_err(|_| Fault::DataKeyNotFound(named.to_owned()))?;
    let deadline = Deadline::after(options.wait);
    let index = keyring::remove(cp, id, deadline).await?;
    Ok(empty().changed_at(index))
}

fn shown(stored: &Stored<DataKey>) -> wire::RootKey<'static> {
    let row = &stored.row;
    wire::RootKey {
        algorithm: DataKey::ALGORITHM.into(),
        create_index: stored.created.0,
        create_time: i64::try_from(row.created_at.as_nanosecond()).unwrap_or(i64::MAX),
        key_id: row.id.to_string().into(),
        modify_index: stored.modified.0,
        publish_time: 0,
        state: row.state.word().into(),
    }
}
