//! Where a history happens: a server that can crash, two nodes that can be switched off and on, a driver
//! and a disk that outlive both.

use crate::disk::Disk;
use crate::strict_driver::StrictDriver;
use saddlebag::clock::Clock;
use saddlebag::config::{Config, Launch, PluginConfig};
use saddlebag::control::ControlPlane;
use saddlebag::csi::{Connection, Deadlines, Limits, Pace, Role};
use saddlebag::id::{JobId, Namespace, NodeId, PluginId};
use saddlebag::node::Node;
use saddlebag::plugin::{PluginJob, PluginType};
use saddlebag::server::Server;
use saddlebag::store::{Transaction, keys};
use saddlebag::work;
use saddlebag_client::Client;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How many nodes there are.
pub const NODES: usize = 2;

/// A site.
pub struct Site {
    pub driver: StrictDriver,
    pub clock: Clock,
    disk: Disk,
    data: TempDir,
    boots: [u64; NODES],
    running: Option<Running>,
}

/// What a server runs on; it can be left anywhere.
pub struct Host(Option<Runtime>);

impl Host {
    /// One with so many threads.
    pub fn new(threads: usize) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(threads).enable_all().build();
        Self(Some(runtime.unwrap()))
    }

    /// Ends everything on it, and waits for that.
    async fn end(mut self) {
        let runtime = self.0.take().unwrap();
        let end = || runtime.shutdown_timeout(Duration::from_secs(5));
        tokio::task::spawn_blocking(end).await.unwrap();
    }
}

impl std::ops::Deref for Host {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.0.as_ref().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

struct Running {
    runtime: Host,
    client: Client,
    control_plane: ControlPlane,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    second: Second,
}

/// What works on the second node.
struct Second {
    steps: work::Steps,
    tasks: Vec<JoinHandle<()>>,
}

impl Site {
    /// A server and its nodes, all healthy.
    pub async fn start() -> Self {
        let mut site = Self {
            driver: StrictDriver::start(NODES),
            clock: Clock::default(),
            disk: Disk::default(),
            data: tempfile::tempdir().unwrap(),
            boots: [1; NODES],
            running: None,
        };
        site.run().await;
        site
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// A client of the server that runs now.
    pub fn client(&self) -> Client {
        self.running().client.clone()
    }

    /// What the server that runs now knows.
    pub fn control_plane(&self) -> &ControlPlane {
        &self.running().control_plane
    }

    /// The id of a node.
    pub fn node(&self, node: usize) -> NodeId {
        match node {
            0 => self.control_plane().node.clone(),
            _ => second_node(),
        }
    }

    /// Kills the server, takes the power from its disk, and starts another on what is there then.
    pub async fn crash(&mut self, seed: u64) {
        self.kill(seed).await;
        self.run().await;
    }

    async fn kill(&mut self, seed: u64) {
        let Running { runtime, .. } = self.running.take().unwrap();
        self.disk.cut_power();
        self.disk = self.disk.after_power_loss(seed);
        runtime.end().await;
    }

    /// Stops the server in order, and starts another.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    async fn stop(&mut self) {
        let Running {
            runtime,
            stop,
            served,
            second,
            ..
        } = self.running.take().unwrap();
        second.end().await;
        drop(stop);
        served.await.unwrap();
        runtime.end().await;
    }

    /// Switches a node's host off and on: the server's own takes the server with it.
    pub async fn reboot(&mut self, node: usize, seed: u64) {
        self.boots[node] += 1;
        if node == 0 {
            self.kill(seed).await;
            self.driver.power_off(0);
            self.driver.power_on(0);
            return self.run().await;
        }
        let second = Second {
            steps: work::Steps::default(),
            tasks: Vec::new(),
        };
        let running = self.running.as_mut().unwrap();
        let before = std::mem::replace(&mut running.second, second);
        before.abort().await;
        self.driver.power_off(node);
        self.driver.power_on(node);
        self.work_on_second().await;
    }

    async fn run(&mut self) {
        let runtime = Host::new(1);
        let config = self.config();
        let (store, clock) = (self.disk.open().unwrap(), self.clock.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let started = runtime.spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let server = Server::start_on(Arc::new(store), config, clock, None).await;
            let server = server.unwrap();
            let control_plane = server.control_plane().clone();
            let served = tokio::spawn(async move {
                let stopped = async {
                    let _ = stopped.await;
                };
                server.serve(listener, stopped).await.unwrap();
            });
            (url, control_plane, served)
        });
        let (url, control_plane, served) = started.await.unwrap();
        self.running = Some(Running {
            runtime,
            // A client of its own gives up after 15 s, which a busy machine may need.
            client: Client::new_with_client(&url, saddlebag_client::http().build().unwrap()),
            control_plane,
            stop,
            served,
            second: Second {
                steps: work::Steps::default(),
                tasks: Vec::new(),
            },
        });
        self.work_on_second().await;
    }

    fn config(&self) -> Config {
        let mut config = Config::new(self.data.path().join("data"));
        let driver = Launch::Listening(self.driver.endpoint(0));
        config.plugins = vec![PluginConfig {
            kind: PluginType::Monolith,
            health: PACE,
            ..PluginConfig::new(plugin(), driver)
        }];
        config.deadlines = deadlines();
        config.shutdown_timeout = Duration::from_secs(2);
        config.boot_id = Some(format!("boot-{}", self.boots[0]));
        config
    }

    /// Has the second node's agent join, as it is in its boot: its row, its plugin job, its workers.
    async fn work_on_second(&mut self) {
        let endpoint = self.driver.endpoint(1);
        let boot_id = format!("boot-{}", self.boots[1]);
        let data_dir = self.data.path().join("2nd");
        let running = self.running.as_mut().unwrap();
        let cp = running.control_plane.clone();
        let joined = running.runtime.spawn(async move {
            let id = second_node();
            let job = PluginJob {
                id: JobId::known("strict-there"),
                namespace: Namespace::default_namespace(),
                plugin: plugin(),
                kind: PluginType::Node,
                endpoint: endpoint.to_string(),
                command: Vec::new(),
                node: id.clone(),
                base_dir: None,
                submitted_at: cp.clock.now(),
            };
            let state = cp.state();
            let known = state.node(&id).map(|stored| &stored.row);
            let same_boot = known.filter(|known| known.boot_id == boot_id);
            let node = Node {
                id: id.clone(),
                name: "second".to_owned(),
                fenced: same_boot.and_then(|known| known.fenced.clone()),
                boot_id,
                data_dir,
                target_roots: Vec::new(),
            };
            let mut transaction = Transaction::default();
            if known != Some(&node) {
                transaction.put(keys::node(&id), &node).unwrap();
            }
            transaction
                .put(keys::job(&job.namespace, &job.id), &job)
                .unwrap();
            cp.commit(transaction).await.unwrap();
            let connection = Connection::new(endpoint, Limits::new(16, deadlines()));
            let (near, far) = (connection.clone(), connection.clone());
            cp.drivers
                .add(job.namespace.clone(), job.id.clone(), near, far);
            let steps = work::Steps::default();
            let health = work::health::work(cp.clone(), job, Role::Node, connection, PACE, None);
            let tasks = vec![
                tokio::spawn(health),
                tokio::spawn(work::node::work(cp, id, steps.clone())),
            ];
            Second { steps, tasks }
        });
        running.second = joined.await.unwrap();
    }

    /// Waits until every service of the driver is known to be healthy.
    pub async fn all_healthy(&self) -> bool {
        let cp = self.control_plane();
        let mut indexes = cp.live.indexes();
        let healthy = async {
            loop {
                indexes.mark_unchanged();
                let state = cp.state();
                let plugin = state.plugin(&plugin());
                let is_healthy = plugin.is_some_and(|plugin| {
                    let health = plugin.health();
                    health.controllers_healthy == 1 && health.nodes_healthy == NODES
                });
                if is_healthy || indexes.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), healthy)
            .await
            .is_ok()
    }

    /// Stops the server for good.
    pub async fn end(mut self) {
        self.driver.let_go();
        self.stop().await;
    }
}

impl Second {
    async fn abort(self) {
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
        self.steps.end(Duration::ZERO).await;
    }

    async fn end(self) {
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
        self.steps.end(Duration::from_millis(100)).await;
    }
}

/// How often drivers are asked how they are.
const PACE: Pace = Pace {
    interval: Duration::from_secs(5),
    refresh: Duration::from_secs(60),
};

/// A call that hangs is given up soon.
fn deadlines() -> Deadlines {
    Deadlines {
        controller: Duration::from_millis(600),
        node: Duration::from_millis(600),
        ..Deadlines::default()
    }
}

/// The only plugin.
pub fn plugin() -> PluginId {
    PluginId::known("strict")
}

fn second_node() -> NodeId {
    NodeId::known("00000000-0000-4000-8000-000000000002")
}
