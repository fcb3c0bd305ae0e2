//! What was intended is finished after a restart, by the same names.

use crate::driven::Driven;
use crate::server::refusal;
use saddlebag::csi::{Call, v1};

#[tokio::test]
async fn what_a_stopped_server_left_unfinished_the_next_one_finishes() {
    let mut driven = Driven::start().await;
    for id in ["deleted", "grown", "snapped"] {
        driven.create(id).await.unwrap().unwrap();
    }
    let kinds = [
        Call::CreateVolume,
        Call::DeleteVolume,
        Call::CreateSnapshot,
        Call::ControllerExpandVolume,
    ];
    driven.driver.forget();
    let held = kinds.map(|call| driven.hold(call));
    let clients = [
        tokio::spawn(drop_answer(driven.create("made"))),
        tokio::spawn(drop_answer(driven.delete("deleted"))),
        tokio::spawn(drop_answer(driven.snapshot("snapped", "s"))),
        tokio::spawn(drop_answer(driven.expand("grown"))),
    ];
    for call in kinds {
        driven.driver.asked(call, 1).await;
    }
    let before = driven.operations("made").await.remove(0);

    driven.server.restart().await;
    for client in clients {
        client.await.unwrap();
    }
    for call in kinds {
        driven.driver.asked(call, 2).await;
    }
    for held in held {
        held.go_on();
    }
    for id in ["made", "deleted", "grown", "snapped"] {
        driven.nothing_under_way(id).await;
    }

    driven.server.all_healthy().await;
    let made = driven.server.read("made").await.unwrap();
    assert_eq!(made.external_id, format!("id-of-{}", before.name));
    assert_eq!(refusal(driven.server.read("deleted").await).0, 404);
    assert_eq!(driven.server.read("grown").await.unwrap().capacity, 2 << 20);
    let snapshot = driven.operations("snapped").await.pop().unwrap();
    assert_eq!(
        (snapshot.state.as_str(), snapshot.snapshot_id.as_str()),
        ("done", "id-of-s")
    );
    assert_eq!(
        driven.changes().len(),
        8,
        "each was asked twice: {:?}",
        driven.changes()
    );
    let [first, second] = &driven
        .driver
        .questions::<v1::CreateVolumeRequest>(Call::CreateVolume)[..]
    else {
        panic!("not two")
    };
    assert_eq!(first, second);
    let [first, second] = &driven
        .driver
        .questions::<v1::CreateSnapshotRequest>(Call::CreateSnapshot)[..]
    else {
        panic!("not two")
    };
    assert_eq!(first, second);
}

async fn drop_answer<T>(client: crate::driven::Client<T>) {
    let _ = client.await;
}

#[tokio::test]
async fn what_waits_for_its_next_try_waits_on_after_a_restart() {
    let mut driven = Driven::start().await;
    driven.refuse(Call::CreateVolume, tonic::Code::Unavailable, "away");
    let client = driven.create("db");
    let waiting = driven.waiting("db").await;
    client.abort();
    driven.server.restart().await;
    driven.server.all_healthy().await;
    let still = driven.operation("db").await;
    assert_eq!((still.attempts, still.next_try), (1, waiting.next_try));
    driven.retry(&waiting.id).await.unwrap();
    driven.nothing_under_way("db").await;
    assert_eq!(driven.operation("db").await.attempts, 2);
    driven.server.read("db").await.unwrap();
}

#[tokio::test]
async fn what_a_driver_can_do_is_known_before_it_answers_again() {
    let mut driven = Driven::start().await;
    let before = driven.create("db").await.unwrap().unwrap();
    driven.driver.leave();
    driven.server.restart().await;
    let read = driven.server.read("db").await.unwrap();
    assert_eq!(read.provider, before.provider);
    assert!(read.controller_required && !read.schedulable);
    driven
        .server
        .until("the first report of both watchers", |state| {
            let unheard = |description: &str| description == saddlebag::work::health::NOT_ASKED_YET;
            let mut instances = state.plugins().flat_map(|plugin| &plugin.instances);
            instances.all(|instance| !unheard(&instance.row.description))
        })
        .await;
    let (status, error) = refusal(driven.create("other").await.unwrap());
    assert_eq!((status, error.code.as_str()), (503, "no_healthy_plugin"));
    let (status, error) = refusal(driven.delete("db").await.unwrap());
    assert_eq!((status, error.code.as_str()), (503, "no_healthy_plugin"));
}
