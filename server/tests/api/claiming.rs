//! Claims as clients make them, for tests of anything that claims have to do with.

use crate::driven::Driven;
use crate::rig::Answered;
use crate::server::{PATIENCE, TestServer};
use saddlebag::id::NodeId;
use saddlebag::node::Node;
use saddlebag::plugin::{Instance, Role};
use saddlebag::store::{Transaction, keys};
use saddlebag_client::types;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// The allocation of this name.
pub fn alloc(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// What a client sends.
pub fn described(more: Value) -> types::ClaimRequest {
    serde_json::from_value(more).unwrap()
}

/// [`described`], by the allocation of this name.
pub fn by(name: &str, mut more: Value) -> Value {
    more["AllocationID"] = json!(alloc(name));
    more
}

impl TestServer {
    /// Claims a volume, and waits for it.
    pub async fn put_claim(&self, volume: &str, body: Value) -> Answered<types::Claim> {
        self.put_claim_within(volume, body, PATIENCE).await
    }

    /// Claims a volume, and waits this long.
    pub async fn put_claim_within(
        &self,
        volume: &str,
        body: Value,
        wait: Duration,
    ) -> Answered<types::Claim> {
        let claim = self.client.claim_volume().volume_id(volume).wait(wait);
        Ok(claim.body(described(body)).send().await?.into_inner())
    }

    /// Releases a claim, and waits for its end.
    pub async fn delete_claim(&self, volume: &str, name: &str) -> Answered<types::Claim> {
        self.delete_claim_within(volume, name, PATIENCE).await
    }

    /// Releases a claim, and waits this long.
    pub async fn delete_claim_within(
        &self,
        volume: &str,
        name: &str,
        wait: Duration,
    ) -> Answered<types::Claim> {
        let release = self.client.release_claim().volume_id(volume);
        let release = release.alloc_id(alloc(name)).wait(wait);
        Ok(release.send().await?.into_inner())
    }

    /// Reads a claim.
    pub async fn get_claim(&self, volume: &str, name: &str) -> Answered<types::Claim> {
        let read = self.client.read_claim().volume_id(volume);
        Ok(read.alloc_id(alloc(name)).send().await?.into_inner())
    }

    /// The claims of a volume, those that have ended too.
    pub async fn get_claims(&self, volume: &str) -> Answered<Vec<types::Claim>> {
        let list = self.client.list_claims().volume_id(volume);
        Ok(list.send().await?.into_inner())
    }

    /// Reads a claim once it is so.
    pub async fn claim_that(
        &self,
        volume: &str,
        name: &str,
        is: impl Fn(&types::Claim) -> bool,
    ) -> types::Claim {
        let until = async {
            let mut index = 0;
            loop {
                let read = self.client.read_claim().volume_id(volume);
                let read = read.alloc_id(alloc(name)).index(index);
                let answer = read.send().await.unwrap();
                index = index_of(&answer);
                if is(&answer) {
                    return answer.into_inner();
                }
            }
        };
        tokio::time::timeout(PATIENCE, until)
            .await
            .expect("waited too long for a claim to be so")
    }

    /// Puts a second node beside the server's own into the store, where every plugin is as healthy.
    /// Nobody works there: what is claimed on it stays `taken`.
    pub async fn second_node(&self) -> String {
        let cp = &self.control_plane;
        let id = NodeId::known(alloc("a second node"));
        let state = cp.state();
        let here = &state.node(&cp.node).unwrap().row;
        let mut transaction = Transaction::default();
        let there = Node {
            id: id.clone(),
            name: "second".to_owned(),
            ..here.clone()
        };
        transaction.put(keys::node(&id), &there).unwrap();
        for plugin in state.plugins() {
            for instance in plugin.of_role(Role::Node) {
                let beside = Instance {
                    node: id.clone(),
                    ..instance.clone()
                };
                let key = keys::instance(&plugin.id, Role::Node, &id, &instance.job);
                transaction.put(key, &beside).unwrap();
            }
        }
        cp.commit(transaction).await.unwrap().unwrap();
        id.to_string()
    }
}

impl Driven {
    /// Registers a volume that may be used in these modes, as a file system.
    pub async fn register_for(&self, id: &str, modes: &[&str]) {
        let capabilities: Vec<Value> = modes
            .iter()
            .map(|mode| json!({"AccessMode": mode, "AttachmentMode": "file-system"}))
            .collect();
        let more = json!({
            "PluginID": "scripted",
            "ExternalID": format!("of-{id}"),
            "RequestedCapabilities": capabilities,
        });
        let volume = crate::rig::described(id, more);
        self.register(volume).await.unwrap().unwrap();
    }
}

/// The index of an answer.
pub fn index_of<T>(answer: &saddlebag_client::ResponseValue<T>) -> u64 {
    answer.headers()["x-nomad-index"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}
