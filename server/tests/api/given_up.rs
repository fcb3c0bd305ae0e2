//! What operations that were given up may have left, and how that is seen.

use crate::driven::{Driven, key};
use crate::server::refusal;
use jiff::SignedDuration;
use saddlebag::csi::Call;
use tonic::Code;

#[tokio::test]
async fn a_create_that_was_given_up_is_found_where_its_volume_may_be() {
    let driven = Driven::start().await;
    driven.refuse(Call::CreateVolume, Code::Unavailable, "away");
    let client = driven.create("db");
    let create = driven.waiting("db").await;
    driven.abandon(&create.id, "it was scrapped").await.unwrap();
    refusal(client.await.unwrap());
    assert_eq!(
        driven.diagnosis().await.findings,
        [],
        "a driver that tells all it has, and has nothing unknown, has not made it"
    );

    driven.refuse(Call::ListVolumes, Code::Unavailable, "still away");
    let found = driven.found("abandoned-create").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].operation_id.as_deref(), Some(create.id.as_str()));
    assert_eq!(found[0].volume_id.as_deref(), Some("db"));
    assert!(found[0].meaning.contains(&create.name), "{found:?}");
    assert!(found[0].meaning.contains("it was scrapped"), "{found:?}");

    let left = format!("id-of-{}", create.name);
    driven.lists(&[(left.as_str(), &[])]);
    let orphan = driven.found("unregistered-volume").await;
    assert_eq!(orphan[0].operation_id.as_deref(), Some(create.id.as_str()));
    assert!(
        orphan[0].meaning.contains("given up, left it"),
        "{orphan:?}"
    );
}

#[tokio::test]
async fn a_create_that_was_given_up_can_be_read_for_a_week() {
    let driven = Driven::start().await;
    driven.refuse(Call::CreateVolume, Code::Unavailable, "away");
    let client = driven.create("db");
    let create = driven.waiting("db").await;
    driven.abandon(&create.id, "it was scrapped").await.unwrap();
    refusal(client.await.unwrap());
    driven
        .server
        .clock
        .advance(SignedDuration::from_hours(7 * 24));
    saddlebag::work::expiry::sweep(&driven.server.control_plane)
        .await
        .unwrap();
    driven.read_operation(&create.id).await.unwrap();
    driven.server.clock.advance(SignedDuration::from_secs(61));
    driven
        .server
        .until("the operation to be forgotten", |state| {
            state.ended_count() == 0
        })
        .await;
}

#[tokio::test]
async fn a_delete_that_was_given_up_marks_its_volume_until_it_is_registered_again() {
    let driven = Driven::start().await;
    driven.register_as("db", "e").await;
    driven.lists(&[("e", &[])]);
    driven.refuse(Call::DeleteVolume, Code::Unavailable, "away");
    let client = driven.delete("db");
    let delete = driven.waiting("db").await;
    driven.abandon(&delete.id, "it was scrapped").await.unwrap();
    refusal(client.await.unwrap());

    let volume = driven.server.read("db").await.unwrap();
    let mark = volume.delete_given_up.clone().unwrap();
    assert_eq!(mark.operation_id, delete.id);
    assert_eq!(
        (mark.reason.as_str(), mark.by.as_str()),
        ("it was scrapped", "anonymous")
    );
    assert_eq!(mark.time, driven.server.clock.now());
    assert!(volume.schedulable);
    let found = driven.only_finding().await;
    assert_eq!(found.kind, "abandoned-delete");
    assert_eq!(found.volume_id.as_deref(), Some("db"));
    assert_eq!(found.operation_id.as_deref(), Some(delete.id.as_str()));
    assert!(
        found.remedy.contains("DELETE /v1/volume/csi/db/delete"),
        "{found:?}"
    );

    driven.register_as("db", "e").await;
    assert_eq!(
        driven.server.read("db").await.unwrap().delete_given_up,
        None
    );
    assert_eq!(driven.diagnosis().await.findings, []);
}

#[tokio::test]
async fn a_delete_that_was_given_up_can_be_asked_for_again() {
    let driven = Driven::start().await;
    driven.register_as("db", "e").await;
    driven.refuse(Call::DeleteVolume, Code::Unavailable, "away");
    let client = driven.delete("db");
    let delete = driven.waiting("db").await;
    driven.abandon(&delete.id, "it was scrapped").await.unwrap();
    refusal(client.await.unwrap());
    driven.delete("db").await.unwrap().unwrap();
    assert_eq!(refusal(driven.server.read("db").await).0, 404);
    let state = driven.server.control_plane.state();
    assert!(state.volume(&key("db")).is_none());
}
