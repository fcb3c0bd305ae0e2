//! What Nomad's Go package sends, and how it reads the answers: its command line and the Terraform provider are made on it.

use crate::server::TestServer;
use crate::wire::Answer;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read as _;

/// Somebody who asks as the Go package does: without `Accept`, compressed, parameters in order of their names.
pub struct GoClient<'s> {
    server: &'s TestServer,
    /// What every request carries besides its own parameters.
    always: Vec<(&'s str, &'s str)>,
}

/// What was read.
pub struct Found {
    /// Null where there was no body.
    pub body: Value,
    pub index: u64,
}

/// What went wrong, as the package's errors read.
pub type Outcome = Result<Found, String>;

impl<'s> GoClient<'s> {
    pub fn new(server: &'s TestServer) -> Self {
        Self {
            server,
            always: Vec::new(),
        }
    }

    /// One that says in each request which namespace it means.
    pub fn in_namespace(server: &'s TestServer, namespace: &'s str) -> Self {
        Self {
            server,
            always: vec![("namespace", namespace)],
        }
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Outcome {
        self.ask("GET", path, query, &[], None).await
    }

    pub async fn put(&self, path: &str, query: &[(&str, &str)], body: &Value) -> Outcome {
        self.ask("PUT", path, query, &[], Some(body)).await
    }

    pub async fn delete(&self, path: &str, query: &[(&str, &str)]) -> Outcome {
        self.ask("DELETE", path, query, &[], None).await
    }

    /// With the header of secrets, which is sent empty too.
    pub async fn delete_with(&self, path: &str, query: &[(&str, &str)], secrets: &str) -> Outcome {
        let headers = [("X-Nomad-Csi-Secrets", secrets)];
        self.ask("DELETE", path, query, &headers, None).await
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Outcome {
        let mut parameters = [query, &self.always].concat();
        parameters.sort_unstable();
        let mut target = path.to_owned();
        if !parameters.is_empty() {
            let url = reqwest::Url::parse_with_params("http://any", parameters).unwrap();
            target = format!("{path}?{}", url.query().unwrap());
        }
        let mut request = self.server.ask(method, &target);
        request = request.header("User-Agent", "Go-http-client/1.1");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request = request.header("Accept-Encoding", "gzip");
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await;
        let text = unpacked(&answer);
        if answer.status != 200 {
            let told = match text.trim() {
                "" => String::new(),
                text => format!(" ({text})"),
            };
            return Err(format!("Unexpected response code: {}{told}", answer.status));
        }
        let number = |name: &str| answer.header(name).and_then(|value| value.parse().ok());
        Ok(Found {
            body: match text.is_empty() {
                true => Value::Null,
                false => serde_json::from_str(&text).unwrap(),
            },
            index: number("X-Nomad-Index").unwrap_or(0),
        })
    }
}

fn unpacked(answer: &Answer) -> String {
    let mut text = String::new();
    match answer.header("Content-Encoding") {
        Some("gzip") => {
            _ = GzDecoder::new(&answer.body[..])
                .read_to_string(&mut text)
                .unwrap()
        }
        Some(other) => panic!("nobody asked for {other}"),
        None => text.push_str(answer.text()),
    }
    text
}

/// A volume as the package encodes it: every field that it knows, set or not.
pub fn encoded(id: &str, plugin: &str, more: &Value) -> Value {
    let mut volume = json!({
        "ID": id,
        "Name": id,
        "ExternalID": "",
        "Namespace": "",
        "RequestedTopologies": null,
        "Topologies": null,
        "AccessMode": "",
        "AttachmentMode": "",
        "MountOptions": null,
        "Secrets": null,
        "Parameters": null,
        "Context": null,
        "Capacity": 0,
        "RequestedCapacityMin": 0,
        "RequestedCapacityMax": 0,
        "RequestedCapabilities": [
            {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}
        ],
        "CloneID": "",
        "SnapshotID": "",
        "ReadAllocs": null,
        "WriteAllocs": null,
        "Allocations": null,
        "Schedulable": false,
        "PluginID": plugin,
        "Provider": "",
        "ProviderVersion": "",
        "ControllerRequired": false,
        "ControllersHealthy": 0,
        "ControllersExpected": 0,
        "NodesHealthy": 0,
        "NodesExpected": 0,
        "ResourceExhausted": "0001-01-01T00:00:00Z",
        "CreateIndex": 0,
        "ModifyIndex": 0,
        "CreateTime": 0,
        "ModifyTime": 0,
    });
    for (key, value) in more.as_object().unwrap() {
        volume[key] = value.clone();
    }
    json!({
        "Volumes": [volume],
        "PolicyOverride": false,
        "Region": "",
        "Namespace": "",
        "SecretID": "",
    })
}
