//! A node on which nothing lives, and the end of all fences and claims.

use crate::server::TestServer;
use jiff::SignedDuration;
use saddlebag::claim;
use saddlebag::id::NodeId;
use saddlebag::node::{Node, unfence};
use saddlebag::operation::verbs::Deadline;
use saddlebag::store::{Transaction, keys};
use std::time::Duration;

/// Puts a node into the store that nothing lives on; its id.
pub async fn spare_node(server: &TestServer) -> String {
    let cp = &server.control_plane;
    let id = NodeId::known("00000000-0000-4000-8000-00000000000f");
    let here = cp.state().node(&cp.node).unwrap().row.clone();
    let spare = Node {
        id: id.clone(),
        name: "spare".to_owned(),
        ..here
    };
    let mut transaction = Transaction::default();
    transaction.put(keys::node(&id), &spare).unwrap();
    cp.commit(transaction).await.unwrap().unwrap();
    id.to_string()
}

/// Takes the fences away that are left.
pub async fn end_fences(server: &TestServer) {
    let cp = &server.control_plane;
    let nodes: Vec<NodeId> = cp.state().nodes().map(|node| node.row.id.clone()).collect();
    for node in nodes {
        unfence(cp, &node).await.unwrap();
    }
}

/// Releases what is claimed, and waits until nothing is. Time goes fast meanwhile, so that nothing waits
/// long for its next try.
pub async fn release_all(server: &TestServer) {
    let (cp, clock) = (&server.control_plane, server.clock.clone());
    let ticking = tokio::spawn(async move {
        loop {
            // The pace of the clock, not a wait: what is waited for below is awaited in the state.
            tokio::time::sleep(Duration::from_millis(20)).await;
            clock.advance(SignedDuration::from_secs(1));
        }
    });
    let state = cp.state();
    for claim in state.claims_on(&cp.node) {
        let (volume, allocation) = claim.row.key();
        let released = claim::release(cp, &volume, &allocation, Deadline::after(Duration::ZERO));
        released.await.unwrap();
    }
    server
        .until("everything to be released", |state| {
            state.claims_on(&cp.node).count() == 0 && state.attachments().count() == 0
        })
        .await;
    ticking.abort();
}
