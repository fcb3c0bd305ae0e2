//! One `saddlebag` process, with what it says.
#![allow(dead_code, reason = "each test uses a part of it")]

#[path = "folder.rs"]
pub mod folder;

use folder::Folder;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// How long anything may take that a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The program under test.
pub const SADDLEBAG: &str = env!("CARGO_BIN_EXE_saddlebag");

/// Waits, but not for ever.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, future).await;
    waited.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// The program with these arguments, in an environment of its own.
pub fn saddlebag(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(SADDLEBAG);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SADDLEBAG_") {
            command.env_remove(name);
        }
    }
    command
        .args(args)
        .current_dir(folder)
        .env("TMPDIR", folder)
        .env_remove("RUST_LOG")
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("CSI_ENDPOINT")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs the program to its end.
pub async fn output(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = saddlebag(folder.path(), args);
    soon("the program to end", command.output()).await.unwrap()
}

/// A `saddlebag` that runs.
pub struct Running {
    /// Where it answers; empty if that is not known.
    pub url: String,
    child: Child,
    pub stdout: Gathered,
    pub stderr: Gathered,
}

/// What a process left behind.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Running {
    /// Starts it and waits for nothing.
    pub fn begin(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        Self {
            url: String::new(),
            stdout: Gathered::from(child.stdout.take()),
            stderr: Gathered::from(child.stderr.take()),
            child,
        }
    }

    /// Starts it and waits until it has written in `folder` that it is ready.
    pub async fn begin_ready(folder: &Path, mut command: Command) -> Self {
        let ready = folder.join("ready");
        let _ = std::fs::remove_file(&ready);
        command.arg("--ready-file").arg(&ready);
        let mut running = Self::begin(command);
        let written = async {
            loop {
                match std::fs::read_to_string(&ready) {
                    Ok(url) => return url,
                    Err(_) if running.child.try_wait().unwrap().is_some() => return String::new(),
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        running.url = soon("it to be ready", written).await;
        if running.url.is_empty() {
            panic!("it ended: {}", running.stderr.whole().await);
        }
        running
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub fn pid(&self) -> Pid {
        let pid = self.child.id().expect("it runs");
        Pid::from_raw(pid.cast_signed()).unwrap()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let status = soon("it to end", self.child.wait()).await.unwrap();
        Ended {
            code: status.code(),
            stdout: self.stdout.whole().await,
            stderr: self.stderr.whole().await,
        }
    }

    /// Stops it as Ctrl-C does.
    pub async fn stop(self) -> Ended {
        self.signal(Signal::INT);
        let ended = self.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    }

    /// Kills it as a crash would.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Reads a path; the status and what JSON it is.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(reqwest::Method::GET, path, None).await
    }

    /// Creates a volume of 1 MiB.
    pub async fn create(&self, id: &str, plugin: &str) -> (u16, Value) {
        let body = volume(id, plugin);
        let path = format!("/v1/volume/csi/{id}/create");
        self.ask(reqwest::Method::PUT, &path, Some(body)).await
    }

    pub async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let request = saddlebag_client::http()
            .build()
            .unwrap()
            .request(method, format!("{}{path}", self.url))
            .header("Accept", "application/json");
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = soon("an answer", request.send()).await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

/// The body that creates a volume of 1 MiB.
pub fn volume(id: &str, plugin: &str) -> Value {
    json!({"Volumes": [{
        "ID": id, "Name": id, "PluginID": plugin, "RequestedCapacityMin": 1 << 20,
        "RequestedCapabilities": [
            {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}
        ],
        "Secrets": {"password": "never-to-be-logged"},
    }]})
}

/// Everything that comes from a pipe, as it comes: a full pipe would stop the process.
pub struct Gathered(watch::Receiver<String>);

impl Gathered {
    pub fn from(pipe: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let (gathered, text) = watch::channel(String::new());
        let mut pipe = pipe.expect("it is piped");
        tokio::spawn(async move {
            let mut bytes = Vec::new();
            while pipe.read_buf(&mut bytes).await.unwrap() > 0 {
                gathered.send_replace(String::from_utf8_lossy(&bytes).into_owned());
            }
        });
        Self(text)
    }

    /// All so far, once it holds this.
    pub async fn until(&mut self, part: &str) -> String {
        let text = soon(part, self.0.wait_for(|text| text.contains(part))).await;
        text.expect("it ended before").clone()
    }

    /// All so far.
    pub fn so_far(&self) -> String {
        self.0.borrow().clone()
    }

    /// All, once the pipe has ended.
    pub async fn whole(mut self) -> String {
        soon("the end of a pipe", async {
            while self.0.changed().await.is_ok() {}
        })
        .await;
        self.0.borrow().clone()
    }
}

/// What is in a folder, by name.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().into_string().unwrap()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// A folder for a process's temporary files and another for a test's own.
pub struct Folders {
    pub temporary: Folder,
    own: Folder,
}

impl Folders {
    pub fn new() -> Self {
        Self {
            temporary: Folder::new(),
            own: Folder::new(),
        }
    }

    /// A path in the test's own folder.
    pub fn own(&self, name: &str) -> PathBuf {
        self.own.path().join(name)
    }
}

/// The arguments as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
