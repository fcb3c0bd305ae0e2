//! The routes of tag `snapshots`.

use super::declared::{
    At, BodyErrors, Change, ChangeErrors, CsiSecrets, Done, DriverErrors, DriverPages, InNamespace,
    NotFound, OfPlugin, Read, ReadErrors, VolumePath,
};
use super::edge::credentials::header_secrets;
use super::edge::options::{DEFAULT_NAMESPACE, check_region};
use super::edge::{ReadOptions, WriteOptions};
use super::front::Asking;
use super::reply::{Reply, empty, json};
use super::request::{SnapshotRequest, SnapshotsRequest};
use super::wire::{self, Withheld};
use crate::control::ControlPlane;
use crate::csi::{self, ListSnapshots, Secrets};
use crate::error::{Error, Fault, Result};
use crate::id::Namespace;
use crate::operation::SnapshotTaken;
use crate::operation::verbs::Deadline;
use crate::snapshot::{self, Spec};
use std::borrow::Cow;

#[utoipa::path(
    get, path = "/v1/volumes/snapshot", tag = "snapshots",
    params(OfPlugin, DriverPages, CsiSecrets, InNamespace, Read),
    responses(At<wire::Snapshots<'static>>, NotFound, ReadErrors, DriverErrors),
)]
pub(super) async fn list_snapshots(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let plugin = asking.query.get("plugin_id").unwrap_or_default();
    let page = ListSnapshots {
        max_entries: options.per_page,
        starting_token: options.next_token,
        secrets: secrets(asking),
        ..ListSnapshots::default()
    };
    let listed = snapshot::list(cp, plugin, &page).await?;
    let snapshots = listed.entries.iter().map(|entry| shown(entry, plugin));
    Ok(json(&answer(snapshots.collect(), &listed.next_token)).asked_directly())
}

#[utoipa::path(
    put, path = "/v1/volumes/snapshot", tag = "snapshots",
    params(Change),
    request_body = SnapshotsRequest,
    responses(At<wire::Snapshots<'static>>, BodyErrors, ChangeErrors, DriverErrors),
)]
pub(super) async fn create_snapshots(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    create(cp, asking, None).await
}

#[utoipa::path(
    post, path = "/v1/volumes/snapshot", tag = "snapshots",
    params(Change),
    request_body = SnapshotsRequest,
    responses(At<wire::Snapshots<'static>>, BodyErrors, ChangeErrors, DriverErrors),
)]
pub(super) async fn create_snapshots_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    create(cp, asking, None).await
}

#[utoipa::path(
    put, path = "/v1/volumes/snapshot/{volume_id}", tag = "snapshots",
    params(VolumePath, Change),
    request_body = SnapshotsRequest,
    responses(At<wire::Snapshots<'static>>, BodyErrors, ChangeErrors, DriverErrors),
)]
pub(super) async fn create_snapshot_of(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    create(cp, asking, Some(asking.param("volume_id"))).await
}

#[utoipa::path(
    put, path = "/v1/volume/csi/{volume_id}/snapshot", tag = "snapshots",
    params(VolumePath, Change),
    request_body = SnapshotsRequest,
    responses(At<wire::Snapshots<'static>>, BodyErrors, ChangeErrors, DriverErrors),
)]
pub(super) async fn snapshot_volume(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    create(cp, asking, Some(asking.param("volume_id"))).await
}

/// Takes the snapshots of the body. A volume that the path names fills a missing source.
async fn create(cp: &ControlPlane, asking: &Asking<'_>, named: Option<&str>) -> Reply {
    let request = SnapshotsRequest::decode(asking.body()?)?;
    let options = WriteOptions::read(asking.query, &asking.settings.region)?;
    check_region(request.envelope.region.as_deref(), &asking.settings.region)?;
    let namespace = options
        .namespace
        .or(request.envelope.namespace)
        .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
    let count = request.snapshots.len();
    asking.settings.limits.check_items(count, "snapshots")?;
    let specs = request
        .snapshots
        .into_iter()
        .map(|snapshot| spec(snapshot, named))
        .collect::<Result<Vec<_>>>()?;
    let sources = specs
        .iter()
        .map(|spec| (namespace.as_str(), spec.source_volume_id.as_str()));
    asking.record.concerns_volumes(sources);
    let namespace = Namespace::known(namespace);
    let deadline = Deadline::after(options.wait);
    let taken = snapshot::create(cp, &namespace, &specs, deadline).await?;
    for taken in &taken {
        asking.record.concerns("snapshot", taken.id.as_str());
    }
    let mut answer = answer(taken.iter().map(just_taken).collect(), "");
    if specs.is_empty() {
        answer.snapshots = None;
    }
    Ok(json(&answer).asked_directly())
}

fn spec(snapshot: SnapshotRequest, named: Option<&str>) -> Result<Spec> {
    let source_volume_id = match (named, snapshot.source_volume_id) {
        (Some(named), sent) if sent.is_empty() => named.to_owned(),
        (Some(named), sent) if sent != named => {
            let text = format!("the path names volume {named:?}, SourceVolumeID is {sent:?}");
            return Err(Error::from(Fault::BadItems(text)).volume(named));
        }
        (_, sent) => sent,
    };
    Ok(Spec {
        source_volume_id,
        plugin_id: snapshot.plugin_id,
        name: snapshot.name,
        secrets: snapshot
            .secrets
            .unwrap_or_default()
            .updated(None, snapshot.secrets_from.as_ref()),
        parameters: snapshot.parameters.unwrap_or_default(),
    })
}

#[utoipa::path(
    delete, path = "/v1/volumes/snapshot", tag = "snapshots",
    params(OfPlugin, ("snapshot_id" = String, Query), CsiSecrets, Change),
    responses(Done, ChangeErrors, DriverErrors),
)]
pub(super) async fn delete_snapshot(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = WriteOptions::read(asking.query, &asking.settings.region)?;
    let named = |name| asking.query.get(name).unwrap_or_default();
    let (plugin, snapshot) = (named("plugin_id"), named("snapshot_id"));
    let deadline = Deadline::after(options.wait);
    snapshot::delete(cp, plugin, snapshot, &secrets(asking), deadline).await?;
    Ok(empty().asked_directly())
}

fn secrets(asking: &Asking<'_>) -> Secrets {
    header_secrets(asking.headers)
}

fn answer<'a>(snapshots: Vec<wire::Snapshot<'a>>, next_token: &'a str) -> wire::Snapshots<'a> {
    wire::Snapshots {
        index: 0,
        known_leader: false,
        last_contact: 0,
        next_token: next_token.into(),
        snapshots: Some(snapshots),
    }
}

fn shown<'a>(snapshot: &'a csi::Snapshot, plugin: &'a str) -> wire::Snapshot<'a> {
    wire::Snapshot {
        create_time: snapshot.creation_time.map_or(0, |time| time.as_second()),
        external_source_volume_id: snapshot.source_volume_id.as_str().into(),
        id: snapshot.id.as_str().into(),
        is_ready: snapshot.ready_to_use,
        plugin_id: plugin.into(),
        size_bytes: snapshot.size_bytes,
        ..nothing()
    }
}

/// Nomad leaves plugin, source and name empty here.
fn just_taken(taken: &SnapshotTaken) -> wire::Snapshot<'_> {
    wire::Snapshot {
        create_time: taken.taken_at_seconds,
        external_source_volume_id: taken.source.as_str().into(),
        id: taken.id.as_str().into(),
        is_ready: taken.is_ready,
        size_bytes: taken.size_bytes,
        ..nothing()
    }
}

fn nothing() -> wire::Snapshot<'static> {
    wire::Snapshot {
        create_time: 0,
        external_source_volume_id: Cow::Borrowed(""),
        id: Cow::Borrowed(""),
        is_ready: false,
        name: Cow::Borrowed(""),
        parameters: None,
        plugin_id: Cow::Borrowed(""),
        secrets: Withheld,
        size_bytes: 0,
        source_volume_id: Cow::Borrowed(""),
    }
}
