//! `saddlebag dev` as a process of its own, that can be killed.

use crate::server::PATIENCE;
use saddlebag_client::Client;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A running process. It is killed when this is dropped.
pub struct Process {
    pub client: Client,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it on the data in this folder, and waits until every plugin is healthy.
    pub async fn start(folder: &Path) -> Self {
        let (ready, log) = (folder.join("ready"), folder.join("log"));
        let _ = fs::remove_file(&ready);
        let mut child = Command::new(env!("CARGO_BIN_EXE_saddlebag"))
            .args(["dev", "--port", "0", "--data-dir"])
            .arg(folder.join("data"))
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + PATIENCE;
        let url = loop {
            if let Ok(url) = fs::read_to_string(&ready) {
                break url;
            }
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", read(&log));
            assert!(Instant::now() < deadline, "not ready: {}", read(&log));
            // The file is what a user's script waits for, too.
            sleep(Duration::from_millis(5)).await;
        };
        Self {
            client: Client::new(url.trim()),
            child,
            log,
        }
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let log = read(&self.log);
        for defect in ["panicked", "against the document"] {
            assert!(!log.contains(defect), "{log}");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}
