//! `saddlebag driver` as a process.

use super::rig::*;
use rustix::process::{Pid, Signal, kill_process};
use saddlebag::csi::v1::ProbeRequest;
use std::os::unix::net::UnixListener;
use tokio::process::{Child, Command};

fn command(work: &Workdir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_saddlebag"));
    command
        .arg("driver")
        .arg(format!(
            "--endpoint=unix://{}",
            work.path().join("csi.sock").display()
        ))
        .arg(format!("--root={}", work.path().join("root").display()))
        .kill_on_drop(true);
    command
}

fn terminate(process: &Child) {
    let id = i32::try_from(process.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::TERM).unwrap();
}

#[tokio::test]
async fn it_replaces_a_dead_socket_and_removes_its_own_when_told_to_stop() {
    let work = Workdir::new();
    let socket = work.path().join("csi.sock");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let mut process = command(&work).spawn().unwrap();
    let mut clients = Clients::of_process(&socket).await;
    let answer = clients.identity.probe(ProbeRequest {}).await.unwrap();
    assert_eq!(answer.into_inner().ready, Some(true));
    terminate(&process);
    assert!(process.wait().await.unwrap().success());
    assert!(!socket.exists());
}

#[tokio::test]
async fn it_does_not_take_the_socket_of_somebody_who_listens() {
    let work = Workdir::new();
    let _other = UnixListener::bind(work.path().join("csi.sock")).unwrap();
    let output = command(&work).output().await.unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("something else listens"), "{said}");
    assert!(!work.path().join("root").exists());
}
