//! The socket: lost, returned, shared.

use super::*;
use crate::scripted_driver::{Reply, ScriptedDriver};
use saddlebag::csi::{CreateVolume, DeleteVolume};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinSet};

fn delete(id: &str) -> DeleteVolume {
    DeleteVolume {
        external_id: id.to_owned(),
        ..DeleteVolume::default()
    }
}

#[tokio::test]
async fn a_lost_socket_is_noticed_without_a_call() {
    let mut driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    assert!(!connection.is_connected());
    connection.probe().await.unwrap();
    assert!(connection.is_connected());

    let waiting = tokio::spawn({
        let connection = connection.clone();
        async move { connection.lost().await }
    });
    let left = Instant::now();
    driver.leave();
    soon(waiting).await.unwrap();
    assert!(
        left.elapsed() < Duration::from_secs(1),
        "{:?}",
        left.elapsed()
    );
    assert!(!connection.is_connected());
    soon(connection.lost()).await;
}

#[tokio::test]
async fn the_next_call_connects_again() {
    let mut driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    connection.probe().await.unwrap();
    driver.leave();
    soon(connection.lost()).await;
    connection.probe().await.unwrap_err();
    driver.come_back();
    connection.probe().await.unwrap();
    assert!(connection.is_connected());
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_allowed() {
    let driver = ScriptedDriver::start();
    let go = Arc::new(Notify::new());
    driver.always(
        Call::DeleteVolume,
        Reply::When(go.clone(), Box::new(Reply::Usual)),
    );
    let limits = Limits::new(3, Deadlines::default());
    // Two instances of one plugin share its turns.
    let instances = [driver.connect(limits.clone()), driver.connect(limits)];
    let mut calls = JoinSet::new();
    for n in 0..10 {
        let instance = instances[n % 2].clone();
        calls.spawn(async move { instance.delete_volume(&delete("x")).await });
    }
    driver.asked(Call::DeleteVolume, 3).await;
    // Discovery takes no turn: it is answered although all are taken.
    soon(instances[0].probe()).await.unwrap();
    for answered in 1..=10 {
        go.notify_one();
        soon(calls.join_next()).await.unwrap().unwrap().unwrap();
        driver
            .asked(Call::DeleteVolume, (3 + answered).min(10))
            .await;
    }
    // The probe was beside the three.
    assert_eq!(driver.most_under_way(), 4);
}

#[tokio::test]
async fn a_call_that_hangs_gives_back_its_turn_at_its_deadline() {
    let driver = ScriptedDriver::start();
    driver.script(Call::DeleteVolume, Reply::Hang);
    let brief = impatient();
    let limits = Limits::new(1, *brief.deadlines());
    let connection = driver.connect(limits);
    let hung = soon(connection.delete_volume(&delete("x")))
        .await
        .unwrap_err();
    assert_eq!(hung.origin, Origin::Deadline);
    soon(connection.delete_volume(&delete("x"))).await.unwrap();
}

/// A driver that keeps the deadline itself, as servers made with tonic do, answers `Cancelled` by its own
/// clock: what it did is not known. Long before the deadline the same word is its own.
#[tokio::test]
async fn a_driver_that_cancels_a_call_at_its_deadline_says_nothing_of_what_it_did() {
    let driver = ScriptedDriver::start();
    let brief = impatient();
    let allowed = brief.deadlines().controller;
    let cancelled = || Box::new(Reply::refuse(tonic::Code::Cancelled, "Timeout expired"));
    let mut calls = JoinSet::new();
    for early in [15, 12, 9, 6, 3, 1].map(Duration::from_millis) {
        let reply = Reply::After(allowed - early, cancelled());
        driver.script(Call::DeleteVolume, reply);
        let connection = driver.connect(Limits::new(1, *brief.deadlines()));
        calls.spawn(async move { connection.delete_volume(&delete("x")).await });
    }
    while let Some(call) = soon(calls.join_next()).await {
        let error = call.unwrap().unwrap_err();
        assert_eq!(
            (error.origin, error.class()),
            (Origin::Deadline, Class::Unclear),
            "{error}"
        );
    }

    driver.script(Call::DeleteVolume, *cancelled());
    let patient = driver.connect(Limits::default());
    let error = soon(patient.delete_volume(&delete("x"))).await.unwrap_err();
    assert_eq!(
        (error.origin, error.class()),
        (Origin::Driver, Class::Final)
    );
}

#[tokio::test]
async fn a_driver_that_hangs_holds_up_no_other() {
    let (hung, well) = (ScriptedDriver::start(), ScriptedDriver::start());
    hung.always(Call::DeleteVolume, Reply::Hang);
    let to_hung = hung.connect(Limits::default());
    let mut waiting = JoinSet::new();
    for _ in 0..32 {
        let to_hung = to_hung.clone();
        waiting.spawn(async move { to_hung.delete_volume(&delete("x")).await });
    }
    hung.asked(Call::DeleteVolume, 16).await;
    let to_well = well.connect(Limits::default());
    soon(to_well.delete_volume(&delete("x"))).await.unwrap();
}

#[tokio::test]
async fn calls_go_side_by_side_over_one_socket() {
    let driver = ScriptedDriver::start();
    let go = Arc::new(Notify::new());
    driver.script(
        Call::CreateVolume,
        Reply::When(go.clone(), Box::new(Reply::Usual)),
    );
    let connection = driver.connect(Limits::default());
    let first = tokio::spawn({
        let connection = connection.clone();
        let create = CreateVolume {
            name: "slow".into(),
            ..Default::default()
        };
        async move { connection.create_volume(&create).await }
    });
    driver.asked(Call::CreateVolume, 1).await;
    soon(connection.delete_volume(&delete("x"))).await.unwrap();
    go.notify_one();
    let volume = soon(first).await.unwrap().unwrap();
    assert_eq!(volume.external_id, "id-of-slow");
}
