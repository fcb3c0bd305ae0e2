//! A server whose plugin `disk` is a driver that answers as it is told, and what tests of volumes say
//! again and again.

use crate::scripted_driver::ScriptedDriver;
use crate::server::{TestServer, create, register};
use jiff::Timestamp;
use saddlebag::claim::{Claim, ClaimRequest, OnReboot, Stage};
use saddlebag::config::{Config, Launch, PluginConfig};
use saddlebag::csi::{AccessMode, AttachmentMode, Call};
use saddlebag::id::{AllocationId, ExternalId, Namespace, NodeId, PluginId, VolumeId, VolumeKey};
use saddlebag::plugin::PluginType;
use saddlebag::store::{Transaction, Write, keys};
use saddlebag::tries::Tries;
use saddlebag::volume::{Capability, SealedMountOptions};
use saddlebag_client::{Client, Error, types};
use serde_json::{Value, json};

/// What the generated client gives back.
pub type Answered<T> = Result<T, Error<types::Error>>;

/// A server and the driver of its only plugin, `disk`.
pub struct Rig {
    pub server: TestServer,
    pub driver: ScriptedDriver,
}

impl Rig {
    /// A driver with every capability, healthy.
    pub async fn start() -> Self {
        Self::scripted(|_| {}).await
    }

    /// A driver that was told something before anybody asked it.
    pub async fn scripted(script: impl FnOnce(&ScriptedDriver)) -> Self {
        Self::start_with(script, |_| {}).await
    }

    /// Likewise, at a server that is configured by `change`.
    pub async fn start_with(
        script: impl FnOnce(&ScriptedDriver),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let driver = ScriptedDriver::start();
        script(&driver);
        let server = TestServer::start_with(|config| {
            config.plugins = vec![plugin("disk", PluginType::Monolith, &driver)];
            change(config);
        })
        .await;
        driver.forget();
        Self { server, driver }
    }

    /// The generated client.
    pub fn client(&self) -> &Client {
        &self.server.client
    }

    /// Creates a volume like [`described`].
    pub async fn create(&self, id: &str, more: Value) -> Answered<types::Volume> {
        let mut answer = create(self.client(), described(id, more)).await?;
        Ok(answer.volumes.remove(0))
    }

    /// Registers a volume like [`described`].
    pub async fn register(&self, id: &str, more: Value) -> Answered<types::Volume> {
        let mut answer = register(self.client(), described(id, more)).await?;
        Ok(answer.volumes.remove(0))
    }

    /// How often the driver was asked this.
    pub fn count(&self, call: Call) -> usize {
        let calls = self.driver.calls();
        calls.into_iter().filter(|asked| *asked == call).count()
    }
}

/// A plugin whose driver listens already.
pub fn plugin(id: &str, kind: PluginType, driver: &ScriptedDriver) -> PluginConfig {
    PluginConfig {
        kind,
        ..PluginConfig::new(PluginId::known(id), Launch::Listening(driver.endpoint()))
    }
}

/// A volume at plugin `disk` for one writer, named as its id, with these fields laid over it; `null`
/// leaves one out.
pub fn described(id: &str, more: Value) -> types::VolumeRequest {
    serde_json::from_value(sent(id, more)).unwrap()
}

/// [`described`], as JSON.
pub fn sent(id: &str, more: Value) -> Value {
    let mut volume = json!({
        "ID": id,
        "Name": id,
        "PluginID": "disk",
        "RequestedCapabilities": [
            {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}
        ],
    });
    for (key, value) in more.as_object().unwrap() {
        match value {
            Value::Null => _ = volume.as_object_mut().unwrap().remove(key),
            value => volume[key] = value.clone(),
        }
    }
    volume
}

/// File systems that many nodes may hold.
pub fn shared(external_id: &str) -> Value {
    json!({
        "ExternalID": external_id,
        "RequestedCapabilities": [
            {"AccessMode": "multi-node-multi-writer", "AttachmentMode": "file-system"},
            {"AccessMode": "multi-node-reader-only", "AttachmentMode": "file-system"}
        ],
    })
}

/// Nomad's words around one failure of a request that may hold several things.
pub fn one_error(text: &str) -> String {
    format!("1 error occurred:\n\t* {text}\n\n")
}

/// A volume of namespace `default`.
pub fn key(id: &str) -> VolumeKey {
    VolumeKey {
        namespace: Namespace::default_namespace(),
        id: VolumeId::known(id),
    }
}

/// One writer of a volume of namespace `default`, as file system, published on node `n1`.
pub fn writer(volume: &str, allocation: &str) -> Claim {
    published(volume, allocation, NodeId::known("n1"))
}

/// One writer of a volume of namespace `default`, as file system, published on a node.
pub fn published(volume: &str, allocation: &str, node: NodeId) -> Claim {
    Claim {
        volume: key(volume),
        allocation: AllocationId::known(allocation),
        node,
        plugin: PluginId::known("disk"),
        external_id: ExternalId::known(format!("of-{volume}")),
        read_only: false,
        capability: Capability {
            access_mode: AccessMode::SingleNodeWriter,
            attachment_mode: AttachmentMode::FileSystem,
        },
        mount_options: SealedMountOptions::default(),
        target_path: "/nowhere".into(),
        made_folder: None,
        on_reboot: OnReboot::Republish,
        name: String::new(),
        job_id: String::new(),
        request: ClaimRequest::default(),
        asked_options: None,
        attachment: None,
        stage: Stage::Published,
        release: None,
        failure: None,
        failure_code: None,
        tries: Tries::default(),
        boot: String::new(),
        by: String::new(),
        created_at: Timestamp::UNIX_EPOCH,
        since: Timestamp::UNIX_EPOCH,
        intended: None,
        dropped: false,
        ended_at: None,
    }
}

impl TestServer {
    /// Puts a claim into the store, as whoever takes claims will.
    pub async fn claim(&self, claim: &Claim) {
        let mut transaction = Transaction::default();
        let at = keys::claim(&claim.volume, &claim.allocation);
        transaction.put(at, claim).unwrap();
        self.control_plane.commit(transaction).await.unwrap();
    }

    /// Takes a claim out of the store.
    pub async fn release(&self, claim: &Claim) {
        let at = keys::claim(&claim.volume, &claim.allocation);
        let transaction = Transaction {
            guards: Vec::new(),
            writes: vec![Write::Delete(at)],
        };
        self.control_plane.commit(transaction).await.unwrap();
    }

    /// Registers volumes in one request.
    pub async fn register_all(
        &self,
        volumes: Vec<types::VolumeRequest>,
    ) -> Answered<types::VolumesAnswer> {
        let call = self.client.register_volumes();
        let answer = call.body_map(|body| body.volumes(volumes)).send().await?;
        Ok(answer.into_inner())
    }

    /// Creates volumes in one request.
    pub async fn create_all(
        &self,
        volumes: Vec<types::VolumeRequest>,
    ) -> Answered<types::VolumesAnswer> {
        let call = self.client.create_volume().volume_id("several");
        let answer = call.body_map(|body| body.volumes(volumes)).send().await?;
        Ok(answer.into_inner())
    }

    /// The ids of all volumes of all namespaces, in order.
    pub async fn ids(&self) -> Vec<String> {
        let call = self.client.list_volumes().type_("csi").namespace("*");
        let listed = call.send().await.unwrap();
        listed.iter().map(|volume| volume.id.clone()).collect()
    }
}
