//! How `dev` ends.

use crate::process::{Dev, Folders, names, text};
use rustix::process::{Pid, Signal, test_kill_process};
use std::time::{Duration, Instant};

/// Well above what the steps of an end may take together, and far below what a hanging driver would.
const BOUND: Duration = Duration::from_secs(20);

/// A driver that listens nowhere and does not end when it is asked to. It writes its number to a file.
fn stubborn(folders: &Folders) -> (String, std::path::PathBuf) {
    let (script, pid) = (folders.own("stubborn"), folders.own("pid"));
    let lines = format!(
        "trap '' TERM\necho $$ > {0}.new && mv {0}.new {0}\nwhile :; do sleep 1; done\n",
        text(&pid)
    );
    std::fs::write(&script, lines).unwrap();
    (
        format!("id=stubborn,command=/bin/sh {}", text(&script)),
        pid,
    )
}

/// A `dev` with the stubborn driver, and that driver's process.
async fn with_stubborn(folders: &Folders) -> (Dev, Pid) {
    let (plugin, pid) = stubborn(folders);
    let dev = Dev::start_unready(folders.temporary.path(), &["--plugin", &plugin]).await;
    let pid = crate::process::soon("the driver's number", async {
        loop {
            match std::fs::read_to_string(&pid) {
                Ok(pid) => return pid.trim().parse().unwrap(),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    });
    let pid = Pid::from_raw(pid.await).unwrap();
    (dev, pid)
}

#[tokio::test]
async fn blocked_queries_do_not_hold_it_up() {
    let folders = Folders::new();
    let dev = Dev::start(folders.temporary.path(), &[]).await;
    let blocked: Vec<_> = ["volumes?type=csi", "plugins?type=csi", "plugin/csi/local?"]
        .map(|path| format!("{}/v1/{path}&index=1000000&wait=5m", dev.url))
        .map(|url| tokio::spawn(saddlebag_client::http().build().unwrap().get(url).send()))
        .into();
    assert_eq!(dev.get("/v1/agent/health").await.0, 200);
    let began = Instant::now();
    dev.stop().await;
    assert!(began.elapsed() < BOUND);
    for query in blocked {
        // One that had not come in yet finds nobody.
        match query.await.unwrap() {
            Ok(answer) => assert_eq!(answer.status(), 200),
            Err(error) => assert!(error.is_request(), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_driver_that_does_not_end_is_ended_within_a_bound() {
    let folders = Folders::new();
    let (dev, driver) = with_stubborn(&folders).await;
    let began = Instant::now();
    dev.signal(Signal::TERM);
    let ended = dev.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(began.elapsed() < BOUND);
    assert!(test_kill_process(driver).is_err(), "the driver runs on");
    assert_eq!(names(folders.temporary.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_its_drivers_with_it() {
    let folders = Folders::new();
    let (mut dev, driver) = with_stubborn(&folders).await;
    dev.signal(Signal::INT);
    dev.stderr
        .until("Stopping. Once more to stop at once.")
        .await;
    let began = Instant::now();
    dev.signal(Signal::INT);
    let ended = dev.ended().await;
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    // The stubborn driver alone would get five seconds.
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    assert!(test_kill_process(driver).is_err(), "the driver runs on");
    assert_eq!(names(folders.temporary.path()), Vec::<String>::new());
}

#[tokio::test]
async fn who_waits_for_a_driver_that_hangs_is_answered_when_it_ends() {
    let folders = Folders::new();
    let hanging = crate::drivers::Hanging::start();
    let args = ["--plugin", hanging.plugin.as_str()];
    let dev = Dev::start(folders.temporary.path(), &args).await;
    let request = saddlebag_client::http()
        .build()
        .unwrap()
        .put(format!("{}/v1/volume/csi/db/create", dev.url))
        .header("Accept", "application/json")
        .json(&crate::process::volume("db", "hanging"));
    let waiting = tokio::spawn(request.send());
    hanging.asked().await;
    let began = Instant::now();
    dev.stop().await;
    assert!(began.elapsed() < BOUND);
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), 504);
    let answer: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(answer["retryable"], true, "{answer}");
}
