//! A server with access control whose every door has a canary behind it, and what came out of it.

use crate::process::{Running, saddlebag, soon, text};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::site::Site;
use flate2::read::GzDecoder;
use futures::StreamExt;
use saddlebag::csi::{Call, v1};
use serde_json::Value;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// In the secrets of a volume.
pub const VOLUME: &str = "c4n4ry-in-the-volume";
/// In the secrets of a snapshot request.
pub const SNAPSHOT: &str = "sn4psh0t-request-c4n4ry";
/// In the header of secrets.
pub const HEADER: &str = "h34der-of-secrets-c4n4ry";
/// In the file of a plugin's secrets.
pub const PLUGIN: &str = "plug1n-file-c4n4ry";
/// In a mount flag of a volume.
pub const FLAG: &str = "m0unt-flag-c4n4ry";
/// In a mount flag of a claim.
pub const CLAIM: &str = "cl41m-flag-c4n4ry";
/// In a file that a volume refers to.
pub const FILE: &str = "f1le-of-a-reference-c4n4ry";
/// In a variable of the environment that a snapshot request refers to, by this name.
pub const VARIABLE: &str = "v4riable-of-a-reference-c4n4ry";
pub const NAME: &str = "SECRET_OF_SNAPSHOTS";
/// In a systemd credential that the plugins' configuration refers to.
pub const CREDENTIAL: &str = "cred3ntial-of-a-reference-c4n4ry";
/// In what a controller gives a node.
pub const CONTEXT: &str = "publ1sh-context-c4n4ry";
/// The secret of the first token.
const MANAGEMENT: &str = "c4c4c4c4-1111-4222-8333-c4c4c4c4c4c4";
/// A token that is none.
const FOREIGN: &str = "c4c4c4c4-9999-4222-8333-c4c4c4c4c4c4";

pub struct Scene {
    pub driver: ScriptedDriver,
    site: Site,
    serve: Running,
    http: reqwest::Client,
    heard: Heard,
    canaries: Vec<String>,
}

/// What came out, by its place.
type Heard = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// All that came out, and what none of it may hold.
pub struct Searched {
    heard: Vec<(String, Vec<u8>)>,
    canaries: Vec<String>,
}

impl Scene {
    pub async fn begin() -> Self {
        let driver = ScriptedDriver::start();
        let publish_context = [("token".to_owned(), CONTEXT.to_owned())].into();
        let published = v1::ControllerPublishVolumeResponse { publish_context };
        for _ in 0..100 {
            let reply = Reply::answer(published.clone());
            driver.script(Call::ControllerPublishVolume, reply);
        }
        let site = Site::new();
        let secrets = site.at("plugin.json");
        std::fs::write(&secrets, format!(r#"{{"of-plugin": "{PLUGIN}"}}"#)).unwrap();
        std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(site.at("from-file"), format!("{FILE}\n")).unwrap();
        std::fs::create_dir(site.at("credentials")).unwrap();
        std::fs::write(site.at("credentials/of-plugins"), CREDENTIAL).unwrap();
        let started = site.started("started");
        // One driver prints what it knows and its environment, and never serves anything.
        let printing = "command = [\"/bin/sh\", \"-c\", \"cat plugin.json; env; echo PRINTED; exec sleep 600\"]";
        let secrets =
            "secrets = \"plugin.json\"\nsecrets_from = { key = { credential = \"of-plugins\" } }\n";
        site.configure(&format!(
            "[acl]\nenabled = true\nfailed_logins = 100000\n[audit]\nenabled = true\n[log]\nlevel = \"trace\"\n\
             [secrets]\nfrom_folders = [{:?}]\nfrom_variables = [\"SECRET_*\"]\nfrom_credentials = [\"*\"]\n\
             [[plugin]]\nid = \"disk\"\nendpoint = \"{}\"\n{secrets}\
             [[plugin]]\nid = \"printing\"\n{printing}\n{secrets}\
             {started}{secrets}",
            text(site.path()),
            driver.endpoint()
        ));
        let mut command = site.serve(&[]);
        command.env(NAME, VARIABLE);
        command.env("CREDENTIALS_DIRECTORY", site.at("credentials"));
        let serve = Running::begin_ready(site.path(), command).await;
        let mut scene = Self {
            driver,
            site,
            serve,
            http: saddlebag_client::http().build().unwrap(),
            heard: Heard::default(),
            canaries: [
                VOLUME, SNAPSHOT, HEADER, PLUGIN, FLAG, CLAIM, FILE, VARIABLE, CREDENTIAL, CONTEXT,
                MANAGEMENT, FOREIGN,
            ]
            .map(str::to_owned)
            .to_vec(),
        };
        scene.tokens().await;
        scene.follow().await;
        scene.until_healthy().await;
        scene
    }

    /// The first token, and another: whoever makes one is shown its secret, once.
    async fn tokens(&mut self) {
        let body = serde_json::json!({ "BootstrapSecret": MANAGEMENT });
        let made = self.send("PUT", "/v1/acl/bootstrap", &body).await;
        assert!(made.1.contains(MANAGEMENT), "{}", made.1);
        let body = serde_json::json!({"Name": "another", "Type": "management"});
        let (_, made) = self.send("PUT", "/v1/acl/token", &body).await;
        let made: Value = serde_json::from_str(&made).unwrap();
        self.canaries
            .push(made["SecretID"].as_str().unwrap().to_owned());
    }

    async fn until_healthy(&self) {
        soon("the plugin to be healthy", async {
            loop {
                let (_, text) = self.send("GET", "/v1/plugin/csi/disk", &Value::Null).await;
                let plugin: Value = serde_json::from_str(&text).unwrap_or_default();
                if plugin["ControllersHealthy"] == 1 && plugin["NodesHealthy"] == 1 {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// Follows all events, until the server ends.
    async fn follow(&self) {
        let url = format!("{}/v1/event/stream?namespace=*", self.serve.url);
        let request = self.http.get(url).header("X-Nomad-Token", MANAGEMENT);
        let mut events = request.send().await.unwrap().bytes_stream();
        let heard = Arc::clone(&self.heard);
        tokio::spawn(async move {
            while let Some(Ok(bytes)) = events.next().await {
                let place = "the events".to_owned();
                heard.lock().unwrap().push((place, bytes.to_vec()));
            }
        });
    }

    pub fn folder(&self) -> &Path {
        self.site.path()
    }

    /// Asks, with every canary that fits into a head, and keeps the answer; then as nobody.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) {
        let answer = self.send(method, path, body).await;
        self.keep(method, path, answer);
        let request = self.request(method, path).header("X-Nomad-Token", FOREIGN);
        let refused = answered(request.json(body)).await;
        // What cannot be understood is 400 whoever asks.
        let status = refused.0.lines().next();
        let is_refused = matches!(status, Some("403 Forbidden" | "400 Bad Request"));
        assert!(is_refused, "{path}: {status:?}");
        self.keep(method, path, refused);
    }

    /// Asks with a body that may be anything.
    pub async fn raw(&self, method: &str, path: &str, body: &str) {
        let request = self.request(method, path);
        let request = request.header("X-Nomad-Token", MANAGEMENT);
        let answer = answered(request.body(body.to_owned())).await;
        self.keep(method, path, answer);
    }

    fn keep(&self, method: &str, path: &str, (head, body): (String, String)) {
        let place = format!("answer to {method} {path}");
        let mut heard = self.heard.lock().unwrap();
        heard.push((place, format!("{head}\n{body}").into_bytes()));
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> (String, String) {
        let request = self.request(method, path);
        let request = request
            .header("X-Nomad-Token", MANAGEMENT)
            .header("X-Nomad-CSI-Secrets", format!("token={HEADER}"));
        answered(match body {
            Value::Null => request,
            body => request.json(body),
        })
        .await
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.serve.url);
        let request = self.http.request(method.parse().unwrap(), url);
        request.header("Accept", "application/json")
    }

    /// Takes a backup, ends the server, and collects all that it said and left.
    pub async fn end(self) -> Searched {
        let mut heard = Vec::new();
        for (place, bytes) in processes(self.serve.pid().as_raw_nonzero().get()) {
            heard.push((place, bytes));
        }
        let backup = self.site.at("backup");
        let data = self.site.at("data");
        let args = ["store", "backup", "--data-dir", text(&data), text(&backup)];
        let output = saddlebag(self.site.path(), &args).output();
        let output = soon("the backup", output).await.unwrap();
        assert!(output.status.success());
        let mut rows = Vec::new();
        let backup = std::fs::File::open(&backup).unwrap();
        GzDecoder::new(backup).read_to_end(&mut rows).unwrap();
        heard.push(("the backup".to_owned(), rows));
        files(self.site.path(), &mut heard); // temporary ones, while it runs
        let ended = self.serve.stop().await;
        heard.push(("the log".to_owned(), ended.stderr.into_bytes()));
        heard.push(("its output".to_owned(), ended.stdout.into_bytes()));
        files(self.site.path(), &mut heard);
        heard.append(&mut self.heard.lock().unwrap());
        Searched {
            heard,
            canaries: self.canaries,
        }
    }
}

impl Searched {
    /// Whether this stands anywhere.
    pub fn has(&self, text: &str) -> bool {
        self.heard
            .iter()
            .any(|(_, bytes)| at(bytes, text).is_some())
    }

    /// Where a canary is, with what is around it.
    pub fn leaks(&self) -> Vec<String> {
        let found = self.heard.iter().flat_map(|(place, bytes)| {
            let encoded = |canary: &String| {
                base64::Engine::encode(&base64::prelude::BASE64_STANDARD_NO_PAD, canary)
            };
            let forms = self
                .canaries
                .iter()
                .flat_map(move |canary| [canary.clone(), encoded(canary)]);
            forms.filter_map(move |form| {
                let at = at(bytes, &form)?;
                let around = &bytes[at.saturating_sub(300)..(at + 100).min(bytes.len())];
                let around = String::from_utf8_lossy(around);
                Some(format!("{place} shows {form}: {around}"))
            })
        });
        found.collect()
    }
}

fn at(bytes: &[u8], text: &str) -> Option<usize> {
    bytes
        .windows(text.len())
        .position(|some| some == text.as_bytes())
}

async fn answered(request: reqwest::RequestBuilder) -> (String, String) {
    let answer = soon("an answer", request.send()).await.unwrap();
    let head = format!("{}\n{:?}", answer.status(), answer.headers());
    (head, answer.text().await.unwrap())
}

/// The arguments of a process, and the arguments and environments of those that it started.
fn processes(server: i32) -> Vec<(String, Vec<u8>)> {
    let read = |pid: i32, what: &str| {
        let bytes = std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        (format!("{what} of process {pid}"), bytes)
    };
    let children = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let parent = format!("\nPPid:\t{server}\n");
        status.contains(&parent).then_some(pid)
    });
    let of_children = children.flat_map(|pid| [read(pid, "cmdline"), read(pid, "environ")]);
    [read(server, "cmdline")]
        .into_iter()
        .chain(of_children)
        .collect()
}

/// Where canaries were planted.
const PLANTED: [&str; 3] = ["plugin.json", "from-file", "credentials/of-plugins"];

/// Every file below a folder, but those that canaries were planted in.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.symlink_metadata() {
            Ok(about) if about.is_dir() => files(&path, found),
            Ok(about) if about.is_file() && !PLANTED.iter().any(|file| path.ends_with(file)) => {
                let bytes = std::fs::read(&path).unwrap_or_default();
                found.push((path.display().to_string(), bytes));
            }
            _ => {}
        }
    }
}
