//! What the control plane adds to a driver's own time, and whether many claims at once are limited by the
//! driver alone.
//!
//! ```text
//! cargo bench -p saddlebag --bench claims                     both tables
//! cargo bench -p saddlebag --bench claims -- 500 1000 2000    so many claims at once
//! ```
//!
//! The first table: each request over HTTP, one after the other, beside the same CSI calls made straight to
//! the same driver in the same run. `commits` are the durable ones while a request was answered, `a commit`
//! is what one takes by itself on this disk, and `a call` is what is left of the difference when they are
//! taken off, for each CSI call. `CPU` is the same by the time of the processors, commits included: of the
//! control plane, the client and the HTTP between them. On a busy machine it tells more than the clock.
//!
//! The second table: claims of as many volumes at once, at a driver that takes 10 ms for a call and gets 16
//! calls at once to each of its services. `driver` is the time of its busier service, the Node service:
//! two calls for each claim.
#![allow(clippy::unwrap_used, reason = "a measurement may fail")]

#[path = "../tests/support/scripted_driver/mod.rs"]
mod scripted_driver;

use futures::{StreamExt, TryStreamExt};
use saddlebag::clock::Clock;
use saddlebag::config::{Config, Launch, PluginConfig};
use saddlebag::control::ControlPlane;
use saddlebag::csi::{
    self, AccessMode, AttachmentMode, CALLS_AT_ONCE, Call, Capability, CapacityRange, Connection,
    MountOptions, PublishContext, Secrets,
};
use saddlebag::id::PluginId;
use saddlebag::server::Server;
use saddlebag::store::{Transaction, keys};
use saddlebag_client::{Client, types};
use scripted_driver::{Reply, ScriptedDriver};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const CYCLES: u32 = 200;
const COMMITS: u32 = 200;
const CALL: Duration = Duration::from_millis(10);
/// By how many connections claims are asked for; none of them is waited for.
const CONNECTIONS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|n| n.parse().ok()).collect();
    if asked.is_empty() {
        println!(
            "{:<22} {:<8} {:>6} {:>10} {:>10} {:>8} {:>10} {:>10} {:>10}",
            "driver",
            "request",
            "calls",
            "straight",
            "HTTP",
            "commits",
            "a commit",
            "a call",
            "CPU"
        );
        let driver = ScriptedDriver::start();
        let plugin = plugin(&driver);
        one_by_one(
            "answers at once",
            Site::start(|config| config.plugins = vec![plugin]).await,
        )
        .await;
        one_by_one(
            "built-in",
            Site::start(|config| config.builtin_driver = true).await,
        )
        .await;
        println!();
    }
    let sizes = match asked.is_empty() {
        true => vec![250, 500, 1_000, 2_000],
        false => asked,
    };
    println!(
        "{:>8} {:>10} {:>10} {:>8} {:>8}",
        "claims", "driver", "took", "times", "commits"
    );
    for claims in sizes {
        at_once(claims).await;
    }
}

fn plugin(driver: &ScriptedDriver) -> PluginConfig {
    let launch = Launch::Listening(driver.endpoint());
    PluginConfig::new(PluginId::known("local"), launch)
}

/// A server with one plugin, `local`.
struct Site {
    client: Client,
    cp: ControlPlane,
    serving: JoinHandle<()>,
    folder: TempDir,
}

impl Site {
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path());
        change(&mut config);
        let server = Server::start(config, Clock::default(), None).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()));
        let (cp, watcher) = (server.control_plane().clone(), server.watcher());
        let serving = tokio::spawn(async move {
            server
                .serve(listener, std::future::pending())
                .await
                .unwrap();
        });
        watcher.all_healthy().await;
        Self {
            client,
            cp,
            serving,
            folder,
        }
    }

    /// A way to the driver beside the server's own.
    fn straight(&self) -> Connection {
        let local = PluginId::known("local");
        let own = self
            .cp
            .drivers
            .controller(&self.cp.state(), &local)
            .unwrap();
        Connection::new(own.endpoint().clone(), csi::Limits::default())
    }

    /// The id that the driver has for this node.
    fn node(&self) -> String {
        let state = self.cp.state();
        let plugin = state.plugin(&PluginId::known("local")).unwrap();
        plugin.node_info(&self.cp.node).unwrap().id.clone()
    }

    /// What one small durable commit takes by itself, in seconds.
    async fn a_commit(&self) -> f64 {
        let node = self.cp.state().node(&self.cp.node).unwrap().row.clone();
        let began = Instant::now();
        for _ in 0..COMMITS {
            let mut transaction = Transaction::default();
            transaction.put(keys::node(&node.id), &node).unwrap();
            self.cp.commit(transaction).await.unwrap().unwrap();
        }
        began.elapsed().as_secs_f64() / f64::from(COMMITS)
    }

    fn commits(&self) -> u64 {
        self.cp.state().index.0
    }

    async fn claim(&self, volume: &str) -> types::Claim {
        let claim = self.client.claim_volume().volume_id(volume).wait(PATIENCE);
        let claim = claim.body(types::ClaimRequest::builder()).send();
        claim.await.unwrap().into_inner()
    }
}

/// The four requests of a life, and how many CSI calls each makes.
const REQUESTS: [(&str, u32); 4] = [("create", 1), ("claim", 3), ("release", 3), ("delete", 1)];

async fn one_by_one(driver: &str, site: Site) {
    let straight = straight(&site).await;
    let mut through = [Spent::default(); 4];
    let mut commits = [0; 4];
    for cycle in 0..CYCLES {
        let id = format!("v{cycle}");
        let mut mark = (Mark::now(), site.commits());
        let mut lap = |at: usize| {
            mark.0.add_to(&mut through[at]);
            commits[at] += site.commits() - mark.1;
            mark = (Mark::now(), site.commits());
        };
        let create = site.client.create_volume().volume_id(&id);
        create
            .body_map(|body| body.volumes([volume(&id)]))
            .send()
            .await
            .unwrap();
        lap(0);
        let claim = site.claim(&id).await;
        assert_eq!(claim.state, "published");
        lap(1);
        let release = site.client.release_claim().volume_id(&id);
        let release = release.alloc_id(claim.allocation_id).wait(PATIENCE);
        assert_eq!(release.send().await.unwrap().state, "gone");
        lap(2);
        site.client
            .delete_volume()
            .volume_id(&id)
            .send()
            .await
            .unwrap();
        lap(3);
    }
    let a_commit = site.a_commit().await;
    for (at, (request, calls)) in REQUESTS.into_iter().enumerate() {
        let mean = |sum: Duration| sum.as_secs_f64() / f64::from(CYCLES);
        let [straight_cpu, http_cpu] =
            [straight[at], through[at]].map(|spent| mean(spent.processor));
        let [straight, http] = [straight[at], through[at]].map(|spent| mean(spent.clock));
        let commits = commits[at] as f64 / f64::from(CYCLES);
        let a_call = (http - straight - commits * a_commit) / f64::from(calls);
        println!(
            "{driver:<22} {request:<8} {calls:>6} {:>10} {:>10} {commits:>8.1} {:>10} {:>10} {:>10}",
            milliseconds(straight),
            milliseconds(http),
            milliseconds(a_commit),
            milliseconds(a_call),
            milliseconds((http_cpu - straight_cpu) / f64::from(calls)),
        );
    }
    site.serving.abort();
}

/// What something took.
#[derive(Clone, Copy, Default)]
struct Spent {
    clock: Duration,
    /// Of all processors, by this process.
    processor: Duration,
}

/// A moment, to count from.
struct Mark(Instant, Duration);

impl Mark {
    fn now() -> Self {
        Self(Instant::now(), processor_time())
    }

    fn add_to(&self, spent: &mut Spent) {
        spent.clock += self.0.elapsed();
        spent.processor += processor_time() - self.1;
    }
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1e3)
}

/// The time of the same calls made straight to the driver.
async fn straight(site: &Site) -> [Spent; 4] {
    let (driver, node) = (site.straight(), site.node());
    let mut times = [Spent::default(); 4];
    for cycle in 0..CYCLES {
        let mut mark = Mark::now();
        let mut lap = |at: usize| {
            mark.add_to(&mut times[at]);
            mark = Mark::now();
        };
        let id = make(&driver, &format!("straight-{cycle}")).await;
        lap(0);
        let (staging, target) = up(&driver, &id, &node, site.folder.path()).await;
        lap(1);
        down(&driver, &id, &node, staging, target).await;
        lap(2);
        let delete = csi::DeleteVolume {
            external_id: id,
            ..Default::default()
        };
        driver.delete_volume(&delete).await.unwrap();
        lap(3);
    }
    times
}

fn capability() -> Capability {
    Capability {
        access_mode: AccessMode::SingleNodeWriter,
        attachment_mode: AttachmentMode::FileSystem,
        mount_options: MountOptions::default(),
    }
}

async fn make(driver: &Connection, name: &str) -> String {
    let create = csi::CreateVolume {
        name: name.to_owned(),
        capacity_range: CapacityRange {
            required_bytes: 1 << 20,
            limit_bytes: 0,
        },
        capabilities: vec![capability()],
        ..Default::default()
    };
    driver.create_volume(&create).await.unwrap().external_id
}

async fn up(driver: &Connection, id: &str, node: &str, folder: &Path) -> (String, String) {
    let attach = csi::ControllerPublishVolume {
        external_id: id.to_owned(),
        external_node_id: node.to_owned(),
        capability: capability(),
        readonly: false,
        secrets: Secrets::none(),
        volume_context: Default::default(),
    };
    driver.controller_publish_volume(&attach).await.unwrap();
    let staging = folder.join("straight-staging");
    std::fs::create_dir_all(&staging).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (staging, target) = (path(&staging), path(&folder.join("straight-target")));
    let stage = csi::NodeStageVolume {
        external_id: id.to_owned(),
        publish_context: PublishContext::none(),
        staging_target_path: staging.clone(),
        capability: capability(),
        secrets: Secrets::none(),
        volume_context: Default::default(),
    };
    driver.node_stage_volume(&stage).await.unwrap();
    let publish = csi::NodePublishVolume {
        external_id: id.to_owned(),
        publish_context: PublishContext::none(),
        staging_target_path: staging.clone(),
        target_path: target.clone(),
        capability: capability(),
        readonly: false,
        secrets: Secrets::none(),
        volume_context: Default::default(),
    };
    driver.node_publish_volume(&publish).await.unwrap();
    (staging, target)
}

async fn down(driver: &Connection, id: &str, node: &str, staging: String, target: String) {
    let unpublish = csi::NodeUnpublishVolume {
        external_id: id.to_owned(),
        target_path: target,
    };
    driver.node_unpublish_volume(&unpublish).await.unwrap();
    let unstage = csi::NodeUnstageVolume {
        external_id: id.to_owned(),
        staging_target_path: staging,
    };
    driver.node_unstage_volume(&unstage).await.unwrap();
    let detach = csi::ControllerUnpublishVolume {
        external_id: id.to_owned(),
        external_node_id: node.to_owned(),
        secrets: Secrets::none(),
    };
    driver.controller_unpublish_volume(&detach).await.unwrap();
}

/// A volume of 1 MiB, as a client describes it.
fn volume(id: &str) -> types::VolumeRequest {
    types::VolumeRequest::builder()
        .id(id.to_owned())
        .name(id.to_owned())
        .plugin_id("local".to_owned())
        .requested_capacity_min(1 << 20)
        .requested_capabilities([types::CapabilityRequest {
            access_mode: types::CapabilityRequestAccessMode::SingleNodeWriter,
            attachment_mode: types::CapabilityRequestAttachmentMode::FileSystem,
        }])
        .try_into()
        .unwrap()
}

async fn at_once(claims: usize) {
    let driver = ScriptedDriver::start();
    for call in [
        Call::ControllerPublishVolume,
        Call::NodeStageVolume,
        Call::NodePublishVolume,
    ] {
        driver.always(call, Reply::After(CALL, Box::new(Reply::Usual)));
    }
    let plugin = plugin(&driver);
    let site = Site::start(|config| config.plugins = vec![plugin]).await;
    let ids: Vec<String> = (0..claims).map(|n| format!("v{n}")).collect();
    for some in ids.chunks(32) {
        let volumes: Vec<types::VolumeRequest> = some
            .iter()
            .map(|id| types::VolumeRequest {
                external_id: Some(format!("of-{id}")),
                ..volume(id)
            })
            .collect();
        let register = site.client.register_volume().volume_id(&some[0]);
        register
            .body_map(|body| body.volumes(volumes))
            .send()
            .await
            .unwrap();
    }
    let (began, before) = (Instant::now(), site.commits());
    let taken = futures::stream::iter(&ids).map(|id| {
        let claim = site.client.claim_volume().volume_id(id);
        let claim = claim.wait(Duration::ZERO);
        claim.body(types::ClaimRequest::builder()).send()
    });
    let taken: Vec<_> = taken
        .buffer_unordered(CONNECTIONS)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(taken.len(), claims);
    let mut indexes = site.cp.live.indexes();
    while site.cp.state().restless_claims().next().is_some() {
        indexes.changed().await.unwrap();
    }
    let took = began.elapsed().as_secs_f64();
    let alone = (2 * claims).div_ceil(CALLS_AT_ONCE) as f64 * CALL.as_secs_f64();
    println!(
        "{claims:>8} {:>10} {:>10} {:>8.2} {:>8.1}",
        format!("{alone:.2} s"),
        format!("{took:.2} s"),
        took / alone,
        (site.commits() - before) as f64 / claims as f64
    );
    site.serving.abort();
}
