//! Growing volumes that are claimed: what nodes have to do, and when.

use crate::claimed::Claimed;
use crate::claims::UP;
use crate::driven::NOT_AT_ALL;
use crate::rig::key;
use crate::scripted_driver::Reply;
use saddlebag::claim::Stage;
use saddlebag::csi::{Call, v1};
use serde_json::{Value, json};
use tokio::sync::watch;
use tonic::Code;

fn sized(bytes: i64) -> Value {
    json!({"ExternalID": "of-v", "RequestedCapacityMin": bytes, "MountOptions": {"FSType": ""}})
}

impl Claimed {
    async fn grow(&self, bytes: i64) {
        self.rig.register("v", sized(bytes)).await.unwrap();
    }

    fn is_pending(&self) -> bool {
        let state = self.server().control_plane.state();
        let volume = state.volume(&key("v")).unwrap().stored().row;
        volume.node_expansion_pending
    }

    async fn grown(&self) {
        self.server()
            .until("the nodes to have done their part", |state| {
                !state
                    .volume(&key("v"))
                    .unwrap()
                    .stored()
                    .row
                    .node_expansion_pending
            })
            .await;
    }
}

/// Conformance case 34, of a node that does it.
#[tokio::test]
async fn a_claimed_volume_grows_on_its_node_too() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    let claim = rig.take("v", "a", json!({})).await.unwrap();
    rig.grow(2 << 20).await;
    rig.grown().await;
    let asked: v1::NodeExpandVolumeRequest = rig.driver().last(Call::NodeExpandVolume);
    let staging = rig.server().attachment().staging_path.unwrap();
    assert_eq!(asked.volume_path, claim.target_path.display().to_string());
    assert_eq!(asked.staging_target_path, staging.display().to_string());
    assert_eq!(asked.capacity_range.unwrap().required_bytes, 2 << 20);
    assert_eq!(rig.server().attachment().expansion, None);
}

/// Weakness W14.
#[tokio::test]
async fn what_grew_while_nobody_used_it_grows_on_the_next_node_that_stages_it() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.grow(2 << 20).await;
    assert!(rig.is_pending());
    rig.forget();
    rig.take("v", "a", json!({})).await.unwrap();
    rig.grown().await;
    assert_eq!(rig.calls(), [&UP[..], &[Call::NodeExpandVolume]].concat());
}

/// Conformance case 34, of a node that does not: what is left to do is kept (weakness W14).
#[tokio::test]
async fn a_node_that_refuses_to_grow_a_volume_is_asked_again_at_the_next_stage() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    rig.take("v", "a", json!({})).await.unwrap();
    let refuse = Reply::refuse(Code::FailedPrecondition, "in use");
    rig.driver().script(Call::NodeExpandVolume, refuse);
    rig.grow(2 << 20).await;
    rig.server()
        .until("the refusal", |state| {
            let attachment = state.attachments().next().unwrap();
            let expansion = attachment.row.expansion.as_ref();
            expansion.is_some_and(|expansion| expansion.refused.is_some())
        })
        .await;
    assert!(rig.is_pending());
    rig.give_back("v", "a").await.unwrap();
    rig.take("v", "b", json!({})).await.unwrap();
    rig.grown().await;
}

#[tokio::test]
async fn a_claim_taken_during_a_slow_growth_is_kept_and_its_node_grows_it() {
    let rig = Claimed::start().await;
    rig.register("v").await;
    let (go_on, held) = watch::channel(false);
    let reply = Reply::Once(held, Box::new(Reply::Usual));
    rig.driver().script(Call::ControllerExpandVolume, reply);
    let taking = async {
        rig.driver().asked(Call::ControllerExpandVolume, 1).await;
        let taken = rig.server().take_within(NOT_AT_ALL, "v", "a", json!({}));
        assert_eq!(taken.await.unwrap().stage, Stage::Taken);
        go_on.send_replace(true);
    };
    tokio::join!(rig.grow(2 << 20), taking);
    rig.server().published("v", "a").await;
    rig.grown().await;
    assert_eq!(rig.rig.count(Call::NodeExpandVolume), 1);
}
