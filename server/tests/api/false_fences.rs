//! Fences of hosts that live: what they passed over is taken down, and only then is the rest undone.

use crate::claimed::{Claimed, named};
use crate::claims::DOWN;
use crate::driven::NOT_AT_ALL;
use crate::scripted_driver::{Reply, controller_capabilities};
use jiff::SignedDuration;
use saddlebag::attachment::Stage;
use saddlebag::csi::Call::{
    self, ControllerUnpublishVolume, NodeStageVolume, NodeUnpublishVolume, NodeUnstageVolume,
};
use saddlebag::csi::v1;
use saddlebag::node;
use serde_json::json;
use std::collections::BTreeSet;
use tonic::Code;

/// What a node is asked for a volume with two claims.
const TAKEN_DOWN: [Call; 3] = [NodeUnpublishVolume, NodeUnpublishVolume, NodeUnstageVolume];

/// A volume with two claims on a node whose host is in this boot.
async fn claimed_twice() -> Claimed {
    let boot = |config: &mut saddlebag::config::Config| config.boot_id = Some("one".to_owned());
    let rig = Claimed::start_with(|_| {}, boot).await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.take("v", "b", json!({})).await.unwrap();
    rig.forget();
    rig
}

impl Claimed {
    async fn fence(&self) {
        let cp = &self.server().control_plane;
        node::fence(cp, &cp.node, "it looked dead").await.unwrap();
    }

    async fn unfence(&self) {
        let cp = &self.server().control_plane;
        node::unfence(cp, &cp.node).await.unwrap();
    }

    /// Waits until the next step of the attachment was tried this often.
    async fn tried(&self, times: u32) {
        let server = self.server();
        server
            .until("a try that failed", |state| {
                let mut attachments = state.attachments();
                attachments.any(|attachment| attachment.row.tries.attempts == times)
            })
            .await;
    }

    async fn later(&self) {
        let clock = &self.server().clock;
        clock.advance(SignedDuration::from_mins(10));
    }

    async fn nothing_attached(&self) {
        self.server()
            .until("nothing to be attached", |state| {
                state.attachments().next().is_none()
            })
            .await;
    }

    fn stage(&self) -> Stage {
        self.server().attachment().stage
    }
}

/// Weakness W8, of a node that is not gone.
#[tokio::test]
async fn a_fenced_node_that_answers_is_asked_before_a_refused_detach_is_tried_again() {
    let rig = claimed_twice().await;
    let in_use = Reply::refuse(Code::FailedPrecondition, "it is in use on the node");
    rig.driver().script(ControllerUnpublishVolume, in_use);
    rig.fence().await;
    rig.tried(1).await;
    assert_eq!(
        rig.calls(),
        [ControllerUnpublishVolume],
        "its word counts first"
    );
    rig.later().await;
    rig.server().gone("v", "a").await;
    rig.server().gone("v", "b").await;
    rig.nothing_attached().await;
    let detach = [ControllerUnpublishVolume];
    assert_eq!(rig.calls(), [&detach[..], &TAKEN_DOWN, &detach].concat());
}

#[tokio::test]
async fn a_fenced_node_that_fails_does_not_keep_its_volumes_from_being_detached() {
    let rig = claimed_twice().await;
    let in_use = Reply::refuse(Code::FailedPrecondition, "it is in use on the node");
    rig.driver().script(ControllerUnpublishVolume, in_use);
    let broken = Reply::refuse(Code::Internal, "input/output error");
    rig.driver().always(NodeUnpublishVolume, broken);
    rig.fence().await;
    rig.tried(1).await;
    rig.later().await;
    rig.tried(2).await;
    rig.later().await;
    rig.server().gone("v", "a").await;
    rig.server().gone("v", "b").await;
    let calls = rig.calls();
    let turns = [
        ControllerUnpublishVolume,
        NodeUnpublishVolume,
        ControllerUnpublishVolume,
    ];
    assert_eq!(calls[..3], turns);
    assert_eq!(rig.stage(), Stage::Detached);
    rig.driver().as_usual(NodeUnpublishVolume);
    rig.later().await;
    rig.nothing_attached().await;
}

#[tokio::test]
async fn once_a_fence_is_taken_away_the_node_is_asked_before_anything_is_detached() {
    let rig = claimed_twice().await;
    let unavailable = Reply::refuse(Code::Unavailable, "the network is down");
    rig.driver().always(ControllerUnpublishVolume, unavailable);
    rig.fence().await;
    rig.tried(1).await;
    rig.unfence().await;
    rig.driver().as_usual(ControllerUnpublishVolume);
    rig.forget();
    rig.later().await;
    rig.nothing_attached().await;
    assert_eq!(
        rig.calls(),
        [&TAKEN_DOWN[..], &[ControllerUnpublishVolume]].concat()
    );
    let unpublished: Vec<v1::NodeUnpublishVolumeRequest> =
        rig.driver().questions(NodeUnpublishVolume);
    let targets = ["a", "b"].map(|name| {
        let state = rig.server().control_plane.state();
        let ended = state.ended_claim(&named("v", name)).unwrap();
        ended.row.target_path.display().to_string()
    });
    let asked: BTreeSet<String> = unpublished.into_iter().map(|it| it.target_path).collect();
    assert_eq!(asked, targets.into());
}

/// Whoever claims it again gets it after what is left has been taken down, not on top of it.
#[tokio::test]
async fn what_was_detached_on_a_word_is_taken_down_before_the_node_has_it_again() {
    let rig = claimed_twice().await;
    let broken = Reply::refuse(Code::Internal, "input/output error");
    rig.driver().always(NodeUnstageVolume, broken);
    rig.fence().await;
    rig.server().gone("v", "a").await;
    rig.server().gone("v", "b").await;
    rig.tried(1).await;
    assert_eq!(rig.stage(), Stage::Detached);
    rig.unfence().await;
    let taken = rig.server().take_within(NOT_AT_ALL, "v", "c", json!({}));
    taken.await.unwrap();
    rig.forget();
    rig.driver().as_usual(NodeUnstageVolume);
    rig.later().await;
    rig.server().published("v", "c").await;
    let calls = rig.calls();
    let of = |call: Call| calls.iter().position(|asked| *asked == call);
    assert!(of(NodeUnstageVolume).is_some(), "{calls:?}");
    assert!(of(NodeUnstageVolume) < of(NodeStageVolume), "{calls:?}");
    assert_eq!(of(ControllerUnpublishVolume), None, "{calls:?}");
}

#[tokio::test]
async fn what_was_detached_on_a_word_holds_up_no_delete_and_is_forgotten_after_a_reboot() {
    let mut rig = claimed_twice().await;
    let broken = Reply::refuse(Code::Internal, "input/output error");
    rig.driver().always(NodeUnpublishVolume, broken);
    rig.fence().await;
    rig.server().gone("v", "a").await;
    rig.server().gone("v", "b").await;
    rig.tried(1).await;
    let delete = rig.server().client.delete_volume().volume_id("v");
    delete.send().await.unwrap();
    assert_eq!(rig.stage(), Stage::Detached);
    rig.driver().as_usual(NodeUnpublishVolume);
    let another = |config: &mut saddlebag::config::Config| config.boot_id = Some("two".to_owned());
    rig.rig.server.restart_with(another).await;
    rig.forget();
    rig.nothing_attached().await;
    assert_eq!(rig.calls(), []);
}

/// A driver that does not attach cannot refuse to detach.
#[tokio::test]
async fn what_a_fence_passed_over_is_taken_down_where_nothing_is_attached() {
    let boot = |config: &mut saddlebag::config::Config| config.boot_id = Some("one".to_owned());
    let rig = Claimed::start_with(
        |driver| {
            let controller = Reply::answer(controller_capabilities(&[1]));
            driver.always(Call::ControllerGetCapabilities, controller);
        },
        boot,
    )
    .await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.forget();
    rig.fence().await;
    rig.server().gone("v", "a").await;
    rig.nothing_attached().await;
    assert_eq!(rig.calls(), DOWN[..2]);
}
