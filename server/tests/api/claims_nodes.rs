//! What restarts, reboots, fences and crashes leave of claims.

use crate::claimed::Claimed;
use crate::claims::{DOWN, UP};
use crate::driven::NOT_AT_ALL;
use crate::scripted_driver::Reply;
use saddlebag::claim::{Ended, Stage};
use saddlebag::csi::Call;
use saddlebag::node;
use serde_json::json;
use tokio::sync::watch;

/// A server whose host is in this boot.
async fn booted(boot: &str) -> Claimed {
    Claimed::start_with(|_| {}, |config| config.boot_id = Some(boot.to_owned())).await
}

impl Claimed {
    async fn reboot(&mut self, boot: &str) {
        self.forget();
        let change = |config: &mut saddlebag::config::Config| {
            config.boot_id = Some(boot.to_owned());
        };
        self.rig.server.restart_with(change).await;
        self.rig.server.all_healthy().await;
    }
}

/// Conformance case 80, of mounts that are still there; weakness W2.
#[tokio::test]
async fn after_a_restart_a_volume_that_another_claim_uses_is_not_unstaged() {
    let mut rig = booted("one").await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.take("v", "b", json!({})).await.unwrap();
    rig.reboot("one").await;
    rig.give_back("v", "a").await.unwrap();
    assert_eq!(rig.calls(), [Call::NodeUnpublishVolume]);
    rig.give_back("v", "b").await.unwrap();
    assert_eq!(rig.calls()[1..], DOWN);
}

/// Conformance case 80, of mounts that are gone.
#[tokio::test]
async fn after_a_reboot_a_claim_is_published_again() {
    let mut rig = booted("one").await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.take("v", "b", json!({})).await.unwrap();
    rig.reboot("two").await;
    for name in ["a", "b"] {
        rig.server()
            .until("the claim to be published in the new boot", |state| {
                let claim = state.claim(&crate::claimed::named("v", name)).unwrap();
                claim.row.is_at_rest() && claim.row.boot == "two"
            })
            .await;
    }
    let again = [UP[1], UP[2], UP[2]];
    assert_eq!(
        rig.calls(),
        again,
        "the controller knows nothing of a reboot"
    );
}

/// Nothing is mounted there any more, although its row may not say so yet.
#[tokio::test]
async fn whoever_asks_for_his_claim_again_after_a_reboot_waits_until_it_is_published_anew() {
    let mut rig = booted("boot 0").await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    for number in 1..6 {
        let boot = format!("boot {number}");
        rig.reboot(&boot).await;
        let again = rig.take("v", "a", json!({})).await.unwrap();
        assert_eq!((again.boot, again.stage), (boot, Stage::Published));
    }
}

/// What a node still has to do because a volume grew is done once it is staged there again.
#[tokio::test]
async fn after_a_reboot_nothing_grows_before_it_is_staged_again() {
    let mut rig = booted("boot 0").await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.driver().script(Call::NodeExpandVolume, Reply::Hang);
    let larger = json!({
        "ExternalID": "of-v", "RequestedCapacityMin": 2 << 20, "MountOptions": {"FSType": ""},
    });
    rig.rig.register("v", larger).await.unwrap();
    rig.driver().asked(Call::NodeExpandVolume, 1).await;
    for number in 1..6 {
        rig.driver().script(Call::NodeExpandVolume, Reply::Hang);
        rig.reboot(&format!("boot {number}")).await;
        rig.driver().asked(Call::NodeExpandVolume, 1).await;
        let calls = rig.calls();
        let first = |call: Call| calls.iter().position(|asked| *asked == call);
        assert!(
            first(Call::NodeStageVolume) < first(Call::NodeExpandVolume),
            "{calls:?}"
        );
        rig.take("v", "a", json!({})).await.unwrap();
    }
}

/// Conformance case 70, as far as users are known to be gone: by the boot of their node.
#[tokio::test]
async fn after_a_reboot_a_claim_that_wants_it_is_released() {
    let mut rig = booted("one").await;
    rig.register("v").await;
    let release = json!({"on_reboot": "release"});
    rig.take("v", "a", release).await.unwrap();
    rig.reboot("two").await;
    let gone = rig.server().gone("v", "a").await;
    assert_eq!(gone.end(), Some(Ended::Released));
    assert_eq!(rig.calls(), DOWN);
}

/// Conformance case 65, otherwise; weakness W8.
#[tokio::test]
async fn what_is_claimed_on_a_fenced_node_is_detached_without_waiting_for_the_node() {
    let mut rig = booted("one").await;
    rig.register("v").await;
    rig.register("w").await;
    rig.take("v", "a", json!({})).await.unwrap();
    rig.take("v", "b", json!({})).await.unwrap();
    rig.take("w", "c", json!({})).await.unwrap();
    rig.forget();
    rig.driver().always(Call::NodeUnpublishVolume, Reply::Hang);
    let cp = rig.server().control_plane.clone();
    let unreasonable = node::fence(&cp, &cp.node, "").await.unwrap_err();
    assert_eq!(unreasonable.fault.answer().status, 400);
    node::fence(&cp, &cp.node, "it burnt down").await.unwrap();
    for (volume, name) in [("v", "a"), ("v", "b"), ("w", "c")] {
        rig.server().gone(volume, name).await;
    }
    assert_eq!(rig.rig.count(DOWN[2]), 2);
    assert_eq!(rig.rig.count(DOWN[1]), 0);
    let refused = rig.take("v", "d", json!({})).await.unwrap_err();
    assert_eq!(refused.fault.answer().code, "node_fenced");

    rig.reboot("one").await;
    let refused = rig.take("v", "d", json!({})).await.unwrap_err();
    assert_eq!(refused.fault.answer().code, "node_fenced");
    rig.reboot("two").await;
    rig.take("v", "d", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_node_that_was_fenced_by_mistake_takes_claims_again_when_that_is_taken_back() {
    let rig = booted("one").await;
    rig.register("v").await;
    let cp = &rig.server().control_plane;
    node::fence(cp, &cp.node, "a mistake").await.unwrap();
    node::unfence(cp, &cp.node).await.unwrap();
    rig.take("v", "a", json!({})).await.unwrap();
}

/// Conformance case 62: what ends on one node leaves the claim on the other.
#[tokio::test]
async fn each_node_has_an_attachment_of_its_own() {
    let rig = booted("one").await;
    let second = rig.second_node().await;
    let cp = rig.server().control_plane.clone();
    rig.register_as("v", crate::rig::shared("of-v")).await;
    let on = |node: &str| json!({"node": node, "access_mode": "multi-node-multi-writer"});
    rig.take("v", "a", on(cp.node.as_str())).await.unwrap();
    rig.take("v", "b", on(second.as_str())).await.unwrap();
    assert_eq!(cp.state().attachments().count(), 2);
    assert_eq!(rig.calls(), [UP, UP].concat());
    rig.forget();
    node::fence(&cp, &second, "gone for good").await.unwrap();
    rig.server().gone("v", "b").await;
    assert_eq!(rig.calls().first(), Some(&DOWN[2]));
    assert_eq!(rig.rig.count(DOWN[2]), 1);
    assert!(rig.server().claimed("v", "a").is_at_rest());
}

/// Conformance case 68.
#[tokio::test]
async fn work_that_a_stop_interrupts_is_finished_by_the_next_start() {
    let interrupted = UP.into_iter().chain(DOWN).map(|call| async move {
        let mut rig = booted("one").await;
        rig.register("v").await;
        let is_up = UP.contains(&call);
        if !is_up {
            rig.take("v", "a", json!({})).await.unwrap();
        }
        rig.forget();
        let (go_on, held) = watch::channel(false);
        let reply = Reply::Once(held, Box::new(Reply::Usual));
        rig.driver().always(call, reply);
        if is_up {
            let taken = rig.server().take_within(NOT_AT_ALL, "v", "a", json!({}));
            taken.await.unwrap();
        } else {
            rig.server().ask_back("v", "a").await;
        }
        rig.driver().asked(call, 1).await;
        rig.rig.server.restart().await;
        go_on.send_replace(true);
        let expected = match is_up {
            true => {
                rig.server().published("v", "a").await;
                UP
            }
            false => {
                rig.server().gone("v", "a").await;
                DOWN
            }
        };
        let mut calls = rig.calls();
        calls.dedup();
        assert_eq!(calls, expected, "{call}");
    });
    futures::future::join_all(interrupted).await;
}
