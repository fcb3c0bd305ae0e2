//! The first published draft of the API, filled from the same state.

use crate::rig::{Rig, plugin};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::server::TestServer;
use saddlebag::csi::{Call, v1};
use saddlebag::plugin::PluginType;
use serde_json::{Value, json};
use std::collections::HashMap;

async fn get(server: &TestServer, path: &str) -> Value {
    let answer = server.ask("GET", path).send().await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert!(answer.index() > 0, "{path}");
    answer.json()
}

#[tokio::test]
async fn the_drafts_plugins_are_todays() {
    let rig = Rig::scripted(|driver| {
        let zone = v1::Topology {
            segments: HashMap::from([("zone".to_owned(), "a".to_owned())]),
        };
        let info = v1::NodeGetInfoResponse {
            node_id: "n".to_owned(),
            accessible_topology: Some(zone),
            ..Default::default()
        };
        driver.always(Call::NodeGetInfo, Reply::answer(info));
    })
    .await;
    let today = get(&rig.server, "/v1/plugin/csi/disk").await;
    let list = get(&rig.server, "/v1/csi/plugins").await;
    let read = get(&rig.server, "/v1/csi/plugin/disk").await;
    assert_eq!(read.as_array().unwrap().len(), 1, "an array of one");
    for field in [
        "ID",
        "ControllersHealthy",
        "NodesHealthy",
        "CreateIndex",
        "ModifyIndex",
    ] {
        assert_eq!(list[0][field], today[field], "{field}");
        assert_eq!(read[0][field], today[field], "{field}");
    }
    for field in ["ControllerRequired", "ControllersExpected", "NodesExpected"] {
        assert_eq!(list[0][field], today[field], "{field}");
    }
    assert_eq!(
        read[0]["ControllersRequired"], true,
        "as the draft spells it"
    );
    assert_eq!(list[0]["JobIDs"], json!({"default": ["disk"]}));
    assert_eq!(today["Topologies"], json!([{"Segments": {"zone": "a"}}]));
    let text = read[0].to_string();
    assert!(text.contains(r#""zone":"a""#), "{text}");

    let missing = rig.server.ask("GET", "/v1/csi/plugin/nope").send().await;
    assert_eq!((missing.status, missing.text()), (404, "plugin not found"));
}

#[tokio::test]
async fn the_drafts_jobs_name_their_plugins() {
    let drivers = [(); 2].map(|()| ScriptedDriver::start());
    let server = TestServer::start_with(|config| {
        config.plugins = vec![
            plugin("disk", PluginType::Controller, &drivers[0]),
            plugin("tape", PluginType::Monolith, &drivers[1]),
        ];
    })
    .await;
    for (query, ids) in [
        ("", &["disk", "tape"][..]),
        ("?plugin_id=tape", &["tape"]),
        ("?plugin_id=ta", &[]),
        ("?namespace=nope", &[]),
    ] {
        let jobs = get(&server, &format!("/v1/csi/jobs{query}")).await;
        let listed: Vec<_> = jobs
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["ID"].as_str().unwrap())
            .collect();
        assert_eq!(listed, ids, "{query}");
    }
    let job = get(&server, "/v1/job/disk-controller").await;
    assert_eq!(
        (&job["ID"], &job["Status"], &job["Type"]),
        (
            &json!("disk-controller"),
            &json!("running"),
            &json!("system")
        )
    );
    assert_eq!(job["CSIPlugin"]["ID"], "disk");
    assert_eq!(job["CSIPlugin"]["ControllersHealthy"], 1);
    let config = &job["TaskGroups"][0]["Tasks"][0]["CSIPluginConfig"];
    assert_eq!(
        (&config["ID"], &config["Type"]),
        (&json!("disk"), &json!("controller"))
    );
    for path in [
        "/v1/job/nope",
        "/v1/job/disk",
        "/v1/job/tape?namespace=nope",
    ] {
        let missing = server.ask("GET", path).send().await;
        assert_eq!(
            (missing.status, missing.text()),
            (404, "job not found"),
            "{path}"
        );
        assert!(missing.index() > 0);
    }
}
