//! Watching a driver's health.

use super::*;
use crate::scripted_driver::{Reply, ScriptedDriver, controller_capabilities};
use saddlebag::csi::{Observation, Pace, Role, Watcher, v1, watch};
use std::time::Instant;

/// Passes that follow each other quickly.
const QUICK: Pace = Pace {
    interval: Duration::from_millis(50),
    refresh: Duration::from_secs(300),
};

/// Passes that nobody waits for.
const SLOW: Pace = Pace {
    interval: Duration::from_secs(3600),
    refresh: Duration::from_secs(3600),
};

/// Waits for an observation like this.
async fn observed(watcher: &mut Watcher, wanted: impl Fn(&Observation) -> bool) -> Observation {
    let arrives = async {
        let mut observation = watcher.latest();
        while !wanted(&observation) {
            observation = watcher.changed().await;
        }
        observation
    };
    soon(arrives).await
}

#[tokio::test]
async fn a_well_driver_is_healthy_at_once() {
    let driver = ScriptedDriver::start();
    let mut watcher = watch(
        driver.connect(Limits::default()),
        Role::Controller,
        SLOW,
        None,
    );
    let before = watcher.latest();
    assert_eq!(before.description, "initial fingerprint not completed");
    assert_eq!((before.healthy, before.fingerprint), (false, None));
    let well = observed(&mut watcher, |seen| seen.healthy).await;
    assert_eq!(well.description, "healthy");
    assert!(well.fingerprint.unwrap().controller.is_some());
}

#[tokio::test]
async fn a_lost_socket_is_reported_at_once_and_a_returned_one_within_a_second() {
    let mut driver = ScriptedDriver::start();
    let mut watcher = watch(driver.connect(Limits::default()), Role::Node, SLOW, None);
    let well = observed(&mut watcher, |seen| seen.healthy).await;
    for _ in 0..3 {
        let left = Instant::now();
        driver.leave();
        let lost = observed(&mut watcher, |seen| !seen.healthy).await;
        assert!(
            left.elapsed() < Duration::from_secs(1),
            "{:?}",
            left.elapsed()
        );
        let start = "failed fingerprinting with error: ";
        assert!(lost.description.starts_with(start), "{}", lost.description);
        let where_ = driver.endpoint().to_string();
        assert!(lost.description.contains(&where_), "{}", lost.description);
        assert_eq!(lost.fingerprint, well.fingerprint, "what is known is kept");

        let returned = Instant::now();
        driver.come_back();
        let back = observed(&mut watcher, |seen| seen.healthy).await;
        assert!(
            returned.elapsed() < Duration::from_secs(1),
            "{:?}",
            returned.elapsed()
        );
        assert_eq!(back, well);
    }
}

/// Conformance case 14, of a driver that comes.
#[tokio::test]
async fn a_driver_that_comes_late_is_found_within_a_second() {
    let mut driver = ScriptedDriver::absent();
    let mut watcher = watch(driver.connect(Limits::default()), Role::Node, SLOW, None);
    let absent = observed(&mut watcher, |seen| {
        seen.description.contains("No such file")
    })
    .await;
    let start = "failed initial fingerprint with err: rpc error: code = Unavailable desc = unix://";
    assert!(
        absent.description.starts_with(start),
        "{}",
        absent.description
    );
    // Long enough for pauses that kept growing to be longer than a second by now.
    tokio::time::sleep(Duration::from_millis(2600)).await;
    let came = Instant::now();
    driver.come_back();
    observed(&mut watcher, |seen| seen.healthy).await;
    assert!(
        came.elapsed() < Duration::from_secs(1),
        "{:?}",
        came.elapsed()
    );
}

#[tokio::test]
async fn a_failing_pass_takes_back_health_but_no_capability() {
    let driver = ScriptedDriver::start();
    let mut watcher = watch(
        driver.connect(Limits::default()),
        Role::Controller,
        QUICK,
        None,
    );
    let well = observed(&mut watcher, |seen| seen.healthy).await;
    driver.always(
        Call::ControllerGetCapabilities,
        Reply::refuse(tonic::Code::Internal, "broken"),
    );
    let broken = observed(&mut watcher, |seen| !seen.healthy).await;
    assert_eq!(
        broken.description,
        "failed fingerprinting with error: rpc error: code = Internal desc = broken"
    );
    assert_eq!(broken.fingerprint, well.fingerprint);
    driver.always(Call::ControllerGetCapabilities, Reply::Usual);
    assert_eq!(observed(&mut watcher, |seen| seen.healthy).await, well);
}

#[tokio::test]
async fn a_driver_that_is_not_ready_is_unhealthy_until_it_is() {
    let driver = ScriptedDriver::start();
    driver.always(
        Call::Probe,
        Reply::answer(v1::ProbeResponse { ready: Some(false) }),
    );
    let mut watcher = watch(
        driver.connect(Limits::default()),
        Role::Controller,
        SLOW,
        None,
    );
    let waiting = observed(&mut watcher, |seen| seen.description == "unhealthy").await;
    assert_eq!((waiting.healthy, waiting.fingerprint), (false, None));
    driver.always(
        Call::Probe,
        Reply::answer(v1::ProbeResponse { ready: Some(true) }),
    );
    observed(&mut watcher, |seen| seen.healthy).await;
}

#[tokio::test]
async fn the_first_fingerprint_fails_with_its_own_text() {
    let driver = ScriptedDriver::start();
    driver.script(
        Call::GetPluginInfo,
        Reply::answer(v1::GetPluginInfoResponse::default()),
    );
    driver.always(Call::Probe, Reply::Usual);
    let mut watcher = watch(
        driver.connect(Limits::default()),
        Role::Controller,
        SLOW,
        None,
    );
    let nameless = soon(watcher.changed()).await;
    assert_eq!(
        nameless.description,
        "failed initial fingerprint with err: PluginGetInfo: plugin returned empty name field"
    );
    observed(&mut watcher, |seen| seen.healthy).await;
}

#[tokio::test]
async fn only_changes_are_reported() {
    let driver = ScriptedDriver::start();
    let mut watcher = watch(
        driver.connect(Limits::default()),
        Role::Controller,
        QUICK,
        None,
    );
    observed(&mut watcher, |seen| seen.healthy).await;
    let mut reports = watcher.observations();
    reports.mark_unchanged();
    driver.asked(Call::Probe, 6).await;
    assert!(!reports.has_changed().unwrap());

    driver.always(
        Call::ControllerGetCapabilities,
        Reply::answer(controller_capabilities(&[1])),
    );
    let fewer = soon(watcher.changed()).await;
    let capabilities = fewer.fingerprint.unwrap().controller.unwrap();
    assert!(fewer.healthy && !capabilities.supports_attach_detach);
}

#[tokio::test]
async fn node_information_is_asked_anew_now_and_then_and_on_demand() {
    let driver = ScriptedDriver::start();
    let rarely = Pace {
        refresh: Duration::from_secs(3600),
        ..QUICK
    };
    let mut watcher = watch(driver.connect(Limits::default()), Role::Node, rarely, None);
    observed(&mut watcher, |seen| seen.healthy).await;
    driver.asked(Call::Probe, 4).await;
    let asked = || {
        driver
            .calls()
            .into_iter()
            .filter(|call| *call == Call::NodeGetInfo)
            .count()
    };
    assert_eq!(asked(), 1);
    driver.always(
        Call::NodeGetInfo,
        Reply::answer(v1::NodeGetInfoResponse {
            node_id: "renamed".into(),
            ..Default::default()
        }),
    );
    watcher.refresh();
    let renamed = soon(watcher.changed()).await;
    assert_eq!(renamed.fingerprint.unwrap().node.unwrap().id, "renamed");

    let often = Pace {
        refresh: Duration::from_millis(1),
        ..QUICK
    };
    let _watcher = watch(driver.connect(Limits::default()), Role::Node, often, None);
    driver.asked(Call::NodeGetInfo, 5).await;
}

#[tokio::test]
async fn a_driver_that_hangs_holds_up_only_its_own_watcher() {
    let (hung, well) = (ScriptedDriver::start(), ScriptedDriver::start());
    hung.always(Call::Probe, Reply::Hang);
    let mut of_hung = watch(hung.connect(impatient()), Role::Node, QUICK, None);
    hung.asked(Call::Probe, 1).await;
    let mut of_well = watch(well.connect(impatient()), Role::Node, QUICK, None);
    observed(&mut of_well, |seen| seen.healthy).await;
    let stuck = soon(of_hung.changed()).await;
    assert_eq!(
        stuck.description,
        "failed initial fingerprint with err: rpc error: code = DeadlineExceeded desc = context \
         deadline exceeded"
    );
    hung.always(Call::Probe, Reply::Usual);
    observed(&mut of_hung, |seen| seen.healthy).await;
}

#[tokio::test]
async fn a_driver_that_ends_every_connection_is_asked_less_and_less_often() {
    let driver = ScriptedDriver::restless(Duration::from_millis(1));
    let started = Instant::now();
    let _watcher = watch(driver.connect(Limits::default()), Role::Node, SLOW, None);
    driver.asked(Call::Probe, 7).await;
    // The six pauses between are 10, 20, 40, 80, 160 and 320 ms, less a quarter.
    assert!(
        started.elapsed() > Duration::from_millis(400),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_dropped_watcher_asks_no_more() {
    let mut driver = ScriptedDriver::start();
    let watcher = watch(driver.connect(Limits::default()), Role::Node, QUICK, None);
    driver.asked(Call::Probe, 2).await;
    let mut reports = watcher.observations();
    drop(watcher);
    let ended = async { while reports.changed().await.is_ok() {} };
    soon(ended).await;
    driver.leave();
}
