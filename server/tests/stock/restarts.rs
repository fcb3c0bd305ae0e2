//! A stock driver that dies, and comes back without its memory.

use crate::rig::{self, Driver, create, delete, external, mocked, plugin, program};
use crate::server::{self, TestServer, refusal};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use saddlebag::state::State;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn no_controller_is_healthy(state: &State) -> bool {
    state
        .plugins()
        .all(|plugin| plugin.health().controllers_healthy == 0)
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_killed_driver_is_noticed_and_taken_up_again() {
    let mut driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    let before = create(&server, "db").await;

    driver.kill().await;
    server
        .until("the loss to be noticed", no_controller_is_healthy)
        .await;
    let read = server.read("db").await.unwrap();
    assert_eq!(read.external_id, before.external_id);
    assert!(!read.schedulable);
    let (status, error) = refusal(server::create(&server.client, mocked("new")).await);
    assert_eq!(status, 503, "{error:?}");

    driver.start_again();
    server.all_healthy().await;
    assert!(server.read("db").await.unwrap().schedulable);
    // The driver forgot it: to delete what is gone is done.
    delete(&server, "db").await;
    assert_eq!(create(&server, "new").await.external_id, "4");
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_backing_store_that_belongs_to_another_volume_is_refused_and_left_alone() {
    let mut driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    create(&server, "db").await;
    driver.kill().await;
    server
        .until("the loss to be noticed", no_controller_is_healthy)
        .await;
    driver.start_again();
    server.all_healthy().await;

    // The driver numbers from 4 again, and 4 is recorded as the backing store of `db`.
    let (status, error) = refusal(server::create(&server.client, mocked("new")).await);
    assert_eq!(
        (status, error.code.as_str()),
        (409, "external_id_taken"),
        "{error:?}"
    );
    assert_eq!(refusal(server.read("new").await).0, 404);
    assert!(
        external(&server)
            .await
            .iter()
            .any(|volume| volume.external_id == "4")
    );
    assert_eq!(server.read("db").await.unwrap().external_id, "4");
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_driver_that_dies_within_a_call_is_asked_again() {
    let mut driver = Driver::start_with_hooks("createVolumeEnd: 'throw \"gone\"'\n");
    let server = rig::serve(&driver).await;
    let created = {
        let client = server.client.clone();
        tokio::spawn(async move { server::create(&client, mocked("db")).await })
    };
    driver.ended().await;
    driver.start_again();
    let created = created.await.unwrap().unwrap();
    assert_eq!(created.volumes[0].external_id, "4");
    assert_eq!(external(&server).await.len(), 3 + 1);
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_driver_that_was_started_is_started_again_and_stopped_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("started");
    let script = write_script(folder.path(), &started);
    let job = plugin(&format!("id=mock,command={}", script.display()));
    let mut server = TestServer::start_with(|config| config.plugins = vec![job]).await;
    assert_eq!(create(&server, "db").await.external_id, "4");

    let [first] = pids(&started)[..] else {
        panic!("started more than once");
    };
    kill_process(first, Signal::KILL).unwrap();
    server
        .until("the loss to be noticed", no_controller_is_healthy)
        .await;
    server.all_healthy().await;
    let [_, second] = pids(&started)[..] else {
        panic!("not started twice: {:?}", pids(&started));
    };
    delete(&server, "db").await;
    assert_eq!(external(&server).await.len(), 3);

    server.stop().await;
    assert!(test_kill_process(second).is_err(), "the driver goes on");
}

/// A program that notes its process id and becomes the driver.
fn write_script(folder: &Path, started: &Path) -> std::path::PathBuf {
    let script = folder.join("driver");
    let text = format!(
        "#!/bin/sh\necho $$ >> '{}'\nexec '{}'\n",
        started.display(),
        program().display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    script
}

fn pids(started: &Path) -> Vec<Pid> {
    let text = std::fs::read_to_string(started).unwrap();
    text.lines()
        .map(|line| Pid::from_raw(line.parse().unwrap()).unwrap())
        .collect()
}
