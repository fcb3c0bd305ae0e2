//! Changing volumes: register, create, deregister, delete, detach.

use super::list::read;
use super::spec::specs;
use crate::control::ControlPlane;
use crate::error::{Error, Fault};
use crate::http::declared::{
    At, BodyErrors, Change, ChangeErrors, CsiSecrets, Done, DriverErrors, VolumePath, WaitErrors,
};
use crate::http::edge::WriteOptions;
use crate::http::edge::credentials::header_secrets;
use crate::http::edge::options::{DEFAULT_NAMESPACE, force};
use crate::http::front::Asking;
use crate::http::reply::{Reply, empty, encoded};
use crate::http::request::VolumesRequest;
use crate::http::wire::VolumesAnswer;
use crate::id::{Namespace, NodeId, VolumeId, VolumeKey};
use crate::operation::verbs::Deadline;
use crate::picture;
use crate::store::Index;
use crate::volume;

#[utoipa::path(
    put, path = "/v1/volumes", tag = "volumes",
    params(Change),
    request_body = VolumesRequest,
    responses(At<VolumesAnswer<'static>>, BodyErrors, ChangeErrors, DriverErrors),
)]
pub(in crate::http) async fn register_volumes(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = VolumesRequest::decode(asking.body()?)?;
    let options = WriteOptions::read(asking.query, &asking.settings.region)?;
    let specs = specs(request, &options, &asking.settings.region)?;
    asking.settings.limits.check_items(specs.len(), "volumes")?;
    asking.record.concerns_volumes(named(&specs));
    let (index, keys) = volume::register(cp, &specs, Deadline::after(options.wait)).await?;
    Ok(stored(cp, index, &keys))
}

#[utoipa::path(
    post, path = "/v1/volumes", tag = "volumes",
    params(Change),
    request_body = VolumesRequest,
    responses(At<VolumesAnswer<'static>>, BodyErrors, ChangeErrors, DriverErrors),
)]
pub(in crate::http) async fn register_volumes_by_post(
    cp: &ControlPlane,
    asking: &Asking<'_>,
) -> Reply {
    register_volumes(cp, asking).await
}

/// The id in the path does not count, as in Nomad: the body's does.
#[utoipa::path(
    put, path = "/v1/volume/csi/{volume_id}", tag = "volumes",
    params(VolumePath, Change),
    request_body = VolumesRequest,
    responses(At<VolumesAnswer<'static>>, BodyErrors, ChangeErrors, DriverErrors),
)]
pub(in crate::http) async fn register_volume(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    register_volumes(cp, asking).await
}

#[utoipa::path(
    put, path = "/v1/volume/csi/{volume_id}/create", tag = "volumes",
    params(VolumePath, Change),
    request_body = VolumesRequest,
    responses(At<VolumesAnswer<'static>>, BodyErrors, ChangeErrors, DriverErrors),
)]
pub(in crate::http) async fn create_volume(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = VolumesRequest::decode(asking.body()?)?;
    let options = WriteOptions::read(asking.query, &asking.settings.region)?;
    let specs = specs(request, &options, &asking.settings.region)?;
    asking.settings.limits.check_items(specs.len(), "volumes")?;
    asking.record.concerns_volumes(named(&specs));
    let (index, keys) = volume::create(cp, &specs, Deadline::after(options.wait)).await?;
    Ok(stored(cp, index, &keys))
}

#[utoipa::path(
    delete, path = "/v1/volume/csi/{volume_id}", tag = "volumes",
    params(VolumePath, ("force" = Option<bool>, Query), Change),
    responses(Done, ChangeErrors, WaitErrors),
)]
pub(in crate::http) async fn deregister_volume(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let force = force(asking.query)?;
    let options = WriteOptions::read(asking.query, &asking.settings.region)?;
    let key = key(asking, &options);
    let index = volume::deregister(cp, &key, force, Deadline::after(options.wait)).await?;
    Ok(empty().at(index))
}

#[utoipa::path(
    delete,
    path = "/v1/volume/csi/{volume_id}/delete",
    tag = "volumes",
    params(VolumePath, CsiSecrets, Change),
    responses(Done, ChangeErrors, DriverErrors)
)]
pub(in crate::http) async fn delete_volume(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = WriteOptions::read(asking.query, &asking.settings.region)?;
    let secrets = header_secrets(asking.headers);
    let key = key(asking, &options);
    let index = volume::delete(cp, &key, &secrets, Deadline::after(options.wait)).await?;
    Ok(empty().at(index))
}

#[utoipa::path(
    delete, path = "/v1/volume/csi/{volume_id}/detach", tag = "volumes",
    params(VolumePath, ("node" = String, Query), Change),
    responses(Done, ChangeErrors, DriverErrors),
)]
pub(in crate::http) async fn detach_volume(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let Some(node) = asking.query.filled("node") else {
        return Err(Error::from(Fault::NoNodeId)
            .volume(asking.param("volume_id"))
            .into());
    };
    let options = WriteOptions::read(asking.query, &asking.settings.region)?;
    let (key, node) = (key(asking, &options), NodeId::known(node));
    let index = volume::detach(cp, &key, &node, Deadline::after(options.wait)).await?;
    Ok(empty().at(index))
}

/// Each volume's namespace and id.
fn named(specs: &[volume::Spec]) -> impl Iterator<Item = (&str, &str)> {
    specs
        .iter()
        .map(|spec| (spec.namespace.as_str(), spec.id.as_str()))
}

fn key(asking: &Asking<'_>, options: &WriteOptions) -> VolumeKey {
    let namespace = options.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    VolumeKey {
        namespace: Namespace::known(namespace),
        id: VolumeId::known(asking.param("volume_id")),
    }
}

/// The volumes as they are stored. One that another client removed meanwhile is left out.
fn stored(cp: &ControlPlane, index: Index, keys: &[VolumeKey]) -> crate::http::edge::Answer {
    let state = cp.state();
    let volumes = picture::array(keys.iter().filter_map(|key| read(&state, key)));
    let mut body = format!(
        r#"{{"Index":{index},"KnownLeader":true,"LastContact":0,"NextToken":"","Warnings":"","Volumes":"#
    )
    .into_bytes();
    body.extend_from_slice(&volumes);
    body.push(b'}');
    encoded(body).at(index)
}
