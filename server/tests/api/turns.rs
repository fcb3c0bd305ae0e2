//! What arrives while something else is under way (the table of work.md), and many clients at once.

use crate::driven::{Driven, NOT_AT_ALL, described, key};
use crate::server::refusal;
use futures::StreamExt;
use saddlebag::csi::Call;
use saddlebag::store::{Followed, keys};
use saddlebag_client::types;

/// A volume like the described one, for another use.
fn for_many(id: &str) -> types::VolumeRequest {
    types::VolumeRequest {
        requested_capabilities: vec![types::CapabilityRequest {
            access_mode: types::CapabilityRequestAccessMode::MultiNodeMultiWriter,
            attachment_mode: types::CapabilityRequestAttachmentMode::FileSystem,
        }],
        ..described(id)
    }
}

/// A volume like the described one that the driver has already.
fn existing(id: &str) -> types::VolumeRequest {
    types::VolumeRequest {
        external_id: Some(format!("there-{id}")),
        ..described(id)
    }
}

#[track_caller]
fn assert_busy<T: std::fmt::Debug>(answer: crate::driven::Answer<T>, operation: &str) {
    let (status, error) = refusal(answer);
    assert_eq!(
        (status, error.code.as_str()),
        (409, "volume_busy"),
        "{}",
        error.message
    );
    assert_eq!(error.operation.as_deref(), Some(operation));
    assert!(error.retryable);
}

#[tokio::test]
async fn what_arrives_while_a_volume_is_made() {
    let driven = Driven::start().await;
    let held = driven.hold(Call::CreateVolume);
    let client = driven.create("db");
    driven.driver.asked(Call::CreateVolume, 1).await;
    let create = driven.operation("db").await.id;

    assert_eq!(refusal(driven.server.read("db").await).0, 404);
    let list = driven.server.client.list_volumes().type_("csi");
    assert!(list.send().await.unwrap().is_empty());
    assert_busy(driven.create_as(for_many("db")).await.unwrap(), &create);
    assert_busy(driven.register(existing("db")).await.unwrap(), &create);
    assert_busy(driven.deregister("db").await.unwrap(), &create);
    let (status, error) = refusal(driven.delete_within("db", NOT_AT_ALL).await.unwrap());
    assert_eq!(
        (status, error.operation),
        (504, Some(create)),
        "a delete waits its turn"
    );

    let delete = driven.delete("db");
    held.go_on();
    client.await.unwrap().unwrap();
    delete.await.unwrap().unwrap();
    assert_eq!(driven.changes(), [Call::CreateVolume, Call::DeleteVolume]);
    assert_eq!(refusal(driven.server.read("db").await).0, 404);
}

#[tokio::test]
async fn what_arrives_while_a_volume_is_deleted() {
    let driven = Driven::start().await;
    let before = driven.create("db").await.unwrap().unwrap();
    let held = driven.hold(Call::DeleteVolume);
    let client = driven.delete("db");
    driven.driver.asked(Call::DeleteVolume, 1).await;
    let delete = driven.operations("db").await.remove(1).id;

    let unschedulable = types::Volume {
        schedulable: false,
        ..before
    };
    assert_eq!(driven.server.read("db").await.unwrap(), unschedulable);
    let list = driven.server.client.list_volumes().type_("csi");
    assert!(!list.send().await.unwrap()[0].schedulable);
    assert_busy(driven.create("db").await.unwrap(), &delete);
    assert_busy(driven.register(described("db")).await.unwrap(), &delete);
    assert_busy(driven.deregister("db").await.unwrap(), &delete);
    assert_busy(driven.snapshot("db", "s").await.unwrap(), &delete);
    let (status, error) = refusal(driven.delete_within("db", NOT_AT_ALL).await.unwrap());
    assert_eq!(
        (status, error.operation),
        (504, Some(delete)),
        "a delete joins"
    );

    let joined = driven.delete("db");
    held.go_on();
    client.await.unwrap().unwrap();
    // It joined, or came when the volume was gone.
    if let Err(error) = joined.await.unwrap() {
        assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
    }
    assert_eq!(driven.changes(), [Call::CreateVolume, Call::DeleteVolume]);
}

#[tokio::test]
async fn what_arrives_while_a_snapshot_is_taken() {
    let driven = Driven::start().await;
    driven.create("db").await.unwrap().unwrap();
    let held = driven.hold(Call::CreateSnapshot);
    let clients = [driven.snapshot("db", "s"), driven.snapshot("db", "s")];
    driven.driver.asked(Call::CreateSnapshot, 1).await;
    let snapshot = driven.operations("db").await.remove(1).id;

    assert!(driven.server.read("db").await.unwrap().schedulable);
    for waiting in [
        refusal(driven.snapshot_within("db", "s", NOT_AT_ALL).await.unwrap()),
        refusal(
            driven
                .snapshot_within("db", "another", NOT_AT_ALL)
                .await
                .unwrap(),
        ),
        refusal(driven.deregister_within("db", NOT_AT_ALL).await.unwrap()),
        refusal(driven.delete_within("db", NOT_AT_ALL).await.unwrap()),
        refusal(driven.create_within("db", NOT_AT_ALL).await),
    ] {
        let (status, error) = waiting;
        assert_eq!(
            (status, error.operation.as_deref()),
            (504, Some(snapshot.as_str()))
        );
    }
    let update = driven.register(for_many("db"));
    let grow = driven.expand("db");
    held.go_on();
    for client in clients {
        let taken = client.await.unwrap().unwrap();
        assert_eq!(taken.snapshots.unwrap()[0].id, "id-of-s");
    }
    update.await.unwrap().unwrap();
    grow.await.unwrap().unwrap();
    driven.delete("db").await.unwrap().unwrap();
    let order = [
        Call::CreateVolume,
        Call::CreateSnapshot,
        Call::ControllerExpandVolume,
        Call::DeleteVolume,
    ];
    assert_eq!(driven.changes(), order);
}

#[tokio::test]
async fn what_arrives_while_a_volume_grows() {
    let driven = Driven::start().await;
    driven.create("db").await.unwrap().unwrap();
    let held = driven.hold(Call::ControllerExpandVolume);
    let clients = [driven.expand("db"), driven.expand("db")];
    driven.driver.asked(Call::ControllerExpandVolume, 1).await;
    let expand = driven.operations("db").await.remove(1).id;

    assert_eq!(driven.server.read("db").await.unwrap().capacity, 1 << 20);
    for waiting in [
        refusal(driven.snapshot_within("db", "s", NOT_AT_ALL).await.unwrap()),
        refusal(driven.deregister_within("db", NOT_AT_ALL).await.unwrap()),
        refusal(driven.delete_within("db", NOT_AT_ALL).await.unwrap()),
    ] {
        let (status, error) = waiting;
        assert_eq!(
            (status, error.operation.as_deref()),
            (504, Some(expand.as_str()))
        );
    }
    driven.commit(driven.claim("db", "web-1")).await.unwrap();
    let snapshot = driven.snapshot("db", "s");
    held.go_on();
    for client in clients {
        assert_eq!(client.await.unwrap().unwrap().capacity, 2 << 20);
    }
    snapshot.await.unwrap().unwrap();
    assert_eq!(driven.server.read("db").await.unwrap().capacity, 2 << 20);
    let state = driven.server.control_plane.state();
    assert_eq!(
        state.claims(&key("db")).count(),
        1,
        "a claim made meanwhile is not lost"
    );
    let order = [
        Call::CreateVolume,
        Call::ControllerExpandVolume,
        Call::CreateSnapshot,
    ];
    assert_eq!(driven.changes(), order);
}

#[tokio::test]
async fn the_same_growth_that_is_refused_is_asked_for_once() {
    let driven = Driven::start().await;
    driven.create("db").await.unwrap().unwrap();
    driven.refuse(Call::ControllerExpandVolume, tonic::Code::Aborted, "busy");
    let first = driven.expand("db");
    let waiting = driven.waiting("db").await;
    let second = driven
        .server
        .client
        .create_volume()
        .volume_id("db")
        .wait(NOT_AT_ALL);
    let same = types::VolumeRequest {
        requested_capacity_min: Some(2 << 20),
        ..described("db")
    };
    let (status, error) = refusal(second.body_map(|body| body.volumes([same])).send().await);
    assert_eq!(
        (status, error.operation.as_deref()),
        (504, Some(waiting.id.as_str()))
    );
    assert!(error.message.contains("busy"), "{}", error.message);
    driven.refuse(
        Call::ControllerExpandVolume,
        tonic::Code::OutOfRange,
        "too much",
    );
    driven.retry(&waiting.id).await.unwrap();
    assert_eq!(refusal(first.await.unwrap()).0, 400);
    let grow = Call::ControllerExpandVolume;
    assert_eq!(driven.changes(), [Call::CreateVolume, grow, grow]);
}

/// Conformance case 79, of one volume.
#[tokio::test]
async fn work_on_one_backing_store_is_done_in_order_and_on_others_side_by_side() {
    let driven = Driven::start().await;
    let shared = |id: &str| types::VolumeRequest {
        external_id: Some("there".to_owned()),
        ..for_many(id)
    };
    for id in ["one", "two"] {
        driven.register(shared(id)).await.unwrap().unwrap();
    }
    driven.register(existing("three")).await.unwrap().unwrap();
    let held = driven.hold(Call::CreateSnapshot);
    let first = driven.snapshot("one", "first");
    driven.driver.asked(Call::CreateSnapshot, 1).await;
    let second = driven.snapshot("two", "second");
    driven
        .server
        .until("the second intention", |state| {
            state.under_way().count() == 2
        })
        .await;
    let elsewhere = driven.snapshot("three", "third");
    driven.driver.asked(Call::CreateSnapshot, 2).await;
    let waits_for = driven.operation("two").await.waits_for;
    assert_eq!(
        waits_for.as_deref(),
        Some("its turn behind other work on the same backing store")
    );
    held.go_on();
    for client in [first, second, elsewhere] {
        client.await.unwrap().unwrap();
    }
    let asked: Vec<saddlebag::csi::v1::CreateSnapshotRequest> =
        driven.driver.questions(Call::CreateSnapshot);
    let names: Vec<_> = asked
        .iter()
        .map(|question| question.name.as_str())
        .collect();
    assert_eq!(names, ["first", "third", "second"]);
}

#[tokio::test]
async fn of_sixteen_clients_that_update_one_volume_none_is_lost() {
    let driven = Driven::start().await;
    driven.register(existing("db")).await.unwrap().unwrap();
    let cp = &driven.server.control_plane;
    let mut commits = cp.store.follow(cp.state().index);
    let updates = (0..16).map(|n| {
        driven.register(types::VolumeRequest {
            context: Some([("writer".to_owned(), n.to_string())].into()),
            ..existing("db")
        })
    });
    for client in updates.collect::<Vec<_>>() {
        client.await.unwrap().unwrap();
    }
    let mut written = Vec::new();
    while written.len() < 16 {
        let Some(Followed::Change(commit)) = commits.next().await else {
            panic!("the store does not tell its commits")
        };
        assert_eq!(
            commit.rows[0].0,
            keys::volume(&key("db")),
            "{:?}",
            commit.rows
        );
        let row = commit.rows[0].1.as_ref().unwrap();
        let volume: saddlebag::volume::Volume = serde_json::from_slice(&row.value).unwrap();
        written.push(volume.context["writer"].parse::<u64>().unwrap());
    }
    let newest = driven.server.read("db").await.unwrap();
    assert_eq!(
        newest.modify_index,
        cp.state().index.0,
        "sixteen commits and no more"
    );
    assert_eq!(newest.context["writer"], written[15].to_string());
    written.sort_unstable();
    assert_eq!(written, (0..16).collect::<Vec<u64>>());
}

#[tokio::test]
async fn sixty_four_volumes_are_made_and_deleted_side_by_side() {
    let driven = Driven::start_with(|config| config.calls_at_once = 64).await;
    let held = driven.hold(Call::CreateVolume);
    let ids: Vec<String> = (0..64).map(|n| format!("v{n}")).collect();
    let clients: Vec<_> = ids.iter().map(|id| driven.create(id)).collect();
    driven.driver.asked(Call::CreateVolume, 64).await;
    held.go_on();
    for client in clients {
        client.await.unwrap().unwrap();
    }
    let held = driven.hold(Call::DeleteVolume);
    let clients: Vec<_> = ids.iter().map(|id| driven.delete(id)).collect();
    driven.driver.asked(Call::DeleteVolume, 64).await;
    held.go_on();
    for client in clients {
        client.await.unwrap().unwrap();
    }
    assert_eq!(driven.server.control_plane.state().volume_count(), 0);
}

#[tokio::test]
async fn sixty_four_volumes_are_registered_side_by_side() {
    let driven = Driven::start_with(|config| config.calls_at_once = 64).await;
    let held = driven.hold(Call::ValidateVolumeCapabilities);
    let clients: Vec<_> = (0..64)
        .map(|n| driven.register(existing(&format!("v{n}"))))
        .collect();
    driven
        .driver
        .asked(Call::ValidateVolumeCapabilities, 64)
        .await;
    held.go_on();
    for client in clients {
        client.await.unwrap().unwrap();
    }
    assert_eq!(driven.server.control_plane.state().volume_count(), 64);
}
