//! The servers that are measured, each a process of its own: this program, told to be one.

use crate::load::{Until, run};
use crate::scripted_driver::ScriptedDriver;
use axum::Router;
use axum::http::HeaderMap;
use bytes::Bytes;
use saddlebag::clock::Clock;
use saddlebag::config::{Config, Launch, PluginConfig};
use saddlebag::id::PluginId;
use saddlebag::plugin::PluginType;
use saddlebag::server::Server;
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Tells a process which server to be.
const ROLE: &str = "SADDLEBAG_BENCH_ROLE";
/// Tells it where its files are.
const FOLDER: &str = "SADDLEBAG_BENCH_FOLDER";
/// What the minimal server sends.
const BODY: &str = "body";

/// A running server, which ends with this.
pub struct Site {
    pub address: String,
    pub process: u32,
    child: Child,
    _folder: TempDir,
}

impl Site {
    /// A saddlebag without volumes whose plugin `disk` has no controller.
    pub async fn saddlebag() -> Self {
        Self::start("saddlebag", folder())
    }

    /// A server that sends these bytes, whatever it is asked, with the headers of saddlebag.
    pub async fn minimal(body: &[u8]) -> Self {
        let folder = folder();
        std::fs::write(folder.path().join(BODY), body).unwrap();
        Self::start("minimal", folder)
    }

    fn start(role: &str, folder: TempDir) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, role)
            .env(FOLDER, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let said = child.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut address).unwrap();
        Self {
            address: address.trim().to_owned(),
            process: child.id(),
            child,
            _folder: folder,
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// On the disk that programs are built on: `/tmp` may be in memory.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Whether this process is to be a server.
pub fn is_one() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Is one, until standard input ends.
pub async fn serve() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let folder = std::env::var(FOLDER).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    match std::env::var(ROLE).unwrap().as_str() {
        "minimal" => {
            let body = Bytes::from(std::fs::read(Path::new(&folder).join(BODY)).unwrap());
            println!("{address}");
            let answer = move || std::future::ready((headers(), body.clone()));
            let router: Router = Router::new().fallback(answer);
            axum::serve(listener, router).await.unwrap();
        }
        _ => {
            let driver = ScriptedDriver::start();
            let mut config = Config::new(Path::new(&folder));
            config.connections.connections_per_address = usize::MAX;
            config.requests.blocked_queries_per_address = usize::MAX;
            config.plugins = vec![PluginConfig {
                kind: PluginType::Node,
                ..PluginConfig::new(
                    PluginId::known("disk"),
                    Launch::Listening(driver.endpoint()),
                )
            }];
            let server = Server::start(config, Clock::default(), None).await.unwrap();
            let watcher = server.watcher();
            let served = tokio::spawn(server.serve(listener, std::future::pending()));
            watcher.all_healthy().await;
            println!("{address}");
            served.await.unwrap().unwrap();
        }
    }
}

fn headers() -> HeaderMap {
    let headers = [
        ("content-type", "application/json"),
        ("vary", "Accept-Encoding"),
        ("x-nomad-index", "10042"),
        ("x-nomad-lastcontact", "0"),
        ("x-nomad-knownleader", "true"),
    ];
    let parsed = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    parsed.into_iter().collect()
}

/// The id of a volume.
pub fn id(number: u64) -> String {
    format!("v-{number:06}")
}

/// Registers volumes, and tells how long that took.
pub async fn register(site: &Site, numbers: Range<u64>, writers: usize) -> Duration {
    let (address, first) = (site.address.clone(), numbers.start);
    let count = Until::Asked(numbers.end - numbers.start);
    let make = move |number| registration(&address, &id(first + number), "");
    run(&site.address, writers, count, make).await.took
}

/// The request that registers a volume, or updates it, with something for its driver to know.
pub fn registration(address: &str, id: &str, context: &str) -> Vec<u8> {
    let body = json!({"Volumes": [{
        "ID": id,
        "Name": id,
        "ExternalID": format!("external-{id}"),
        "PluginID": "disk",
        "RequestedCapabilities": [
            {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}
        ],
        "Context": {"note": context},
    }]})
    .to_string();
    let length = body.len();
    let head = format!(
        "PUT /v1/volume/csi/{id} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body.as_bytes()].concat()
}
