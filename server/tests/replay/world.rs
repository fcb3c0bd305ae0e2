//! A server set up as the recorded one was, and what happens beside the exchanges.

use crate::compare::Bindings;
use crate::exchange::Exchange;
use crate::hostpath::Hostpath;
use crate::server::TestServer;
use crate::wire::{self, Answer};
use saddlebag::config::{Launch, PluginConfig};
use saddlebag::error::StatusStyle;
use saddlebag::id::PluginId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A server with the recorded driver as plugin `hp0`, and what of it stands for what was recorded.
pub struct World {
    server: TestServer,
    driver: Hostpath,
    pub bindings: Bindings,
    /// The claims of each job: volume and allocation.
    jobs: BTreeMap<String, Vec<(String, String)>>,
}

impl World {
    /// A fresh one, with access control on if `acl`.
    pub async fn start(status: StatusStyle, acl: bool) -> Self {
        let driver = Hostpath::start();
        let endpoint = driver.endpoint();
        let server = TestServer::start_with(|config| {
            let launch = Launch::Listening(endpoint);
            config.plugins = vec![PluginConfig::new(PluginId::known("hp0"), launch)];
            config.status = status;
            config.acl_enabled = acl;
        })
        .await;
        let mut bindings = Bindings::default();
        // a plugin's job is named after the plugin here
        bindings.bind("hostpath", "hp0");
        let cp = &server.control_plane;
        bindings.bind("vm", cp.state().name_of(&cp.node));
        for port in ["4646", "4647"] {
            let address = format!("127.0.0.1:{port}");
            bindings.bind(&address, server.url.trim_start_matches("http://"));
        }
        Self {
            server,
            driver,
            bindings,
            jobs: BTreeMap::new(),
        }
    }

    /// Sends a recorded request, with the names of this world in it.
    pub async fn ask(&self, exchange: &Exchange) -> Answer {
        let request = &exchange.request;
        let path = self.bindings.ours(&request.path);
        let path = self.with_our_node(path.replace("/v1/job/hostpath", "/v1/job/hp0"));
        let body = request.body().map(|body| self.bindings.ours(&body));
        let body = body.map(|body| request.bytes(&body));
        let headers = request.headers.iter();
        let headers = headers
            .map(|(name, value)| (name.clone(), self.bindings.ours(value)))
            .collect();
        self.send(&request.method, &path, &headers, body).await
    }

    /// The same with the beginning of our node's id where the query has that of the recorded one's.
    fn with_our_node(&self, path: String) -> String {
        for parameter in ["node_id=", "node="] {
            let Some((before, node)) = path.split_once(parameter) else {
                continue;
            };
            if let Some(ours) = self.bindings.our_prefix(node) {
                return format!("{before}{parameter}{ours}");
            }
        }
        path
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &BTreeMap<String, String>,
        body: Option<Vec<u8>>,
    ) -> Answer {
        let address = self.server.url.trim_start_matches("http://");
        wire::ask(address, method, path, headers, body).await
    }

    /// Does what a scheduler did for a request about jobs: claims for a job that runs, their release
    /// for one that is stopped.
    pub async fn schedule(&mut self, exchange: &Exchange) {
        let route = exchange.route();
        match exchange.request.method.as_str() {
            "PUT" => self.run(&exchange.request.json()["Job"]).await,
            "DELETE" if route == "/v1/job/hostpath" => {
                self.server
                    .restart_with(|config| config.plugins.clear())
                    .await;
            }
            "DELETE" => self.stop(route.trim_start_matches("/v1/job/")).await,
            _ => {}
        }
    }

    async fn run(&mut self, job: &Value) {
        let (id, group) = (job["ID"].as_str().unwrap(), &job["TaskGroups"][0]);
        let asked = &group["Volumes"]["data"];
        // the plugin's job: here the configuration names it
        if id == "hostpath" {
            return;
        }
        // Nomad's scheduler places no second writer, and nobody for a volume that is not there
        if ["writer2", "lost"].contains(&id) {
            return;
        }
        let source = asked["Source"].as_str().unwrap();
        for number in 0..group["Count"].as_u64().unwrap() {
            let volume = match asked["PerAlloc"].as_bool() {
                Some(true) => format!("{source}[{number}]"),
                _ => source.to_owned(),
            };
            let allocation = Uuid::new_v4().to_string();
            let claim = json!({
                "AllocationID": allocation,
                "ReadOnly": asked["ReadOnly"],
                "AccessMode": asked["AccessMode"],
                "AttachmentMode": asked["AttachmentMode"],
                "MountOptions": asked["MountOptions"],
                "Name": format!("{id}.g[{number}]"),
                "JobID": id,
            });
            let path = format!("/v1/volume/csi/{volume}/claim");
            let body = Some(claim.to_string().into_bytes());
            let taken = self.send("PUT", &path, &BTreeMap::new(), body).await;
            let told: Value = serde_json::from_slice(&taken.body).unwrap_or_default();
            assert_eq!(told["State"], "published", "{id}: {taken:?}");
            let claims = self.jobs.entry(id.to_owned()).or_default();
            claims.push((volume, allocation));
        }
    }

    async fn stop(&mut self, job: &str) {
        for (volume, allocation) in self.jobs.remove(job).unwrap_or_default() {
            let path = format!("/v1/volume/csi/{volume}/claim/{allocation}");
            let released = self.send("DELETE", &path, &BTreeMap::new(), None).await;
            assert_eq!(released.status, 200, "{job}: {released:?}");
        }
    }

    /// Takes a volume away at the driver that nobody stands for.
    pub fn forget_orphans(&mut self) {
        let state = self.server.control_plane.state();
        let plugin = PluginId::known("hp0");
        let known: Vec<String> = state
            .volumes_of(&plugin)
            .iter()
            .filter_map(|key| state.volume(key))
            .map(|entry| entry.stored().row.external_id.to_string())
            .collect();
        let mut storage = self.driver.storage();
        storage.volumes.retain(|disk| known.contains(&disk.id));
    }
}
