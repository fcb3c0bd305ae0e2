//! Deleting, deregistering and detaching volumes that have claims.

use crate::claimed::{Claimed, named};
use crate::claims::DOWN;
use crate::driven::NOT_AT_ALL;
use crate::rig::key;
use crate::scripted_driver::Reply;
use crate::server::PATIENCE;
use saddlebag::claim::Ended;
use saddlebag::csi::{Call, Secrets};
use saddlebag::operation::verbs::Deadline;
use saddlebag::volume;
use serde_json::json;
use tonic::Code;

#[tokio::test]
async fn a_volume_in_use_is_neither_deleted_nor_deregistered() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.forget();
    let (cp, deadline) = (&rig.server().control_plane, Deadline::after(PATIENCE));
    let deleted = volume::delete(cp, &key("v"), &Secrets::none(), deadline).await;
    assert_eq!(deleted.unwrap_err().to_string(), "volume in use: v");
    for force in [false, true] {
        let forgotten = volume::deregister(cp, &key("v"), force, deadline).await;
        assert_eq!(forgotten.unwrap_err().to_string(), "volume in use: v");
    }
    assert_eq!(rig.calls(), []);
    rig.give_back("v", "a").await.unwrap();
    volume::delete(cp, &key("v"), &Secrets::none(), deadline)
        .await
        .unwrap();
}

/// Conformance case 69; weakness W33: claims are one table, and need no volume to be released.
#[tokio::test]
async fn force_forgets_a_volume_whose_claims_are_finished_and_they_are_released_all_the_same() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.forget();
    let broken = Reply::refuse(Code::Internal, "broken");
    rig.driver().always(Call::NodeUnpublishVolume, broken);
    rig.server().ask_back("v", "a").await;
    rig.driver().asked(Call::NodeUnpublishVolume, 1).await;
    let (cp, deadline) = (&rig.server().control_plane, Deadline::after(PATIENCE));
    let refused = volume::deregister(cp, &key("v"), false, deadline).await;
    assert_eq!(refused.unwrap_err().to_string(), "volume in use: v");
    volume::deregister(cp, &key("v"), true, deadline)
        .await
        .unwrap();
    assert_eq!(cp.state().attachments().count(), 1);

    rig.register("v").await;
    let deleted = volume::delete(cp, &key("v"), &Secrets::none(), deadline).await;
    assert_eq!(deleted.unwrap_err().to_string(), "volume in use: v");
    rig.driver().as_usual(Call::NodeUnpublishVolume);
    rig.server().gone("v", "a").await;
    let mut calls = rig.calls();
    calls.retain(|call| DOWN.contains(call));
    calls.dedup();
    let unstaged = calls.iter().position(|call| *call == DOWN[1]).unwrap();
    assert_eq!(calls[unstaged..], DOWN[1..]);
}

#[tokio::test]
async fn a_finished_claim_is_detached_at_once_when_an_operator_asks() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    let (cp, deadline) = (&rig.server().control_plane, Deadline::after(PATIENCE));
    let live = volume::detach(cp, &key("v"), &cp.node, deadline).await;
    let text = live.unwrap_err().to_string();
    assert!(text.contains(named("v", "a").1.as_str()), "{text}");

    let broken = Reply::refuse(Code::Internal, "broken");
    rig.driver().always(Call::NodeUnpublishVolume, broken);
    rig.server().ask_back("v", "a").await;
    rig.driver().asked(Call::NodeUnpublishVolume, 2).await;
    let moment = Deadline::after(NOT_AT_ALL);
    let stuck = volume::detach(cp, &key("v"), &cp.node, moment)
        .await
        .unwrap_err();
    assert!(
        stuck
            .to_string()
            .starts_with("could not detach from node: "),
        "{stuck}"
    );
    rig.driver().as_usual(Call::NodeUnpublishVolume);
    volume::detach(cp, &key("v"), &cp.node, deadline)
        .await
        .unwrap();
    assert_eq!(rig.ended("v", "a"), Some(Ended::Released));
    volume::detach(cp, &key("v"), &cp.node, deadline)
        .await
        .unwrap();
}
