//! What a node shows of itself.

use super::claim::allocation;
use super::plugin::{instance, job_allocation};
use crate::http::wire::{self, blank};
use crate::id::NodeId;
use crate::node::{Fenced, Node};
use crate::plugin::{Instance, Role};
use crate::state::{State, Stored};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A node as lists show it. `here`: the node that this process does the work of, at this address.
pub fn node_stub<'a>(
    stored: &'a Stored<Node>,
    here: &NodeId,
    address: &'a str,
) -> wire::NodeStub<'a> {
    let row = &stored.row;
    let fence = row.fenced.as_ref();
    wire::NodeStub {
        create_index: stored.created.0,
        fence: fence.map(self::fence),
        id: row.id.as_str().into(),
        modify_index: stored.modified.0,
        name: row.name.as_str().into(),
        scheduling_eligibility: eligibility(fence).into(),
        status: status(&row.id, here).into(),
        status_description: description(fence),
        address: match row.id == *here {
            true => host(address).into(),
            false => "".into(),
        },
        blanks: blank::NODE_STUB,
    }
}

/// What is on a node, in the shape of Nomad's allocations, the newest first: the claims that are not at an
/// end, and the drivers of plugin jobs.
pub fn node_allocations<'a>(state: &'a State, node: &NodeId) -> Vec<wire::AllocationStub<'a>> {
    let name = state.name_of(node);
    let claims = state.claims_on(node).map(|claim| allocation(claim, name));
    let mut all: Vec<_> = claims.collect();
    for plugin in state.plugins() {
        let here = plugin.jobs.iter().filter(|job| job.row.node == *node);
        all.extend(here.map(|job| job_allocation(plugin, job, name)));
    }
    all.sort_by(|one, other| {
        let newest = other.create_index.cmp(&one.create_index);
        newest.then_with(|| one.id.cmp(&other.id))
    });
    all
}

/// A node as it is read, likewise. `tls`: whether the address is answered over TLS.
pub fn node<'a>(
    state: &'a State,
    stored: &'a Stored<Node>,
    here: &NodeId,
    address: &'a str,
    tls: bool,
) -> wire::Node<'a> {
    let row = &stored.row;
    let fence = row.fenced.as_ref();
    let plugins = |role: Role| -> BTreeMap<Cow<'a, str>, wire::PluginInstance<'a>> {
        let instances = state.plugins().flat_map(move |plugin| {
            // Of several beside one node a healthy one is shown: it is put last.
            let mut beside: Vec<&'a Instance> = plugin.of_role(role).collect();
            beside.retain(|instance| instance.node == row.id);
            beside.sort_by_key(|instance| instance.healthy);
            beside
        });
        let named = instances.map(|found| (Cow::Borrowed(found.plugin.as_str()), instance(found)));
        named.collect()
    };
    wire::Node {
        boot_id: (!row.boot_id.is_empty()).then(|| row.boot_id.as_str().into()),
        controller_plugins: plugins(Role::Controller),
        node_plugins: plugins(Role::Node),
        create_index: stored.created.0,
        fence: fence.map(self::fence),
        id: row.id.as_str().into(),
        modify_index: stored.modified.0,
        name: row.name.as_str().into(),
        scheduling_eligibility: eligibility(fence).into(),
        status: status(&row.id, here).into(),
        status_description: description(fence),
        http_address: match row.id == *here {
            true => address.into(),
            false => "".into(),
        },
        tls_enabled: tls && row.id == *here,
        blanks: blank::NODE,
    }
}

/// The host of an address with a port.
pub fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

fn fence(fenced: &Fenced) -> wire::Fence<'_> {
    wire::Fence {
        by: fenced.by.as_str().into(),
        reason: fenced.reason.as_str().into(),
        time: fenced.at,
    }
}

fn eligibility(fence: Option<&Fenced>) -> &'static str {
    match fence {
        Some(_) => "ineligible",
        None => "eligible",
    }
}

/// Work is done on no other node than this process's own.
fn status(node: &NodeId, here: &NodeId) -> &'static str {
    if node == here { "ready" } else { "down" }
}

fn description(fence: Option<&Fenced>) -> Cow<'static, str> {
    fence.map_or("".into(), |fence| {
        format!("fenced: {}", fence.reason).into()
    })
}
