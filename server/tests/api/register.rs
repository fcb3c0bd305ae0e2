//! Registering volumes that drivers have: what is checked, in which order, and what is stored.

use crate::rig::{Rig, described, key, plugin, sent};
use crate::scripted_driver::{Reply, ScriptedDriver, plugin_capabilities};
use crate::server::TestServer;
use saddlebag::csi::Call;
use saddlebag::id::Namespace;
use saddlebag::plugin::PluginType;
use serde_json::{Value, json};

/// Conformance case 20.
#[tokio::test]
async fn a_plugin_without_a_controller_is_not_asked_and_secrets_and_flags_are_hidden() {
    let driver = ScriptedDriver::start();
    driver.always(
        Call::GetPluginCapabilities,
        Reply::answer(plugin_capabilities(&[])),
    );
    let server = TestServer::start_with(|config| {
        config.plugins = vec![plugin("disk", PluginType::Node, &driver)];
    })
    .await;
    driver.forget();
    let asked = json!({
        "ExternalID": "e",
        "Secrets": {"password": "hunter2"},
        "MountOptions": {"FSType": "nfs4", "MountFlags": ["password=hunter2", "ro"]},
    });
    let registered = server
        .register_all(vec![described("db", asked)])
        .await
        .unwrap();
    let read = server.read("db").await.unwrap();
    assert_eq!(&registered.volumes[..], std::slice::from_ref(&read));
    assert_eq!(read.secrets, None);
    assert_eq!(read.mount_options.fs_type, "nfs4");
    assert_eq!(read.mount_options.mount_flags.unwrap(), ["[REDACTED]"]);
    assert!(read.schedulable && !read.controller_required);
    assert_eq!(driver.calls(), []);

    let body = json!({"Volumes": [sent("other", json!({}))]});
    let created = server
        .ask("PUT", "/v1/volume/csi/other/create")
        .json(&body)
        .send()
        .await;
    assert_eq!(
        (created.status, created.text()),
        (501, "plugin has no controller")
    );
}

/// A real Nomad stores them: the volume is in use, and the server dies of it (weakness W34).
/// Weakness W17: the times are the server's.
#[tokio::test]
async fn nothing_of_the_servers_own_is_taken_from_a_request() {
    let rig = Rig::start().await;
    let forged = json!({
        "ExternalID": "e",
        "ReadAllocs": {"7b7e9c5e-0000-0000-0000-000000000000": null},
        "WriteAllocs": {"x": {"ID": "x"}},
        "Allocations": [{"ID": "x"}],
        "AccessMode": "multi-node-multi-writer",
        "AttachmentMode": "block-device",
        "Capacity": 7, "CreateIndex": 9_999_999, "ModifyIndex": 9_999_999,
        "CreateTime": 5, "ModifyTime": 5,
        "ControllersHealthy": 7, "NodesHealthy": 7, "Schedulable": false,
        "Provider": "me", "ProviderVersion": "0",
        "ResourceExhausted": "2030-01-01T00:00:00Z",
    });
    let index = rig.server.control_plane.state().index.0;
    let stored = rig.register("db", forged).await.unwrap();
    assert!(stored.read_allocs.is_empty() && stored.write_allocs.is_empty());
    assert!(stored.allocations.is_empty());
    assert_eq!(
        (stored.access_mode.as_str(), stored.attachment_mode.as_str()),
        ("", "")
    );
    assert_eq!(
        (
            stored.capacity,
            stored.controllers_healthy,
            stored.nodes_healthy
        ),
        (0, 1, 1)
    );
    assert_eq!(
        (stored.create_index, stored.modify_index),
        (index + 1, index + 1)
    );
    assert!(stored.create_time > 5 && stored.modify_time > 5);
    assert!(stored.schedulable && stored.resource_exhausted.is_none());
    assert_eq!(stored.provider, "scripted.example");
    assert_eq!(
        rig.server.control_plane.state().claims(&key("db")).count(),
        0
    );
    rig.client()
        .deregister_volume()
        .volume_id("db")
        .send()
        .await
        .unwrap();
}

/// Nomad's Go client sends every field (nomad-http.md §8.2).
#[tokio::test]
async fn the_body_of_nomads_go_client_is_taken() {
    let rig = Rig::start().await;
    let body = json!({
        "Region": "", "Namespace": "", "SecretID": "",
        "Volumes": [sent("db", json!({
            "AccessMode": "", "AttachmentMode": "", "Allocations": null, "Capacity": 0, "CloneID": "",
            "ControllerRequired": false, "ControllersExpected": 0, "ControllersHealthy": 0,
            "CreateIndex": 0, "CreateTime": 0, "ExternalID": "e", "ModifyIndex": 0, "ModifyTime": 0,
            "Namespace": "", "NodesExpected": 0, "NodesHealthy": 0, "Provider": "",
            "ProviderVersion": "", "RequestedCapacityMax": 0, "RequestedCapacityMin": 0,
            "ResourceExhausted": "0001-01-01T00:00:00Z", "Schedulable": false, "SnapshotID": "",
        }))],
    });
    let mut body = body;
    for absent in [
        "Context",
        "MountOptions",
        "Parameters",
        "ReadAllocs",
        "RequestedTopologies",
        "Secrets",
        "Topologies",
        "WriteAllocs",
    ] {
        body["Volumes"][0][absent] = Value::Null;
    }
    for (method, path) in [
        ("PUT", "/v1/volume/csi/db"),
        ("PUT", "/v1/volumes"),
        ("POST", "/v1/volumes"),
    ] {
        let answer = rig.server.ask(method, path).json(&body).send().await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
        assert_eq!(answer.json()["Volumes"][0]["Namespace"], "default");
    }
}

/// Conformance case 21, without tokens.
#[tokio::test]
async fn the_body_names_id_and_namespace_before_path_query_and_envelope() {
    let rig = Rig::start_with(
        |_| {},
        |config| config.namespaces = ["a", "b", "c"].map(Namespace::known).to_vec(),
    )
    .await;
    for (id, in_body, query, envelope, expected) in [
        ("v1", Some("a"), "?namespace=b", Some("c"), "a"),
        ("v2", None, "?namespace=b", Some("c"), "b"),
        ("v3", None, "", Some("c"), "c"),
        ("v4", None, "", None, "default"),
    ] {
        let mut body = json!({"Volumes": [sent(id, json!({"Namespace": in_body}))]});
        if let Some(envelope) = envelope {
            body["Namespace"] = json!(envelope);
        }
        let path = format!("/v1/volume/csi/another{query}");
        let answer = rig.server.ask("PUT", &path).json(&body).send().await;
        let stored = &answer.json()["Volumes"][0];
        assert_eq!(
            (&stored["ID"], &stored["Namespace"]),
            (&json!(id), &json!(expected))
        );
    }
    let body = json!({"Volumes": [sent("v5", json!({}))]});
    let answer = rig
        .server
        .ask("PUT", "/v1/volume/csi/v5?namespace=*")
        .json(&body)
        .send()
        .await;
    assert_eq!(
        (answer.status, answer.text()),
        (404, "volume v5 is in nonexistent namespace *")
    );
}
