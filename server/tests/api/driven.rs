//! A server whose plugin `scripted` is a driver that does as the test says, at a clock that stands
//! still unless the test moves it: no try comes by itself.

use crate::rig::{plugin, published};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::server::{PATIENCE, TestServer, create, register, volume};
use saddlebag::clock::Clock;
use saddlebag::config::Config;
use saddlebag::csi::Call;
use saddlebag::id::{Namespace, PluginId, VolumeId, VolumeKey};
use saddlebag::operation::Subject;
use saddlebag::plugin::PluginType;
use saddlebag::store::{Index, Store, Transaction, keys};
use saddlebag_client::types;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::Code;

/// What a client is answered.
pub type Answer<T> = Result<T, saddlebag_client::Error<types::Error>>;

/// A client that waits for its answer.
pub type Client<T> = JoinHandle<Answer<T>>;

/// Not at all.
pub const NOT_AT_ALL: Duration = Duration::ZERO;

/// A server and the driver behind its plugin `scripted`.
pub struct Driven {
    pub server: TestServer,
    pub driver: ScriptedDriver,
}

impl Driven {
    /// A healthy one.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A healthy one that is configured by `change`, too.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(None, change).await
    }

    /// A healthy one on this store, or on a file of its own, that is configured by `change`, too.
    pub async fn start_on(store: Option<Arc<dyn Store>>, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_as(ScriptedDriver::start(), store, change).await
    }

    /// A healthy one whose driver was told something before anybody asked it.
    pub async fn with(driver: ScriptedDriver) -> Self {
        Self::start_as(driver, None, |_| {}).await
    }

    async fn start_as(
        driver: ScriptedDriver,
        store: Option<Arc<dyn Store>>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let scripted = plugin("scripted", PluginType::Monolith, &driver);
        let server = TestServer::start_on(store, Clock::stopped(), |config| {
            config.plugins.push(scripted);
            change(config);
        })
        .await;
        server.all_healthy().await;
        Self { server, driver }
    }

    /// A client that creates a volume.
    pub fn create(&self, id: &str) -> Client<types::Volume> {
        self.create_as(described(id))
    }

    /// A client that creates this volume.
    pub fn create_as(&self, volume: types::VolumeRequest) -> Client<types::Volume> {
        let client = self.server.client.clone();
        tokio::spawn(async move { Ok(create(&client, volume).await?.volumes.remove(0)) })
    }

    /// A client that registers this volume, or updates it.
    pub fn register(&self, volume: types::VolumeRequest) -> Client<types::Volume> {
        let client = self.server.client.clone();
        tokio::spawn(async move { Ok(register(&client, volume).await?.volumes.remove(0)) })
    }

    /// A client that creates a volume and waits this long.
    pub async fn create_within(&self, id: &str, wait: Duration) -> Answer<()> {
        let client = self.server.client.create_volume().volume_id(id).wait(wait);
        let volume = described(id);
        client
            .body_map(|body| body.volumes([volume]))
            .send()
            .await
            .map(drop)
    }

    /// A client that deletes a volume and waits this long.
    pub fn delete_within(&self, id: &str, wait: Duration) -> Client<()> {
        let (client, id) = (self.server.client.clone(), id.to_owned());
        tokio::spawn(async move {
            let delete = client.delete_volume().volume_id(id).wait(wait);
            delete.send().await.map(drop)
        })
    }

    /// A client that deletes a volume.
    pub fn delete(&self, id: &str) -> Client<()> {
        self.delete_within(id, PATIENCE)
    }

    /// A client that deregisters a volume and waits this long.
    pub fn deregister_within(&self, id: &str, wait: Duration) -> Client<()> {
        let (client, id) = (self.server.client.clone(), id.to_owned());
        tokio::spawn(async move {
            let deregister = client.deregister_volume().volume_id(id).wait(wait);
            deregister.send().await.map(drop)
        })
    }

    /// A client that deregisters a volume.
    pub fn deregister(&self, id: &str) -> Client<()> {
        self.deregister_within(id, PATIENCE)
    }

    /// A client that takes a snapshot and waits this long.
    pub fn snapshot_within(
        &self,
        id: &str,
        name: &str,
        wait: Duration,
    ) -> Client<types::SnapshotsAnswer> {
        let client = self.server.client.clone();
        let snapshot: types::SnapshotRequest = types::SnapshotRequest::builder()
            .source_volume_id(id.to_owned())
            .name(name.to_owned())
            .try_into()
            .unwrap();
        tokio::spawn(async move {
            let take = client.create_snapshots().wait(wait);
            let taken = take.body_map(|body| body.snapshots(vec![snapshot]));
            Ok(taken.send().await?.into_inner())
        })
    }

    /// A client that takes a snapshot.
    pub fn snapshot(&self, id: &str, name: &str) -> Client<types::SnapshotsAnswer> {
        self.snapshot_within(id, name, PATIENCE)
    }

    /// A client that grows a volume to 2 MiB.
    pub fn expand(&self, id: &str) -> Client<types::Volume> {
        self.create_as(types::VolumeRequest {
            requested_capacity_min: Some(2 << 20),
            ..described(id)
        })
    }

    /// The operations on a volume, under way or ended.
    pub async fn operations(&self, volume: &str) -> Vec<types::Operation> {
        let list = self.server.client.list_operations().volume_id(volume);
        list.send().await.unwrap().into_inner()
    }

    /// The only operation on a volume.
    pub async fn operation(&self, volume: &str) -> types::Operation {
        let mut operations = self.operations(volume).await;
        assert_eq!(operations.len(), 1, "{operations:?}");
        operations.remove(0)
    }

    /// The operation that is under way on a volume, once it waits for its next try.
    pub async fn waiting(&self, volume: &str) -> types::Operation {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let operations = self.operations(volume).await;
            let is_waiting = |operation: &types::Operation| {
                operation.state == "waiting" && operation.last_error.is_some()
            };
            if let Some(found) = operations.iter().find(|operation| is_waiting(operation)) {
                return found.clone();
            }
            let now = tokio::time::Instant::now();
            assert!(now < deadline, "not waiting for a next try: {operations:?}");
            // Asked again as a client has to: lists of operations do not block.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Reads an operation.
    pub async fn read_operation(&self, id: &str) -> Answer<types::Operation> {
        let read = self.server.client.read_operation().operation_id(id);
        Ok(read.send().await?.into_inner())
    }

    /// Makes an operation's next try due now.
    pub async fn retry(&self, id: &str) -> Answer<types::Operation> {
        let retry = self.server.client.retry_operation().operation_id(id);
        Ok(retry.send().await?.into_inner())
    }

    /// Gives an operation up.
    pub async fn abandon(&self, id: &str, reason: &str) -> Answer<types::Operation> {
        let abandon = self.server.client.abandon_operation().operation_id(id);
        Ok(abandon.reason(reason).send().await?.into_inner())
    }

    /// Has the driver hold back its answers to calls of this kind until it is told to go on.
    pub fn hold(&self, call: Call) -> Held {
        let (go_on, told) = watch::channel(false);
        self.driver
            .always(call, Reply::Once(told, Box::new(Reply::Usual)));
        Held(go_on)
    }

    /// Has the driver refuse the next call of this kind.
    pub fn refuse(&self, call: Call, code: Code, message: &str) {
        self.driver.script(call, Reply::refuse(code, message));
    }

    /// The calls so far that change something.
    pub fn changes(&self) -> Vec<Call> {
        let changes = |call: &Call| {
            matches!(
                call,
                Call::CreateVolume
                    | Call::DeleteVolume
                    | Call::CreateSnapshot
                    | Call::DeleteSnapshot
                    | Call::ControllerExpandVolume
            )
        };
        self.driver.calls().into_iter().filter(changes).collect()
    }

    /// Waits until this many controllers and nodes of plugin `scripted` are healthy.
    pub async fn healthy(&self, controllers: usize, nodes: usize) {
        self.server
            .until("the health of the plugin to change", |state| {
                let plugin = state.plugin(&PluginId::known("scripted"));
                plugin.is_some_and(|plugin| {
                    let health = plugin.health();
                    (health.controllers_healthy, health.nodes_healthy) == (controllers, nodes)
                })
            })
            .await;
    }

    /// What stores a claim of a volume, as if an allocation on this node used it.
    pub fn claim(&self, id: &str, allocation: &str) -> Transaction {
        let cp = &self.server.control_plane;
        let claim = published(id, allocation, cp.node.clone());
        let mut transaction = Transaction::default();
        let at = keys::claim(&claim.volume, &claim.allocation);
        transaction.put(at, &claim).unwrap();
        transaction
    }

    /// Commits this; `None` if a guard does not hold.
    pub async fn commit(&self, transaction: Transaction) -> Option<Index> {
        let cp = &self.server.control_plane;
        cp.commit(transaction).await.unwrap()
    }

    /// Waits until nothing is under way on a volume.
    pub async fn nothing_under_way(&self, volume: &str) {
        let subject = Subject::Volume(key(volume));
        self.server
            .until("the end of what is under way", |state| {
                state.doing(&subject).is_none()
            })
            .await;
    }
}

/// A driver that holds back its answers.
pub struct Held(watch::Sender<bool>);

impl Held {
    /// Has it give all that it holds back, and hold back no more.
    pub fn go_on(self) {
        self.0.send_replace(true);
    }
}

/// What a client wrote that describes a volume of 1 MiB at plugin `scripted`.
pub fn described(id: &str) -> types::VolumeRequest {
    types::VolumeRequest {
        plugin_id: Some("scripted".to_owned()),
        ..volume(id)
    }
}

/// The key of a volume in namespace `default`.
pub fn key(id: &str) -> VolumeKey {
    VolumeKey {
        namespace: Namespace::default_namespace(),
        id: VolumeId::known(id),
    }
}
