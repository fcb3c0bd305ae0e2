//! Drivers that hang, crowd or lie, and a store that fails: what they hold up, and what they never do.

use crate::disk::{Disk, Faults};
use crate::driven::{Driven, described, key};
use crate::rig::plugin;
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::server::{PATIENCE, refusal};
use saddlebag::csi::{Call, v1};
use saddlebag::plugin::PluginType;
use saddlebag::state::State;
use saddlebag::store::{Guard, keys};
use saddlebag_client::types;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tonic::Code;

#[tokio::test]
async fn a_backing_store_that_is_another_volumes_is_neither_taken_nor_deleted() {
    let driven = Driven::start().await;
    let first = driven.create("first").await.unwrap().unwrap();
    let same = v1::Volume {
        volume_id: first.external_id.clone(),
        ..Default::default()
    };
    let same = Reply::answer(v1::CreateVolumeResponse { volume: Some(same) });
    driven.driver.script(Call::CreateVolume, same);
    let (status, error) = refusal(driven.create("second").await.unwrap());
    assert_eq!((status, error.code.as_str()), (409, "external_id_taken"));
    assert!(
        error.message.contains("already exists as volume \"first\""),
        "{}",
        error.message
    );
    assert_eq!(driven.operation("second").await.state, "failed");
    assert_eq!(refusal(driven.server.read("second").await).0, 404);
    assert_eq!(driven.server.read("first").await.unwrap(), first);
    assert_eq!(driven.changes(), [Call::CreateVolume; 2]);
}

#[tokio::test]
async fn a_volume_in_use_is_refused_before_its_driver_is_asked() {
    let driven = Driven::start().await;
    driven.create("db").await.unwrap().unwrap();
    driven.commit(driven.claim("db", "web-1")).await.unwrap();
    for refused in [driven.delete("db"), driven.deregister("db")] {
        let (status, error) = refusal(refused.await.unwrap());
        assert_eq!((status, error.code.as_str()), (409, "volume_in_use"));
        assert_eq!(error.claim.as_deref(), Some("web-1"));
    }
    assert_eq!(driven.changes(), [Call::CreateVolume]);
    assert_eq!(driven.operations("db").await.len(), 1);
}

#[tokio::test]
async fn a_volume_that_is_being_deleted_can_not_be_claimed() {
    let driven = Driven::start().await;
    driven.create("db").await.unwrap().unwrap();
    let held = driven.hold(Call::DeleteVolume);
    let client = driven.delete("db");
    driven.driver.asked(Call::DeleteVolume, 1).await;
    let mut claim = driven.claim("db", "web-1");
    claim.guards.push(Guard::Absent(keys::doing(&key("db"))));
    assert_eq!(driven.commit(claim).await, None);
    held.go_on();
    client.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_driver_that_refuses_a_delete_leaves_the_volume_as_it_was() {
    let driven = Driven::start().await;
    let before = driven.create("db").await.unwrap().unwrap();
    for (code, status) in [
        (Code::FailedPrecondition, 409),
        (Code::InvalidArgument, 400),
        (Code::Internal, 502),
    ] {
        driven.refuse(Call::DeleteVolume, code, "because");
        assert_eq!(refusal(driven.delete("db").await.unwrap()).0, status);
        assert_eq!(driven.server.read("db").await.unwrap(), before);
    }
    driven.refuse(Call::DeleteVolume, Code::NotFound, "what volume?");
    driven.delete("db").await.unwrap().unwrap();
    assert_eq!(refusal(driven.server.read("db").await).0, 404);
}

#[tokio::test]
async fn a_driver_that_refuses_a_growth_or_a_snapshot_leaves_the_volume_as_it_was() {
    let driven = Driven::start().await;
    let before = driven.create("db").await.unwrap().unwrap();
    driven.refuse(Call::ControllerExpandVolume, Code::OutOfRange, "too much");
    assert_eq!(refusal(driven.expand("db").await.unwrap()).0, 400);
    driven.refuse(Call::CreateSnapshot, Code::ResourceExhausted, "full");
    let (status, error) = refusal(driven.snapshot("db", "s").await.unwrap());
    assert_eq!((status, error.code.as_str()), (507, "driver_exhausted"));
    assert_eq!(driven.server.read("db").await.unwrap(), before);
}

#[tokio::test]
async fn a_volume_that_hangs_holds_up_no_other_and_no_read() {
    let other = ScriptedDriver::start();
    let driven = Driven::start_with(|config| {
        let other = plugin("other", PluginType::Monolith, &other);
        config.plugins.push(other);
        config.calls_at_once = 2;
    })
    .await;
    driven.driver.script(Call::CreateVolume, Reply::Hang);
    let stuck = driven.create("stuck");
    driven.driver.asked(Call::CreateVolume, 1).await;
    driven.create("db").await.unwrap().unwrap();
    driven.snapshot("db", "s").await.unwrap().unwrap();
    driven.expand("db").await.unwrap().unwrap();

    driven.driver.always(Call::CreateVolume, Reply::Hang);
    let crowd: Vec<_> = (0..20)
        .map(|n| driven.create(&format!("crowd-{n}")))
        .collect();
    driven
        .server
        .until("every intention", |state| state.under_way().count() == 21)
        .await;
    let started = Instant::now();
    let elsewhere = types::VolumeRequest {
        plugin_id: Some("other".to_owned()),
        ..described("elsewhere")
    };
    driven.create_as(elsewhere).await.unwrap().unwrap();
    driven.server.read("db").await.unwrap();
    let list = driven.server.client.list_volumes().type_("csi");
    assert_eq!(list.send().await.unwrap().len(), 2);
    assert_eq!(
        driven
            .server
            .client
            .list_operations()
            .send()
            .await
            .unwrap()
            .len(),
        25
    );
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert!(
        driven.server.read("db").await.unwrap().schedulable,
        "a busy driver is not unhealthy"
    );

    assert!(!stuck.is_finished());
    for client in crowd {
        client.abort();
    }
}

#[tokio::test]
async fn a_plugin_gets_so_many_calls_at_once_and_no_more() {
    let driven = Driven::start_with(|config| config.calls_at_once = 3).await;
    let held = driven.hold(Call::CreateVolume);
    let clients: Vec<_> = (0..12).map(|n| driven.create(&format!("v{n}"))).collect();
    driven.driver.asked(Call::CreateVolume, 3).await;
    driven
        .server
        .until("every intention", |state| state.under_way().count() == 12)
        .await;
    let creates = |calls: Vec<Call>| {
        calls
            .into_iter()
            .filter(|call| *call == Call::CreateVolume)
            .count()
    };
    assert_eq!(creates(driven.driver.calls()), 3);
    held.go_on();
    for client in clients {
        client.await.unwrap().unwrap();
    }
    assert_eq!(creates(driven.driver.calls()), 12);
    assert!(driven.driver.most_under_way() <= 3);
}

#[tokio::test]
async fn a_register_whose_driver_does_not_answer_is_answered_when_its_wait_ends() {
    let driven = Driven::start().await;
    driven
        .driver
        .always(Call::ValidateVolumeCapabilities, Reply::Hang);
    let volume = types::VolumeRequest {
        external_id: Some("there".to_owned()),
        ..described("db")
    };
    let client = driven.server.client.register_volume().volume_id("db");
    let client = client.wait(Duration::from_millis(50));
    let answer = client.body_map(|body| body.volumes([volume])).send();
    let answer = timeout(PATIENCE, answer).await.unwrap();
    let (status, error) = refusal(answer);
    assert_eq!((status, error.code.as_str()), (504, "operation_timeout"));
    assert!(
        driven
            .server
            .control_plane
            .state()
            .volume(&key("db"))
            .is_none()
    );
}

#[tokio::test]
async fn while_the_store_fails_changes_are_refused_and_reads_go_on() {
    let disk = Disk::default();
    let driven = Driven::start_on(Some(Arc::new(disk.open().unwrap())), |_| {}).await;
    let before = driven.create("db").await.unwrap().unwrap();
    let held = driven.hold(Call::CreateVolume);
    let client = driven.create("made-meanwhile");
    driven.driver.asked(Call::CreateVolume, 2).await;

    disk.set(Faults {
        writes: true,
        ..Faults::default()
    });
    for refused in [
        driven.create("other").await.unwrap().map(drop),
        driven.delete("db").await.unwrap(),
    ] {
        let (status, error) = refusal(refused);
        assert_eq!((status, error.code.as_str()), (503, "store_unavailable"));
        assert!(error.retryable);
    }
    assert_eq!(driven.server.read("db").await.unwrap(), before);
    held.go_on();
    driven.driver.idle().await;
    assert!(!client.is_finished(), "what is not durable is not answered");

    disk.set(Faults::default());
    client.await.unwrap().unwrap();
    driven.create("other").await.unwrap().unwrap();
    driven.delete("db").await.unwrap().unwrap();
    let made = [
        Call::CreateVolume,
        Call::CreateVolume,
        Call::CreateVolume,
        Call::DeleteVolume,
    ];
    assert_eq!(
        driven.changes(),
        made,
        "what could not be recorded is not done twice"
    );
}

#[tokio::test]
async fn of_commits_that_were_missed_claims_and_deletions_are_told_too() {
    let driven = Driven::start().await;
    for id in ["claimed", "deleted", "idle"] {
        driven.create(id).await.unwrap().unwrap();
    }
    let cp = &driven.server.control_plane;
    let before = cp.state();
    driven
        .commit(driven.claim("claimed", "web-1"))
        .await
        .unwrap();
    let held = driven.hold(Call::DeleteVolume);
    let client = driven.delete("deleted");
    driven.driver.asked(Call::DeleteVolume, 1).await;
    let after = State::load(cp.store.read().await.unwrap()).unwrap();
    let touched = before.differences(&after).volumes;
    assert_eq!(touched, [key("claimed"), key("deleted")].into());
    held.go_on();
    client.await.unwrap().unwrap();
}
