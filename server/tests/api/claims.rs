//! The life of claims: what drivers are asked, in which order, and what is left when something fails.

use crate::claimed::Claimed;
use crate::driven::NOT_AT_ALL;
use crate::rig::shared;
use crate::scripted_driver::{Reply, controller_capabilities, node_capabilities};
use crate::server::TestServer;
use jiff::SignedDuration;
use saddlebag::claim::{Ended, Stage};
use saddlebag::csi::{Call, v1};
use serde_json::json;
use tokio::sync::watch;
use tonic::Code;

/// What is asked to bring a volume to a user, and to take it back.
pub const UP: [Call; 3] = [
    Call::ControllerPublishVolume,
    Call::NodeStageVolume,
    Call::NodePublishVolume,
];
pub const DOWN: [Call; 3] = [
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

/// Conformance case 63; weaknesses W3 and W4.
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

/// Weakness W15.
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
        let gone = rig.server().gone("v", "a").await;
        assert_eq!(gone.end(), Some(Ended::Failed), "{call}");
        assert_eq!(rig.calls(), unwound, "{call}");
        rig.take("v", "b", json!({})).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_claim_is_answered_at_once_though_it_is_not_unwound_yet() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.driver().script(
        Call::NodePublishVolume,
        Reply::refuse(Code::OutOfRange, "no"),
    );
    let (go_on, held) = watch::channel(false);
    let reply = Reply::Once(held, Box::new(Reply::Usual));
    rig.driver().script(Call::NodeUnpublishVolume, reply);
    for _ in 0..2 {
        let error = rig.take("v", "a", json!({})).await.unwrap_err();
        assert_eq!(error.fault.answer().status, 400, "{error}");
        assert!(rig.server().claimed("v", "a").failure.is_some());
    }
    go_on.send_replace(true);
    rig.server().gone("v", "a").await;
}

#[tokio::test]
async fn what_is_unclear_is_asked_again_until_it_is_clear() {
    for call in UP.into_iter().chain(DOWN) {
        let rig = Claimed::start().await;
        rig.register("v").await;
        rig.driver()
            .script(call, Reply::refuse(Code::Unavailable, "later"));
        rig.driver()
            .script(call, Reply::refuse(Code::Aborted, "busy"));
        rig.take("v", "a", json!({})).await.unwrap();
        rig.give_back("v", "a").await.unwrap();
        let calls = rig.calls();
        let asked = calls.iter().filter(|asked| **asked == call).count();
        assert_eq!(asked, 3, "{call}");
        let mut in_order = calls;
        in_order.dedup();
        assert_eq!(in_order, [UP, DOWN].concat(), "{call}");
    }
}

/// Conformance case 66; weakness W1.
#[tokio::test]
async fn a_release_has_no_final_error_and_nothing_is_detached_before_the_node_is_done() {
    for call in DOWN {
        let rig = Claimed::start().await;
        rig.register("v").await;
        rig.take("v", "a", json!({})).await.unwrap();
        rig.forget();
        rig.driver()
            .script(call, Reply::refuse(Code::Internal, "broken"));
        rig.driver()
            .script(call, Reply::refuse(Code::FailedPrecondition, "busy"));
        rig.give_back("v", "a").await.unwrap();
        let mut calls = rig.calls();
        assert_eq!(calls.len(), 5, "{call}: {calls:?}");
        calls.dedup();
        assert_eq!(calls, DOWN, "{call}");
    }
}

#[tokio::test]
async fn a_claim_that_comes_while_its_attachment_leaves_gets_the_next_one() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    let (go_on, held) = watch::channel(false);
    let reply = Reply::Once(held, Box::new(Reply::Usual));
    rig.driver().script(Call::ControllerUnpublishVolume, reply);
    rig.server().ask_back("v", "a").await;
    rig.driver().asked(Call::ControllerUnpublishVolume, 1).await;
    let waiting = rig
        .server()
        .take_within(NOT_AT_ALL, "v", "b", json!({}))
        .await
        .unwrap();
    assert_eq!((waiting.stage, waiting.attachment), (Stage::Taken, None));
    rig.forget();
    go_on.send_replace(true);
    rig.server().published("v", "b").await;
    assert_eq!(rig.calls(), UP);
    rig.server().gone("v", "a").await;
}

#[tokio::test]
async fn a_claim_released_before_it_is_published_is_unwound() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    let (go_on, held) = watch::channel(false);
    let reply = Reply::Once(held, Box::new(Reply::Usual));
    rig.driver().script(Call::NodeStageVolume, reply);
    rig.server()
        .take_within(NOT_AT_ALL, "v", "a", json!({}))
        .await
        .unwrap();
    rig.driver().asked(Call::NodeStageVolume, 1).await;
    rig.server().ask_back("v", "a").await;
    go_on.send_replace(true);
    rig.server().gone("v", "a").await;
    let staged = [Call::ControllerPublishVolume, Call::NodeStageVolume];
    assert_eq!(rig.calls(), [&staged[..], &DOWN[1..]].concat());
}

/// Conformance case 79, of two volumes.
#[tokio::test]
async fn a_volume_that_hangs_on_a_node_holds_up_no_other() {
    let rig = Claimed::start().await;
    rig.register("stuck").await;
    rig.register("free").await;
    rig.driver().script(Call::NodeStageVolume, Reply::Hang);
    let stuck = rig
        .server()
        .take_within(NOT_AT_ALL, "stuck", "a", json!({}));
    stuck.await.unwrap();
    rig.driver().asked(Call::NodeStageVolume, 1).await;
    rig.take("free", "a", json!({})).await.unwrap();
    rig.give_back("free", "a").await.unwrap();
    assert_eq!(rig.server().claimed("stuck", "a").stage, Stage::Taken);
}

#[tokio::test]
async fn a_driver_that_neither_attaches_nor_stages_is_asked_to_publish_only() {
    let rig = Claimed::start_with(
        |driver| {
            let no_attach: Vec<i32> = (1..=17).filter(|call| *call != 2).collect();
            let controller = Reply::answer(controller_capabilities(&no_attach));
            driver.always(Call::ControllerGetCapabilities, controller);
            let node = Reply::answer(node_capabilities(&[2, 3]));
            driver.always(Call::NodeGetCapabilities, node);
        },
        |_| {},
    )
    .await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    let asked: v1::NodePublishVolumeRequest = rig.driver().last(Call::NodePublishVolume);
    assert_eq!(asked.staging_target_path, "");
    rig.give_back("v", "a").await.unwrap();
    assert_eq!(
        rig.calls(),
        [Call::NodePublishVolume, Call::NodeUnpublishVolume]
    );
    assert_eq!(rig.server().control_plane.state().attachments().count(), 0);
}

/// Weakness W11.
#[tokio::test]
async fn contexts_and_secrets_reach_every_call_that_takes_them_and_no_row() {
    let rig = Claimed::start().await;
    let described = json!({
        "ExternalID": "of-v", "Secrets": {"key": "s3cret"}, "Context": {"place": "attic"},
    });
    rig.register_as("v", described).await;
    let answer = v1::ControllerPublishVolumeResponse {
        publish_context: [("token".to_owned(), "t0ken".to_owned())].into(),
    };
    let script = Reply::answer(answer);
    rig.driver().script(Call::ControllerPublishVolume, script);
    rig.take("v", "a", json!({})).await.unwrap();
    let rows = serde_json::to_string(&rig.server().attachment()).unwrap();
    assert!(
        !rows.contains("s3cret") && !rows.contains("t0ken"),
        "{rows}"
    );
    rig.give_back("v", "a").await.unwrap();

    let attach: v1::ControllerPublishVolumeRequest = rig.driver().last(UP[0]);
    let stage: v1::NodeStageVolumeRequest = rig.driver().last(UP[1]);
    let publish: v1::NodePublishVolumeRequest = rig.driver().last(UP[2]);
    let detach: v1::ControllerUnpublishVolumeRequest = rig.driver().last(DOWN[2]);
    assert_eq!(attach.node_id, "node-of-the-driver");
    assert_eq!(detach.node_id, "node-of-the-driver");
    for secrets in [
        &attach.secrets,
        &stage.secrets,
        &publish.secrets,
        &detach.secrets,
    ] {
        assert_eq!(secrets["key"], "s3cret");
    }
    for context in [
        &attach.volume_context,
        &stage.volume_context,
        &publish.volume_context,
    ] {
        assert_eq!(context["place"], "attic");
    }
    for context in [&stage.publish_context, &publish.publish_context] {
        assert_eq!(context["token"], "t0ken");
    }
}

/// Weakness W18.
#[tokio::test]
async fn a_try_of_an_attachment_does_not_wake_readers_of_its_volume() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    let later = Reply::refuse(Code::Unavailable, "later");
    rig.driver().always(Call::ControllerPublishVolume, later);
    let waiting = rig.server().take_within(NOT_AT_ALL, "v", "a", json!({}));
    waiting.await.unwrap();
    let taken = rig.server().control_plane.state();
    rig.server()
        .until("two tries", |state| {
            let mut attachments = state.attachments();
            attachments.next().unwrap().row.tries.attempts == 2
        })
        .await;
    let tried = rig.server().control_plane.state();
    assert_eq!(tried.volumes_index, taken.volumes_index);
    assert!(tried.claims_index > taken.claims_index);
}

#[tokio::test]
async fn ended_claims_can_be_read_for_an_hour() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.give_back("v", "a").await.unwrap();
    let again = rig.take("v", "a", json!({})).await.unwrap_err();
    assert_eq!(again.fault.answer().code, "claim_conflict");
    rig.server().clock.advance(SignedDuration::from_secs(3_700));
    rig.server()
        .until("the claim to be forgotten", |state| {
            state.ended_claims().len() == 0
        })
        .await;
    rig.take("v", "a", json!({})).await.unwrap();
}

/// More claims than one commit takes along, of one attachment, fail and end all the same.
#[tokio::test]
async fn a_crowd_that_waits_for_one_attachment_fails_with_it_and_comes_again() {
    const CROWD: usize = 60;
    let rig = Claimed::start().await;
    rig.register_as("v", shared("of-v")).await;
    let writing = json!({"access_mode": "multi-node-multi-writer"});
    let (go_on, held) = watch::channel(false);
    let no = Box::new(Reply::refuse(Code::InvalidArgument, "no"));
    rig.driver()
        .script(Call::NodeStageVolume, Reply::Once(held, no));
    for at in 0..CROWD {
        let (name, request) = (format!("a{at}"), writing.clone());
        let taken = rig.server().take_within(NOT_AT_ALL, "v", &name, request);
        taken.await.unwrap();
    }
    rig.driver().asked(Call::NodeStageVolume, 1).await;
    go_on.send_replace(true);
    for at in 0..CROWD {
        let gone = rig.server().gone("v", &format!("a{at}")).await;
        assert_eq!(gone.end(), Some(Ended::Failed));
    }
    assert_eq!(rig.calls(), [UP[0], UP[1], DOWN[1], DOWN[2]]);
    rig.forget();

    let (go_on, held) = watch::channel(false);
    let reply = Reply::Once(held, Box::new(Reply::Usual));
    rig.driver().script(Call::ControllerUnpublishVolume, reply);
    rig.take("v", "first", writing.clone()).await.unwrap();
    rig.server().ask_back("v", "first").await;
    rig.driver().asked(Call::ControllerUnpublishVolume, 1).await;
    for at in 0..CROWD {
        let (name, request) = (format!("b{at}"), writing.clone());
        let taken = rig.server().take_within(NOT_AT_ALL, "v", &name, request);
        taken.await.unwrap();
    }
    rig.forget();
    go_on.send_replace(true);
    for at in 0..CROWD {
        rig.server().published("v", &format!("b{at}")).await;
    }
    assert_eq!(rig.calls().len(), 2 + CROWD);
}
