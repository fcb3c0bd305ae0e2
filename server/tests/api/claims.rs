//! The life of claims: what drivers are asked, in which order, and what is left when something fails.

use crate::claimed::Claimed;
use crate::scripted_driver::Reply;
use crate::server::TestServer;
use saddlebag::claim::{Ended, Stage};
use saddlebag::csi::Call;
use serde_json::json;
use tonic::Code;

/// What is asked to bring a volume to a user, and to take it back.
const UP: [Call; 3] = [
    Call::ControllerPublishVolume,
    Call::NodeStageVolume,
    Call::NodePublishVolume,
];
const DOWN: [Call; 3] = [
    Call::NodeUnpublishVolume,
    Call::NodeUnstageVolume,
    Call::ControllerUnpublishVolume,
];

#[tokio::test]
async fn a_file_written_through_one_claim_is_read_through_the_next() {
    let server = TestServer::start().await;
    server.create("data").await;
    let claimed = server.take("data", "a", json!({})).await.unwrap();
    assert_eq!(claimed.stage, Stage::Published);
    std::fs::write(claimed.target_path.join("note"), "kept").unwrap();
    server.give_back("data", "a").await.unwrap();
    assert!(!claimed.target_path.exists());

    let again = server.take("data", "b", json!({})).await.unwrap();
    let note = std::fs::read_to_string(again.target_path.join("note"));
    assert_eq!(note.unwrap(), "kept");
    server.give_back("data", "b").await.unwrap();
    assert_eq!(server.control_plane.state().attachments().count(), 0);
}

#[tokio::test]
async fn a_claim_goes_up_and_down_in_the_order_of_csi() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    assert_eq!(rig.calls(), UP);
    rig.forget();
    rig.give_back("v", "a").await.unwrap();
    assert_eq!(rig.calls(), DOWN);
    assert_eq!(rig.ended("v", "a"), Some(Ended::Released));
}

#[tokio::test]
async fn two_claims_on_a_node_share_one_staging_path_and_the_last_takes_it_down() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.take("v", "b", json!({})).await.unwrap();
    let expected = [&UP[..], &[Call::NodePublishVolume]].concat();
    assert_eq!(rig.calls(), expected);
    rig.forget();
    rig.give_back("v", "a").await.unwrap();
    assert_eq!(rig.calls(), [Call::NodeUnpublishVolume]);
    rig.give_back("v", "b").await.unwrap();
    let expected = [&[Call::NodeUnpublishVolume], &DOWN[..]].concat();
    assert_eq!(rig.calls(), expected);
}

#[tokio::test]
async fn what_a_driver_refuses_is_unwound_and_the_claim_stays_readable_as_failed() {
    for (call, unwound) in [
        (
            Call::ControllerPublishVolume,
            &[
                Call::ControllerPublishVolume,
                Call::ControllerUnpublishVolume,
            ][..],
        ),
        (
            Call::NodeStageVolume,
            &[
                Call::ControllerPublishVolume,
                Call::NodeStageVolume,
                Call::NodeUnstageVolume,
                Call::ControllerUnpublishVolume,
            ],
        ),
        (Call::NodePublishVolume, &[UP, DOWN].concat()),
    ] {
        let rig = Claimed::start().await;
        rig.register("v").await;
        rig.driver()
            .script(call, Reply::refuse(Code::FailedPrecondition, "no"));
        let error = rig.take("v", "a", json!({})).await.unwrap_err();
        assert_eq!(error.fault.answer().status, 409, "{call}: {error}");
        assert_eq!(rig.calls(), unwound, "{call}");
        assert_eq!(rig.ended("v", "a"), Some(Ended::Failed), "{call}");
        rig.take("v", "b", json!({})).await.unwrap();
    }
}
