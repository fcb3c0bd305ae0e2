//! The routes of tag `claims`.

mod spec;

use super::declared::{
    At, Blocking, BodyErrors, Change, ChangeErrors, ClaimFilter, ClaimPath, Crowded, Done,
    InNamespace, List, Missing, Page, Pages, Read, ReadErrors, RecordErrors, RefusalErrors, Region,
    VolumePath,
};
use super::edge::options::DEFAULT_NAMESPACE;
use super::edge::{ReadOptions, WriteOptions};
use super::front::Asking;
use super::reply::{Reply, empty, json, missing};
use super::request::ClaimRequest as Described;
use super::{waiting, wire};
use crate::claim::{self, Claim, ClaimKey};
use crate::control::ControlPlane;
use crate::error::{Error, Fault};
use crate::id::{AllocationId, Namespace, VolumeId, VolumeKey};
use crate::operation::verbs::Deadline;
use crate::picture;
use crate::state::{Interest, State, Stored};
use crate::store::Index;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long a claim waits to be published, and a release to be done, unless its client says.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);

#[utoipa::path(
    put, path = "/v1/volume/csi/{volume_id}/claim", tag = "claims",
    params(VolumePath, Change),
    request_body = Described,
    responses(At<wire::Claim<'static>>, BodyErrors, ChangeErrors, RefusalErrors),
)]
pub(super) async fn claim_volume(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let described = Described::decode(asking.body()?)?;
    let region = &asking.settings.region;
    let options = WriteOptions::waiting(asking.query, region, DEFAULT_WAIT)?;
    let volume = volume(asking, options.namespace.as_deref());
    if let Some(allocation) = &described.allocation_id {
        asking.record.concerns("claim", allocation);
    }
    let request = spec::spec(described).map_err(|error| error.volume(&volume.id))?;
    let deadline = Deadline::after(options.wait);
    let (_, allocation) = claim::take(cp, &volume, request, deadline).await?;
    asking.record.concerns("claim", allocation.as_str());
    now(cp, (volume, allocation))
}

#[utoipa::path(
    get, path = "/v1/volume/csi/{volume_id}/claims", tag = "claims",
    params(VolumePath, InNamespace, ClaimFilter, Pages, Blocking, Read),
    responses(Page<List<wire::Claim<'static>>>, Missing, ReadErrors, Crowded),
)]
pub(super) async fn list_claims(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let wanted = asking.query.filled("state");
    if wanted.is_some_and(|state| !picture::CLAIM_STATES.contains(&state)) {
        let states = picture::CLAIM_STATES.join(", ");
        return Err(Fault::Malformed(format!("`state` has to be one of {states}")).into());
    }
    let volume = volume(asking, Some(&options.namespace));
    let interest = Interest::Claims(volume.clone());
    let state = waiting::state(cp, asking, &options, interest, index).await?;
    let mut claims: Vec<&Arc<Stored<Claim>>> = state.claims_of(&volume).collect();
    claims.extend(state.ended_claims_of(&volume));
    if claims.is_empty() && state.volume(&volume).is_none() {
        let error = Error::from(Fault::NoVolumeToRead).volume(&volume.id);
        return Err(missing(error, index(&state)));
    }
    claims.sort_by_key(|stored| stored.row.allocation.clone());
    let mut shown = claims
        .into_iter()
        .filter(|stored| wanted.is_none_or(|wanted| wanted == picture::claim_state(&stored.row)))
        .skip_while(|stored| stored.row.allocation.as_str() < options.next_token.as_str());
    let page: Vec<_> = shown
        .by_ref()
        .take(options.page_size())
        .map(|stored| picture::claim(&state, stored))
        .collect();
    let next = (options.per_page != 0).then(|| shown.next()).flatten();
    let token = next.map(|stored| stored.row.allocation.as_str());
    Ok(json(&page).at(index(&state)).next_page(token))
}

#[utoipa::path(
    get, path = "/v1/volume/csi/{volume_id}/claim/{alloc_id}", tag = "claims",
    params(VolumePath, ClaimPath, InNamespace, Blocking, Read),
    responses(At<wire::Claim<'static>>, Missing, ReadErrors, Crowded),
)]
pub(super) async fn read_claim(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let key = (volume(asking, Some(&options.namespace)), allocation(asking));
    let interest = Interest::Claim(key.clone());
    let state = waiting::state(cp, asking, &options, interest, index).await?;
    show(&state, &key)
}

#[utoipa::path(
    delete, path = "/v1/volume/csi/{volume_id}/claim/{alloc_id}", tag = "claims",
    params(VolumePath, ClaimPath, Change),
    responses(At<wire::Claim<'static>>, RecordErrors),
)]
pub(super) async fn release_claim(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let region = &asking.settings.region;
    let options = WriteOptions::waiting(asking.query, region, DEFAULT_WAIT)?;
    let volume = volume(asking, options.namespace.as_deref());
    let allocation = allocation(asking);
    claim::release(cp, &volume, &allocation, Deadline::after(options.wait)).await?;
    now(cp, (volume, allocation))
}

#[utoipa::path(
    put,
    path = "/v1/volume/csi/{volume_id}/retry",
    tag = "claims",
    params(VolumePath, InNamespace, Region),
    responses(Done, RecordErrors)
)]
pub(super) async fn retry_claims(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = WriteOptions::read(asking.query, &asking.settings.region)?;
    let volume = volume(asking, options.namespace.as_deref());
    let index = claim::retry(cp, &volume).await?;
    Ok(empty().at(index))
}

/// The newest commit to a claim or an attachment. Never 0: who follows from there would be answered at
/// once, again and again.
fn index(state: &State) -> Index {
    state.claims_index.max(Index(1))
}

fn volume(asking: &Asking<'_>, namespace: Option<&str>) -> VolumeKey {
    VolumeKey {
        namespace: Namespace::known(namespace.unwrap_or(DEFAULT_NAMESPACE)),
        id: VolumeId::known(asking.param("volume_id")),
    }
}

/// What is no UUID names no claim.
fn allocation(asking: &Asking<'_>) -> AllocationId {
    let id = asking.param("alloc_id");
    match Uuid::try_parse(id) {
        Ok(uuid) => AllocationId::known(uuid.hyphenated().to_string()),
        Err(_) => AllocationId::known(id),
    }
}

/// A claim as the newest state shows it.
fn now(cp: &ControlPlane, key: ClaimKey) -> Reply {
    show(&cp.state(), &key)
}

fn show(state: &State, key: &ClaimKey) -> Reply {
    match state.claim(key).or_else(|| state.ended_claim(key)) {
        Some(stored) => Ok(json(&picture::claim(state, stored)).at(index(state))),
        None => {
            let (volume, allocation) = key;
            let error = Error::from(Fault::ClaimNotFound);
            let error = error.volume(&volume.id).claim(allocation);
            Err(missing(error, index(state)))
        }
    }
}
