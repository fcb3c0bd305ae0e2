//! A server for one test, on a port and a data folder of its own.

#[path = "../support/folder.rs"]
pub mod folder;

use folder::Folder;
use saddlebag::clock::Clock;
use saddlebag::config::Config;
use saddlebag::control::ControlPlane;
use saddlebag::http::contract::truth::{Ledger, Violation};
use saddlebag::server::Server;
use saddlebag::store::Store;
use saddlebag_client::{Client, types};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long anything that a test waits for may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. When it is dropped, every exchange that went against the document fails the
/// test.
pub struct TestServer {
    pub client: Client,
    /// For what no generated client sends. It sends `Accept: */*`; who sends none is in `wire`.
    pub http: reqwest::Client,
    pub url: String,
    pub clock: Clock,
    pub control_plane: ControlPlane,
    ledger: Ledger,
    running: Option<Running>,
    /// Removed with it.
    _data: Folder,
    config: Config,
}

struct Running {
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl TestServer {
    /// A server with the built-in driver as plugin `local`, healthy.
    pub async fn start() -> Self {
        Self::start_with(|config| config.builtin_driver = true).await
    }

    /// A server that is configured by `change`, with every plugin healthy.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let server = Self::start_unready(change).await;
        server.all_healthy().await;
        server
    }

    /// A server that is configured by `change`, whatever its plugins do.
    pub async fn start_unready(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(Clock::default(), change).await
    }

    /// A server with this clock that is configured by `change`, whatever its plugins do.
    pub async fn start_at(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(None, clock, change).await
    }

    /// A server on this store, or on a file of its own, with this clock, that is configured by
    /// `change`, whatever its plugins do.
    pub async fn start_on(
        store: Option<Arc<dyn Store>>,
        clock: Clock,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let data = Folder::new();
        let mut config = Config::new(data.path().join("data"));
        config.check_truth = true;
        // All clients of a test have one address.
        config.connections.connections_per_address = usize::MAX;
        config.failed_logins.free = usize::MAX;
        config.requests.blocked_queries_per_address = usize::MAX;
        change(&mut config);
        let ledger = Ledger::default();
        let (running, url, control_plane) = run(store, &config, &clock, &ledger).await;
        Self {
            client: Client::new(&url),
            http: saddlebag_client::http().build().unwrap(),
            url,
            clock,
            control_plane,
            ledger,
            running: Some(running),
            _data: data,
            config,
        }
    }

    /// Stops it and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.stop().await;
        let (running, url, control_plane) =
            run(None, &self.config, &self.clock, &self.ledger).await;
        self.client = Client::new(&url);
        (self.url, self.control_plane) = (url, control_plane);
        self.running = Some(running);
    }

    /// Stops it and starts it again on the same data, configured anew by `change`.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.restart().await;
    }

    /// Stops it, as Ctrl-C does.
    pub async fn stop(&mut self) {
        if let Some(Running { stop, served }) = self.running.take() {
            drop(stop);
            served.await.unwrap().unwrap();
        }
    }

    /// Waits until every plugin is healthy.
    pub async fn all_healthy(&self) {
        self.until("every plugin to be healthy", |state| {
            state.plugins().all(|plugin| {
                let health = plugin.health();
                health.controllers_healthy >= health.controllers_expected
                    && health.nodes_healthy >= health.nodes_expected
            })
        })
        .await;
    }

    /// Waits until the state is so.
    pub async fn until(&self, what: &str, is: impl Fn(&saddlebag::state::State) -> bool) {
        let mut indexes = self.control_plane.live.indexes();
        let reached = async {
            while !is(&self.control_plane.state()) {
                indexes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, reached)
            .await
            .unwrap_or_else(|_| panic!("waited too long for {what}"));
    }

    /// What went against the document so far, for who judges that before the end.
    #[allow(dead_code, reason = "only the test of random requests does")]
    pub fn take_violations(&self) -> Vec<Violation> {
        self.ledger.take()
    }

    /// Where the server keeps its data.
    pub fn data(&self) -> &std::path::Path {
        &self.config.data_dir
    }

    /// The address of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Creates a volume of 1 MiB at plugin `local` under this id and name.
    pub async fn create(&self, id: &str) -> types::Volume {
        let mut created = create(&self.client, volume(id)).await.unwrap();
        created.volumes.remove(0)
    }

    /// Reads a volume of namespace `default`.
    pub async fn read(
        &self,
        id: &str,
    ) -> Result<types::Volume, saddlebag_client::Error<types::Error>> {
        let read = self.client.read_volume().volume_id(id).send().await?;
        Ok(read.into_inner())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.ledger.settle();
    }
}

async fn run(
    store: Option<Arc<dyn Store>>,
    config: &Config,
    clock: &Clock,
    ledger: &Ledger,
) -> (Running, String, ControlPlane) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (config, clock, told) = (config.clone(), clock.clone(), Some(ledger.recorder()));
    let started = match store {
        Some(store) => Server::start_on(store, config, clock, told).await,
        None => Server::start(config, clock, told).await,
    };
    let server = started.unwrap();
    let control_plane = server.control_plane().clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(server.serve(listener, async {
        let _ = stopped.await;
    }));
    (Running { stop, served }, url, control_plane)
}

/// A volume of 1 MiB at plugin `local`, as a client describes it.
pub fn volume(id: &str) -> types::VolumeRequest {
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

/// Creates one volume.
pub async fn create(
    client: &Client,
    volume: types::VolumeRequest,
) -> Result<types::VolumesAnswer, saddlebag_client::Error<types::Error>> {
    let created = client
        .create_volume()
        .volume_id(volume.id.clone().unwrap_or_default())
        .body_map(|body| body.volumes([volume]))
        .send()
        .await?;
    Ok(created.into_inner())
}

/// Registers one volume.
pub async fn register(
    client: &Client,
    volume: types::VolumeRequest,
) -> Result<types::VolumesAnswer, saddlebag_client::Error<types::Error>> {
    let registered = client
        .register_volume()
        .volume_id(volume.id.clone().unwrap_or_default())
        .body_map(|body| body.volumes([volume]))
        .send()
        .await?;
    Ok(registered.into_inner())
}

/// The status and body of a failure that the document lists.
#[track_caller]
pub fn refusal<T: std::fmt::Debug>(
    result: Result<T, saddlebag_client::Error<types::Error>>,
) -> (u16, types::Error) {
    match result {
        Err(saddlebag_client::Error::ErrorResponse(response)) => {
            (response.status().as_u16(), response.into_inner())
        }
        other => panic!("not a failure of the document: {other:?}"),
    }
}
