//! Drivers that we start: real processes.

use super::*;
use crate::scripted_driver::ScriptedDriver;
use saddlebag::csi::{
    Confided, DriverCommand, Endpoint, Pace, Process, Restart, Role, Supervisor, supervise, watch,
};
use std::{collections::BTreeMap, os::unix::net::UnixListener, path::Path, time::Instant};
use tempfile::TempDir;
use tokio::{fs, io::AsyncWriteExt};

/// A shell script in the place of a driver.
fn script(directory: &Path, script: &str) -> DriverCommand {
    DriverCommand {
        plugin_id: "scripted".into(),
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        environment: BTreeMap::from([("GIVEN".into(), "by us".into())]),
        endpoint: Endpoint::at(directory.join("csi.sock")).unwrap(),
        secrets: secrets(),
        confided: Confided::default(),
        restart: Restart {
            first: Duration::from_millis(20),
            most: Duration::from_millis(100),
            settled: Duration::from_secs(60),
        },
        grace: Duration::from_secs(10),
    }
}

/// Waits for the process to be like this.
async fn process(supervisor: &Supervisor, wanted: impl Fn(&Process) -> bool) -> Process {
    let mut process = supervisor.process();
    soon(process.wait_for(|process| wanted(process)))
        .await
        .unwrap()
        .clone()
}

async fn pid(supervisor: &Supervisor) -> u32 {
    let running = |process: &Process| matches!(process, Process::Running { pid: Some(_) });
    match process(supervisor, running).await {
        Process::Running { pid: Some(pid) } => pid,
        other => panic!("{other}"),
    }
}

/// Waits for the lines of a file that a script writes.
async fn lines(path: &Path, count: usize) -> Vec<String> {
    let written = async {
        loop {
            let text = fs::read_to_string(path).await.unwrap_or_default();
            if text.lines().count() >= count && text.ends_with('\n') {
                break text.lines().map(str::to_owned).collect();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(written).await
}

fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
}

#[tokio::test]
async fn a_driver_gets_its_socket_and_the_given_environment_and_no_other() {
    let directory = TempDir::new().unwrap();
    let seen = directory.path().join("seen");
    let command = script(
        directory.path(),
        &format!(
            "echo $CSI_ENDPOINT,$GIVEN,$CARGO_MANIFEST_DIR, >{}; exec sleep 60",
            seen.display()
        ),
    );
    let endpoint = command.endpoint.to_string();
    let supervisor = supervise(command);
    assert_eq!(lines(&seen, 1).await, [format!("{endpoint},by us,,")]);
    soon(supervisor.stop()).await;
}

#[tokio::test]
async fn a_driver_that_ends_is_started_again_and_says_why_it_ended() {
    let directory = TempDir::new().unwrap();
    let seen = directory.path().join("seen");
    let command = script(
        directory.path(),
        &format!("echo started >>{}; exit 7", seen.display()),
    );
    let supervisor = supervise(command);
    let down = process(&supervisor, |process| {
        matches!(process, Process::Down { .. })
    })
    .await;
    let text = down.to_string();
    assert!(
        text.starts_with("driver exited with status 7, restarting in "),
        "{text}"
    );
    assert!(text.ends_with(" ms"), "{text}");
    lines(&seen, 3).await;
    let last = supervisor.process();
    soon(supervisor.stop()).await;
    assert_eq!(*last.borrow(), Process::Stopped);
}

#[tokio::test]
async fn a_killed_driver_and_a_missing_program_are_told_apart() {
    let directory = TempDir::new().unwrap();
    let killed = supervise(script(directory.path(), "kill -9 $$"));
    let down = |process: &Process| matches!(process, Process::Down { .. });
    let text = process(&killed, down).await.to_string();
    assert!(
        text.starts_with("driver was killed by signal 9, restarting in "),
        "{text}"
    );

    let other = TempDir::new().unwrap();
    let mut missing = script(other.path(), "");
    missing.program = "/no/such/driver".into();
    let missing = supervise(missing);
    let text = process(&missing, down).await.to_string();
    let start = "driver could not be started: /no/such/driver: No such file or directory";
    assert!(text.starts_with(start), "{text}");
}

#[tokio::test]
async fn a_stopped_driver_is_asked_to_end_first() {
    let directory = TempDir::new().unwrap();
    let seen = directory.path().join("seen");
    let command = script(
        directory.path(),
        &format!(
            "trap 'echo asked >>{0}; exit 0' TERM; echo ready >>{0}; while :; do sleep 0.01; done",
            seen.display()
        ),
    );
    let supervisor = supervise(command);
    lines(&seen, 1).await;
    let pid = pid(&supervisor).await;
    soon(supervisor.stop()).await;
    assert_eq!(lines(&seen, 2).await, ["ready", "asked"]);
    assert!(!is_running(pid));
}

#[tokio::test]
async fn a_driver_that_does_not_end_is_killed() {
    let directory = TempDir::new().unwrap();
    let seen = directory.path().join("seen");
    let mut command = script(
        directory.path(),
        &format!(
            "trap '' TERM; echo ready >{}; while :; do sleep 0.01; done",
            seen.display()
        ),
    );
    command.grace = Duration::from_millis(100);
    let supervisor = supervise(command);
    lines(&seen, 1).await;
    let pid = pid(&supervisor).await;
    let asked = Instant::now();
    soon(supervisor.stop()).await;
    assert!(asked.elapsed() >= Duration::from_millis(100));
    assert!(!is_running(pid));
}

#[tokio::test]
async fn a_driver_does_not_outlive_a_dropped_supervisor() {
    let directory = TempDir::new().unwrap();
    let supervisor = supervise(script(directory.path(), "exec sleep 60"));
    let pid = pid(&supervisor).await;
    assert!(is_running(pid));
    drop(supervisor);
    let gone = async {
        while is_running(pid) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(gone).await;
}

#[tokio::test]
async fn a_stale_socket_is_removed_but_nothing_else_is() {
    let directory = TempDir::new().unwrap();
    let command = script(directory.path(), "exit 3");
    let socket = command.endpoint.path().to_owned();
    let down = |process: &Process| matches!(process, Process::Down { .. });

    let listening = UnixListener::bind(&socket).unwrap();
    let supervisor = supervise(command.clone());
    let text = process(&supervisor, down).await.to_string();
    assert!(text.contains("another process listens there"), "{text}");
    assert!(socket.exists());
    drop(listening);
    let ran = |process: &Process| process.to_string().contains("exited with status 3");
    process(&supervisor, ran).await;
    assert!(!socket.exists());
    soon(supervisor.stop()).await;

    std::fs::write(&socket, "precious").unwrap();
    let supervisor = supervise(command);
    let text = process(&supervisor, down).await.to_string();
    assert!(text.contains("something that is not a socket"), "{text}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");
}

#[tokio::test]
async fn the_watcher_says_that_the_process_ended() {
    let directory = TempDir::new().unwrap();
    let go = directory.path().join("go");
    let fifo = std::process::Command::new("mkfifo")
        .arg(&go)
        .status()
        .unwrap();
    assert!(fifo.success());
    let mut command = script(
        directory.path(),
        &format!("read _ <{}; exit 1", go.display()),
    );
    command.restart.first = Duration::from_secs(60);
    command.restart.most = Duration::from_secs(60);

    // The process stands for the driver; its socket is served by the test.
    let mut driver = ScriptedDriver::start();
    let supervisor = supervise(command);
    let slow = Pace {
        interval: Duration::from_secs(3600),
        ..Pace::default()
    };
    let connection = driver.connect(Limits::default());
    let mut watcher = watch(connection, Role::Node, slow, Some(supervisor.process()));
    assert!(soon(watcher.changed()).await.healthy);

    let mut writer = soon(fs::OpenOptions::new().write(true).open(&go))
        .await
        .unwrap();
    driver.leave();
    writer.write_all(b"\n").await.unwrap();
    writer.flush().await.unwrap();
    let told = async {
        loop {
            let description = watcher.changed().await.description;
            if description.contains("exited") {
                break description;
            }
        }
    };
    let description = soon(told).await;
    let start = "failed fingerprinting with error: driver exited with status 1, restarting in ";
    assert!(
        description.starts_with(start) && description.ends_with(" s"),
        "{description}"
    );
}
