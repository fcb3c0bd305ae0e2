//! The routes of tag `nodes`.

use super::declared::{
    At, Blocking, Crowded, Filtered, List, Missing, NodePath, Prefix, Read, ReadErrors,
    RecordErrors, Region,
};
use super::edge::{ReadOptions, WriteOptions};
use super::front::Asking;
use super::reply::{Reply, encoded, json, missing};
use super::{filtering, waiting, wire};
use crate::control::ControlPlane;
use crate::error::{Error, Fault};
use crate::id::NodeId;
use crate::node;
use crate::picture;
use crate::state::{Interest, State};
use crate::store::Index;
use saddlebag_client::operations::Operation;

#[utoipa::path(
    get, path = "/v1/nodes", tag = "nodes",
    params(Prefix, Filtered, Blocking, Read),
    responses(At<List<wire::NodeStub<'static>>>, ReadErrors, Crowded),
)]
pub(super) async fn list_nodes(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let filter = filtering::filter(asking.query)?;
    let state = waiting::state(cp, asking, &options, Interest::Nodes, |state| {
        state.nodes_index
    })
    .await?;
    let prefix = options.prefix.to_lowercase();
    let mut nodes = Vec::new();
    for stored in state.nodes() {
        if stored.row.id.as_str().starts_with(&prefix) {
            let address = &asking.settings.address;
            let node = picture::encode(&picture::node_stub(stored, &cp.node, address));
            if filtering::shows(filter.as_ref(), &node[..])? {
                nodes.push(node);
            }
        }
    }
    Ok(encoded(picture::array(nodes)).at(state.nodes_index))
}

#[utoipa::path(
    get, path = "/v1/node/{node_id}", tag = "nodes",
    params(NodePath, Blocking, Read),
    responses(At<wire::Node<'static>>, Missing, ReadErrors, Crowded),
)]
pub(super) async fn read_node(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let id = id(asking);
    let state = waiting::state(cp, asking, &options, Interest::Node(id.clone()), shown).await?;
    show(cp, asking, &state, &id)
}

/// Any one of these lets the allocations of a namespace be seen, as those of a job.
const READING: &[&str] = Operation::ListJobAllocations.capability().namespace;

#[utoipa::path(
    get, path = "/v1/node/{node_id}/allocations", tag = "nodes",
    params(NodePath, Blocking, Read),
    responses(At<List<wire::NodeAllocation>>, ReadErrors, Crowded),
)]
pub(super) async fn list_node_allocations(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let id = id(asking);
    let newest =
        |state: &State| (state.claims_index.max(state.plugins_index)).max(state.nodes_index);
    let interest = Interest::Allocations(id.clone());
    let state = waiting::state(cp, asking, &options, interest, newest).await?;
    let mut allocations = picture::node_allocations(&state, &id);
    allocations.retain(|it| asking.caller.access.in_namespace(&it.namespace, READING));
    Ok(json(&allocations).at(newest(&state)))
}

#[utoipa::path(
    put, path = "/v1/node/{node_id}/fence", tag = "nodes",
    params(NodePath, ("reason" = String, Query), Region),
    responses(At<wire::Node<'static>>, RecordErrors),
)]
pub(super) async fn fence_node(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    WriteOptions::read(asking.query, &asking.settings.region)?;
    let reason = asking.query.get("reason").unwrap_or_default().trim();
    let id = id(asking);
    node::fence(cp, &id, reason).await?;
    show(cp, asking, &cp.state(), &id)
}

#[utoipa::path(
    delete, path = "/v1/node/{node_id}/fence", tag = "nodes",
    params(NodePath, Region),
    responses(At<wire::Node<'static>>, RecordErrors),
)]
pub(super) async fn unfence_node(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    WriteOptions::read(asking.query, &asking.settings.region)?;
    let id = id(asking);
    node::unfence(cp, &id).await?;
    show(cp, asking, &cp.state(), &id)
}

fn id(asking: &Asking<'_>) -> NodeId {
    NodeId::known(asking.param("node_id").to_lowercase())
}

/// The newest commit to what reading a node shows: the node, and the plugins there.
fn shown(state: &State) -> Index {
    state.nodes_index.max(state.plugins_index)
}

fn show(cp: &ControlPlane, asking: &Asking<'_>, state: &State, id: &NodeId) -> Reply {
    match state.node(id) {
        Some(stored) => {
            let (address, tls) = (&asking.settings.address, asking.settings.tls);
            let node = picture::node(state, stored, &cp.node, address, tls);
            Ok(json(&node).at(shown(state)))
        }
        None => Err(missing(
            Error::from(Fault::NoNodeToRead).node(id),
            shown(state),
        )),
    }
}
