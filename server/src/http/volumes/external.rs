//! Listing what drivers have.

use crate::control::ControlPlane;
use crate::csi::{Condition, ContentSource, ListVolumes, ListedVolume};
use crate::http::declared::{
    At, DriverErrors, DriverPages, InNamespace, NotFound, OfPlugin, Read, ReadErrors,
};
use crate::http::edge::ReadOptions;
use crate::http::front::Asking;
use crate::http::reply::{Reply, json};
use crate::http::wire;
use crate::volume;
use std::borrow::Cow;

#[utoipa::path(
    get, path = "/v1/volumes/external", tag = "volumes",
    params(OfPlugin, DriverPages, InNamespace, Read),
    responses(At<wire::ExternalVolumes<'static>>, NotFound, ReadErrors, DriverErrors),
)]
pub(in crate::http) async fn list_external_volumes(
    cp: &ControlPlane,
    asking: &Asking<'_>,
) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let plugin = asking.query.get("plugin_id").unwrap_or_default();
    let page = ListVolumes {
        max_entries: options.per_page,
        starting_token: options.next_token,
    };
    let listed = volume::list_external(cp, plugin, &page).await?;
    let answer = wire::ExternalVolumes {
        index: 0,
        known_leader: false,
        last_contact: 0,
        next_token: listed.next_token.as_str().into(),
        volumes: Some(listed.entries.iter().map(shown).collect()),
    };
    Ok(json(&answer).asked_directly())
}

fn shown(listed: &ListedVolume) -> wire::ExternalVolume<'_> {
    let volume = &listed.volume;
    let (clone_id, snapshot_id) = match &volume.content_source {
        Some(ContentSource::Volume(id)) => (id.as_str(), ""),
        Some(ContentSource::Snapshot(id)) => ("", id.as_str()),
        None => ("", ""),
    };
    let Condition { abnormal, message } = listed.condition.clone().unwrap_or_default();
    wire::ExternalVolume {
        capacity_bytes: volume.capacity_bytes,
        clone_id: clone_id.into(),
        external_id: volume.external_id.as_str().into(),
        is_abnormal: abnormal,
        published_external_node_ids: listed
            .published_node_ids
            .as_ref()
            .map(|ids| ids.iter().map(|id| id.as_str().into()).collect()),
        snapshot_id: snapshot_id.into(),
        status: message.into(),
        volume_context: (!volume.context.is_empty()).then_some(Cow::Borrowed(&volume.context)),
    }
}
