//! How soon `saddlebag dev` is of use to a test: from the start of its process until it is ready, and for a
//! reset between two tests.
//!
//! ```text
//! cargo bench -p saddlebag --bench ready           20 starts, 50 resets
//! cargo bench -p saddlebag --bench ready -- 100    so many starts
//! ```
//!
//! Ready is when `--ready-file` has the address: then the built-in driver is healthy. The aim is 100 ms. The
//! resets are of a server with one volume and one claim, connections kept.
#![allow(clippy::unwrap_used, reason = "a measurement may fail")]

use serde_json::json;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 20;
const RESETS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks for the file; as much is what a time is wrong by.
const LOOK: Duration = Duration::from_micros(200);

#[tokio::main]
async fn main() {
    let asked = std::env::args().find_map(|n| n.parse().ok());
    let mut starts: Vec<Duration> = Vec::new();
    for _ in 0..asked.unwrap_or(STARTS) {
        let (_server, _, took) = Server::start();
        starts.push(took);
    }
    tell("start, until ready", starts);
    let (_server, url, _) = Server::start();
    tell("reset, until answered", resets(&url).await);
}

/// A `saddlebag dev`, killed with this.
struct Server {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Server {
    /// One that is ready, its address, and how long that took.
    fn start() -> (Self, String, Duration) {
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready");
        let mut command = Command::new(env!("CARGO_BIN_EXE_saddlebag"));
        command
            .args(["dev", "--port", "0", "--ready-file"])
            .arg(&ready)
            .env("TMPDIR", folder.path())
            .stdout(Stdio::null());
        let began = Instant::now();
        let process = command.spawn().unwrap();
        let url = wait_for(&ready, began);
        let took = began.elapsed();
        let _folder = folder;
        (Self { process, _folder }, url, took)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn wait_for(ready: &Path, began: Instant) -> String {
    loop {
        if let Ok(url) = std::fs::read_to_string(ready) {
            return url;
        }
        assert!(began.elapsed() < PATIENCE, "it is not ready");
        std::thread::sleep(LOOK);
    }
}

async fn resets(url: &str) -> Vec<Duration> {
    let http = saddlebag_client::http().build().unwrap();
    let put = async |path: &str, body: serde_json::Value| {
        let answer = http.put(format!("{url}{path}")).json(&body).send().await;
        let answer = answer.unwrap().error_for_status().unwrap();
        answer.bytes().await.unwrap();
    };
    let volume = json!({"Volumes": [{
        "ID": "db", "Name": "db", "PluginID": "local",
        "RequestedCapabilities": [{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}]
    }]});
    let mut took = Vec::new();
    for _ in 0..RESETS {
        put("/v1/volume/csi/db/create", volume.clone()).await;
        put("/v1/volume/csi/db/claim", json!({})).await;
        let began = Instant::now();
        put("/v1/testing/reset", json!({})).await;
        took.push(began.elapsed());
    }
    took
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e3;
    println!(
        "{what:<24} {:>4} times   median {:>6.1} ms   p90 {:>6.1} ms   most {:>6.1} ms",
        times.len(),
        at(50),
        at(90),
        at(100)
    );
}
