//! One server after the other on the same data, and a driver that outlives them.

use crate::points::Points;
use crate::process::{Ended, Running, saddlebag, text};
use crate::strict_driver::StrictDriver;
use rustix::process::Signal;
use saddlebag::crash::LISTENER;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long it may take until everything is at rest.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An answer: the status, and what JSON it is. `None`: the server is gone.
pub type Answered = Option<(u16, Value)>;

pub struct World {
    pub driver: StrictDriver,
    pub points: Points,
    folder: TempDir,
    server: Option<Running>,
    http: reqwest::Client,
}

impl World {
    /// A server that nothing was asked of, with a driver that can do everything as plugin `disk`.
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("s").tempdir().unwrap();
        let driver = StrictDriver::start(1);
        let socket = driver.socket(0);
        let config = format!(
            "data_dir = \"data\"\nport = 0\ncheck_truth = true\n\
             [[plugin]]\nid = \"disk\"\nendpoint = \"unix://{}\"\n",
            text(&socket)
        );
        std::fs::write(folder.path().join("saddlebag.toml"), config).unwrap();
        let mut world = Self {
            driver,
            points: Points::listen(&folder.path().join("points")),
            folder,
            server: None,
            http: saddlebag_client::http().build().unwrap(),
        };
        world.start_server().await.unwrap();
        world.until_healthy().await;
        world
    }

    /// Starts a server on the data, and waits until it is ready. The error is what one said that ended.
    pub async fn start_server(&mut self) -> Result<(), String> {
        let ready = self.folder.path().join("ready");
        let _ = std::fs::remove_file(&ready);
        let mut command = saddlebag(self.folder.path(), &["serve", "-c", "saddlebag.toml"]);
        command.arg("--ready-file").arg(&ready);
        command.env(LISTENER, self.folder.path().join("points"));
        let mut server = Running::begin(command);
        let deadline = Instant::now() + PATIENCE;
        while server.url.is_empty() {
            if let Ok(url) = std::fs::read_to_string(&ready) {
                server.url = url.trim().to_owned();
            } else if server.has_ended() {
                let ended = server.ended().await;
                without_defects(&ended);
                return Err(ended.stderr);
            } else if Instant::now() > deadline {
                server.signal(Signal::KILL);
            }
            sleep(Duration::from_millis(5)).await;
        }
        self.server = Some(server);
        Ok(())
    }

    /// Waits for the end of the server that was killed, and starts another. The error is what one said
    /// that ended.
    pub async fn start_again(&mut self) -> Result<(), String> {
        if let Some(killed) = self.server.take() {
            without_defects(&killed.ended().await);
        }
        self.start_server().await
    }

    /// Kills the server, wherever it is.
    pub fn kill(&self) {
        self.points.killed_meanwhile();
        if let Some(server) = &self.server {
            server.signal(Signal::KILL);
        }
    }

    /// Stops the server.
    pub async fn stop(&mut self) {
        let stopped = self.server.take().unwrap().stop().await;
        without_defects(&stopped);
    }

    async fn until_healthy(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, plugin) = self.get("/v1/plugin/csi/disk").await.unwrap();
            if plugin["ControllersHealthy"] == 1 && plugin["NodesHealthy"] == 1 {
                return;
            }
            assert!(Instant::now() < deadline, "not healthy: {plugin}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Asks the server once.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answered {
        let url = format!("{}{path}", self.server.as_ref().unwrap().url);
        let request = self
            .http
            .request(method.parse().unwrap(), url)
            .header("Accept", "application/json")
            .timeout(PATIENCE);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answered = async {
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            Ok::<_, reqwest::Error>((status, answer.text().await?))
        };
        match answered.await {
            Ok((status, text)) => {
                let json = serde_json::from_str(&text).unwrap_or(Value::Null);
                Some((status, json))
            }
            Err(error) => {
                assert!(self.points.killed() > 0, "{method} {path}: {error}");
                None
            }
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answered {
        self.ask("GET", path, None).await
    }

    /// Has something done before an operation begins.
    pub async fn done(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.ask(method, path, body).await.unwrap();
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Creates a volume before an operation begins; its ExternalID.
    pub async fn create(&self, id: &str, more: Value) -> String {
        let body = volume(id, more);
        let path = format!("/v1/volume/csi/{id}/create");
        let created = self.done("PUT", &path, Some(&body)).await;
        created["Volumes"][0]["ExternalID"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Claims a volume before an operation begins.
    pub async fn claim(&self, volume: &str, name: &str) {
        let path = format!("/v1/volume/csi/{volume}/claim");
        let body = claim(name, "file-system");
        let claim = self.done("PUT", &path, Some(&body)).await;
        assert_eq!(claim["State"], "published", "{claim}");
    }

    /// The id of the only node.
    pub async fn node(&self) -> String {
        let nodes = self.done("GET", "/v1/nodes", None).await;
        nodes[0]["ID"].as_str().unwrap().to_owned()
    }

    /// Everything that the driver was asked about each volume that it has.
    pub fn history(&self) -> String {
        let storage = self.driver.storage();
        let of = |id: &String| storage.history_of(id).join("\n");
        storage.disks.keys().map(of).collect::<Vec<_>>().join("\n")
    }
}

/// A body that describes a volume of 1 MiB, with these fields laid over it.
pub fn volume(id: &str, more: Value) -> Value {
    let mut volume = json!({
        "ID": id, "Name": id, "PluginID": "disk", "RequestedCapacityMin": 1 << 20,
        "RequestedCapabilities": [
            {"AccessMode": "single-node-multi-writer", "AttachmentMode": "file-system"},
            {"AccessMode": "single-node-multi-writer", "AttachmentMode": "block-device"},
        ],
        "Secrets": {"password": "never-to-be-logged"},
    });
    for (key, value) in more.as_object().unwrap() {
        volume[key] = value.clone();
    }
    json!({"Volumes": [volume]})
}

/// A body that claims a volume for the allocation of this name.
pub fn claim(name: &str, attachment_mode: &str) -> Value {
    json!({
        "AllocationID": allocation(name),
        "AccessMode": "single-node-multi-writer",
        "AttachmentMode": attachment_mode,
    })
}

/// The allocation of this name.
pub fn allocation(name: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

fn without_defects(ended: &Ended) {
    for defect in ["panicked", "against the document", "never-to-be-logged"] {
        let log = &ended.stderr;
        assert!(!log.contains(defect), "{log}");
    }
}
