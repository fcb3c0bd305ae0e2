//! One driver that hangs for good takes nothing from another.

use crate::disk::Disk;
use crate::site::Host;
use crate::strict_driver::{StrictDriver, context_of};
use futures::future::join_all;
use jiff::SignedDuration;
use saddlebag::clock::Clock;
use saddlebag::config::{Config, Launch, PluginConfig};
use saddlebag::control::ControlPlane;
use saddlebag::csi::{Call, Deadlines};
use saddlebag::id::PluginId;
use saddlebag::server::Server;
use saddlebag_client::{Client, types};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use uuid::Uuid;

/// How many volumes each driver has.
const VOLUMES: usize = 100;
/// How long each call to the driver that works takes.
const CALL: Duration = Duration::from_millis(10);
/// How long a call to the one that hangs is waited for.
const HUNG: Duration = Duration::from_millis(300);

/// How often the time is taken; the shortest counts.
const ROUNDS: usize = 3;

/// A server with two drivers, on a runtime of its own.
struct Rig {
    hung: StrictDriver,
    quick: StrictDriver,
    clock: Clock,
    client: Client,
    control_plane: ControlPlane,
    runtime: Host,
    _data: tempfile::TempDir,
}

impl Rig {
    async fn start() -> Self {
        let (hung, quick) = (StrictDriver::start(1), StrictDriver::start(1));
        quick.pace(CALL);
        let data = tempfile::tempdir().unwrap();
        let mut config = Config::new(data.path().join("data"));
        let listening = |id, driver: &StrictDriver| {
            PluginConfig::new(PluginId::known(id), Launch::Listening(driver.endpoint(0)))
        };
        config.plugins = vec![listening("hung", &hung), listening("quick", &quick)];
        config.deadlines = Deadlines {
            controller: HUNG,
            ..Deadlines::default()
        };
        let runtime = Host::new(2);
        let clock = Clock::default();
        let of_server = clock.clone();
        let started = runtime.spawn(async move {
            let store = Arc::new(Disk::default().open().unwrap());
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let server = Server::start_on(store, config, of_server, None)
                .await
                .unwrap();
            let control_plane = server.control_plane().clone();
            let watcher = server.watcher();
            tokio::spawn(server.serve(listener, std::future::pending()));
            watcher.all_healthy().await;
            (url, control_plane)
        });
        let (url, control_plane) = started.await.unwrap();
        Self {
            hung,
            quick,
            clock,
            client: Client::new(&url),
            control_plane,
            runtime,
            _data: data,
        }
    }

    /// Registers the volumes of a plugin.
    async fn register(&self, plugin: &str, driver: &StrictDriver) {
        for number in 0..VOLUMES {
            let id = format!("{plugin}-{number}");
            driver.bring(&id);
            let volume = json!({
                "ID": id,
                "Name": id,
                "PluginID": plugin,
                "ExternalID": id,
                "Context": context_of(&id),
                "RequestedCapabilities": [
                    {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}
                ],
            });
            let volume: types::VolumeRequest = serde_json::from_value(volume).unwrap();
            let register = self.client.register_volume().volume_id(id);
            register
                .body_map(|body| body.volumes([volume]))
                .send()
                .await
                .unwrap();
        }
    }

    /// Claims all volumes of a plugin at once, and waits this long.
    async fn claim(&self, plugin: &str, round: usize, wait: Duration) {
        let claims = (0..VOLUMES).map(|number| {
            let claim = self
                .client
                .claim_volume()
                .volume_id(format!("{plugin}-{number}"));
            let body = json!({"AllocationID": allocation(plugin, number, round)});
            let body: types::ClaimRequest = serde_json::from_value(body).unwrap();
            claim.wait(wait).body(body).send()
        });
        for claimed in join_all(claims).await {
            let claimed = claimed.unwrap();
            assert!(
                wait.is_zero() || claimed.state == "published",
                "{claimed:?}"
            );
        }
    }

    async fn release(&self, plugin: &str, round: usize) {
        let releases = (0..VOLUMES).map(|number| {
            let release = self
                .client
                .release_claim()
                .volume_id(format!("{plugin}-{number}"));
            release
                .alloc_id(allocation(plugin, number, round))
                .wait(Duration::from_secs(60))
                .send()
        });
        for released in join_all(releases).await {
            assert_eq!(released.unwrap().state, "gone");
        }
    }

    /// How long it takes to claim and release the volumes of the driver that works. Time goes fast
    /// meanwhile, so that what waits for its next try is always about to be tried.
    async fn measured(&self, round: usize) -> Duration {
        let clock = self.clock.clone();
        let ticking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                clock.advance(SignedDuration::from_secs(1));
            }
        });
        let began = Instant::now();
        self.claim("quick", round, Duration::from_secs(60)).await;
        self.release("quick", round).await;
        let took = began.elapsed();
        ticking.abort();
        took
    }

    fn tasks(&self) -> usize {
        self.runtime.metrics().num_alive_tasks()
    }

    /// Waits until calls to the driver that hangs were made this often in all.
    async fn hung_calls(&self, times: u64) {
        let enough = async {
            while self.hung.count(Call::ControllerPublishVolume) < times {
                self.clock.advance(SignedDuration::from_secs(60));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), enough)
            .await
            .expect("the driver that hangs is not asked again");
    }
}

fn allocation(plugin: &str, number: usize, round: usize) -> String {
    let name = format!("{plugin} {number} {round}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_hangs_takes_neither_time_nor_memory_from_another() {
    let without = Rig::start().await;
    without.register("quick", &without.quick).await;
    let rig = Rig::start().await;
    rig.register("quick", &rig.quick).await;
    rig.register("hung", &rig.hung).await;
    rig.hung.hang_for_good();
    rig.claim("hung", 0, Duration::ZERO).await;
    rig.hung_calls(VOLUMES as u64).await;
    let tasks = rig.tasks();
    // By turns, so that whatever else the machine does is done to both.
    let (mut alone, mut beside) = (Duration::MAX, Duration::MAX);
    for round in 0..ROUNDS {
        alone = alone.min(without.measured(round).await);
        beside = beside.min(rig.measured(round).await);
    }
    rig.hung_calls(4 * VOLUMES as u64).await;
    let later = rig.tasks();
    println!("alone {alone:.2?}, beside one that hangs {beside:.2?}; {tasks} tasks, later {later}");
    let waiting = rig.control_plane.state().restless_claims().count();
    assert_eq!(
        waiting, VOLUMES,
        "none of the others ended, nor was any given up"
    );
    assert!(
        beside < alone * 3,
        "it took {alone:?} alone, and {beside:?} beside one that hangs"
    );
    assert!(
        later < tasks + VOLUMES,
        "{tasks} tasks became {later} as the driver went on hanging"
    );
}
