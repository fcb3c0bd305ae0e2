//! Claims, taken and given back by the verbs themselves.

use crate::driven::NOT_AT_ALL;
use crate::rig::{Rig, key};
use crate::scripted_driver::ScriptedDriver;
use crate::server::{PATIENCE, TestServer};
use saddlebag::attachment::Attachment;
use saddlebag::claim::{self, Claim, ClaimKey, ClaimRequest, Ended};
use saddlebag::config::Config;
use saddlebag::csi::{Call, MountOptions};
use saddlebag::error::Error;
use saddlebag::id::{AllocationId, NodeId, PluginId};
use saddlebag::node::Node;
use saddlebag::operation::verbs::Deadline;
use saddlebag::store::{Transaction, keys};
use saddlebag::work;
use serde_json::{Value, json};
use std::time::Duration;

/// A server whose plugin `disk` answers as it is told.
pub struct Claimed {
    pub rig: Rig,
}

impl Claimed {
    /// A driver with every capability, healthy.
    pub async fn start() -> Self {
        Self::start_with(|_| {}, |_| {}).await
    }

    /// A driver that was told something, at a server that is configured by `change`.
    pub async fn start_with(
        script: impl FnOnce(&ScriptedDriver),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        Self {
            rig: Rig::start_with(script, change).await,
        }
    }

    /// The driver.
    pub fn driver(&self) -> &ScriptedDriver {
        &self.rig.driver
    }

    /// The server.
    pub fn server(&self) -> &TestServer {
        &self.rig.server
    }

    /// Registers a volume that may be used in one way, and forgets what the driver was asked.
    pub async fn register(&self, id: &str) {
        self.register_as(id, json!({"ExternalID": format!("of-{id}")}))
            .await;
    }

    /// Registers a volume, described further by `more`, and forgets what the driver was asked.
    pub async fn register_as(&self, id: &str, more: Value) {
        self.rig.register(id, more).await.unwrap();
        self.forget();
    }

    /// Takes a claim.
    pub async fn take(&self, volume: &str, name: &str, request: Value) -> Result<Claim, Error> {
        self.server().take(volume, name, request).await
    }

    /// Gives it back.
    pub async fn give_back(&self, volume: &str, name: &str) -> Result<(), Error> {
        self.server().give_back(volume, name).await
    }

    /// A second node, with the same driver beside it. It works until the test ends.
    pub async fn second_node(&self) -> NodeId {
        let cp = &self.server().control_plane;
        let (node, state) = (NodeId::known("second-node"), cp.state());
        let mut transaction = Transaction::default();
        let row = Node {
            id: node.clone(),
            ..state.node(&cp.node).unwrap().row.clone()
        };
        transaction.put(keys::node(&node), &row).unwrap();
        let plugin = state.plugin(&PluginId::known("disk")).unwrap();
        let mut instance = plugin.node_instance(&cp.node).unwrap().clone();
        instance.node = node.clone();
        let info = instance.fingerprint.as_mut().unwrap();
        info.node.as_mut().unwrap().id = "second".to_owned();
        let at = keys::instance(&instance.plugin, instance.role, &node, &instance.job);
        transaction.put(at, &instance).unwrap();
        cp.commit(transaction).await.unwrap();
        let steps = work::Steps::default();
        tokio::spawn(work::node::work(cp.clone(), node.clone(), steps));
        node
    }

    /// How a claim ended.
    pub fn ended(&self, volume: &str, name: &str) -> Option<Ended> {
        let state = self.server().control_plane.state();
        state.ended_claim(&named(volume, name))?.row.end()
    }

    /// What the driver was asked about volumes, in order.
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.driver().calls().into_iter();
        calls.filter(|call| !call.is_discovery()).collect()
    }

    /// Forgets what the driver was asked.
    pub fn forget(&self) {
        self.driver().forget();
    }
}

/// The key of a claim by an allocation of this name.
pub fn named(volume: &str, name: &str) -> ClaimKey {
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes());
    (key(volume), AllocationId::known(id.to_string()))
}

/// A request, with what it leaves out as clients do.
pub fn request(name: &str, more: Value) -> ClaimRequest {
    let mut request = serde_json::to_value(ClaimRequest {
        allocation: Some(named("", name).1),
        ..ClaimRequest::default()
    })
    .unwrap();
    for (field, value) in more.as_object().unwrap() {
        request[field] = value.clone();
    }
    let mut request: ClaimRequest = serde_json::from_value(request).unwrap();
    // Nothing serialises these, lest their flags are stored.
    request.mount_options = more.get("mount_options").map(|options| MountOptions {
        fs_type: options["fs_type"].as_str().unwrap().to_owned(),
        mount_flags: serde_json::from_value(options["mount_flags"].clone()).unwrap(),
    });
    request
}

impl TestServer {
    /// Takes a claim of a volume of namespace `default` by an allocation of this name.
    pub async fn take(&self, volume: &str, name: &str, more: Value) -> Result<Claim, Error> {
        self.take_within(PATIENCE, volume, name, more).await
    }

    /// Takes a claim, and waits so long for it to be published.
    pub async fn take_within(
        &self,
        wait: Duration,
        volume: &str,
        name: &str,
        more: Value,
    ) -> Result<Claim, Error> {
        let (cp, deadline) = (&self.control_plane, Deadline::after(wait));
        claim::take(cp, &key(volume), request(name, more), deadline).await?;
        Ok(self.claimed(volume, name))
    }

    /// Asks for the release of a claim, and does not wait for it.
    pub async fn ask_back(&self, volume: &str, name: &str) {
        let (cp, deadline) = (&self.control_plane, Deadline::after(NOT_AT_ALL));
        let (key, allocation) = named(volume, name);
        claim::release(cp, &key, &allocation, deadline)
            .await
            .unwrap();
    }

    /// Waits until a claim is published.
    pub async fn published(&self, volume: &str, name: &str) -> Claim {
        self.until("the claim to be published", |state| {
            state
                .claim(&named(volume, name))
                .is_some_and(|claim| claim.row.is_at_rest())
        })
        .await;
        self.claimed(volume, name)
    }

    /// Waits until a claim has ended.
    pub async fn gone(&self, volume: &str, name: &str) -> Claim {
        let key = named(volume, name);
        self.until("the claim to end", |state| {
            state.ended_claim(&key).is_some()
        })
        .await;
        let state = self.control_plane.state();
        state.ended_claim(&key).unwrap().row.clone()
    }

    /// The only attachment there is.
    pub fn attachment(&self) -> Attachment {
        let state = self.control_plane.state();
        let mut attachments = state.attachments();
        let only = attachments.next().unwrap().row.clone();
        assert!(attachments.next().is_none());
        only
    }

    /// A claim as it is now.
    pub fn claimed(&self, volume: &str, name: &str) -> Claim {
        let state = self.control_plane.state();
        state.claim(&named(volume, name)).unwrap().row.clone()
    }

    /// Gives a claim back, and waits for its end.
    pub async fn give_back(&self, volume: &str, name: &str) -> Result<(), Error> {
        let (cp, deadline) = (&self.control_plane, Deadline::after(PATIENCE));
        let (key, allocation) = named(volume, name);
        claim::release(cp, &key, &allocation, deadline).await?;
        let state = cp.state();
        assert!(state.claim(&(key, allocation)).is_none(), "still there");
        Ok(())
    }
}
