//! The route that looks for what needs somebody's attention.

use super::declared::{At, Read, ReadErrors, Wait};
use super::edge::WriteOptions;
use super::front::Asking;
use super::reply::{Reply, json};
use super::wire;
use crate::control::ControlPlane;
use crate::doctor::{self, Finding, Listing};
use crate::operation::verbs::Deadline;
use saddlebag_client::operations::Operation;
use std::time::Duration;

/// How long drivers may take, unless a client says.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);

/// Any one of these lets what is found in a namespace be seen.
const LISTING: &[&str] = Operation::Doctor.capability().namespace;

#[utoipa::path(
    get, path = "/v1/doctor", tag = "operations",
    params(Wait, Read),
    responses(At<wire::Diagnosis<'static>>, ReadErrors),
)]
pub(super) async fn doctor(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let region = &asking.settings.region;
    let options = WriteOptions::waiting(asking.query, region, DEFAULT_WAIT)?;
    let diagnosis = doctor::examine(cp, Deadline::after(options.wait)).await;
    let shown = wire::Diagnosis {
        findings: diagnosis
            .findings
            .iter()
            .filter(|found| {
                let volume = found.volume.as_ref();
                let namespace = volume.map_or("*", |volume| volume.namespace.as_str());
                asking.caller.access.in_namespace(namespace, LISTING)
            })
            .map(finding)
            .collect(),
        plugins: diagnosis.listings.iter().map(listing).collect(),
    };
    Ok(json(&shown).at(diagnosis.index))
}

fn finding(found: &Finding) -> wire::Finding<'_> {
    let volume = found.volume.as_ref();
    wire::Finding {
        allocation_id: found.allocation.as_ref().map(|id| id.as_str().into()),
        external_id: found.external_id.as_ref().map(|id| id.as_str().into()),
        kind: found.kind.as_str().into(),
        meaning: found.meaning.as_str().into(),
        namespace: volume.map(|volume| volume.namespace.as_str().into()),
        node_id: found.node.as_deref().map(Into::into),
        operation_id: found.operation.map(|id| id.to_string().into()),
        plugin_id: found.plugin.as_str().into(),
        remedy: found.remedy.as_str().into(),
        since: found.since,
        volume_id: volume.map(|volume| volume.id.as_str().into()),
    }
}

fn listing(listing: &Listing) -> wire::PluginListing<'_> {
    wire::PluginListing {
        asked: listing.asked,
        complete: listing.is_complete(),
        plugin_id: listing.plugin.as_str().into(),
        volumes: listing.volumes.len() as i64,
    }
}
