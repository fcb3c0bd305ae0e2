//! Plugins: what lists and reads show, and how health shows.

use crate::rig::{Rig, plugin};
use crate::scripted_driver::{Reply, ScriptedDriver, controller_capabilities};
use crate::server::{TestServer, refusal};
use saddlebag::csi::{Call, v1};
use saddlebag::plugin::{PluginType, Role};
use saddlebag_client::types;
use serde_json::json;
use tonic::Code;

async fn read(server: &TestServer, id: &str) -> types::Plugin {
    server
        .client
        .read_plugin()
        .plugin_id(id)
        .send()
        .await
        .unwrap()
        .into_inner()
}

/// A server with plugin `disk`, whatever its driver does.
async fn unready(driver: &ScriptedDriver) -> TestServer {
    TestServer::start_unready(|config| {
        config.plugins = vec![plugin("disk", PluginType::Monolith, driver)];
    })
    .await
}

/// What the controller's and the node's instance say of themselves, once both were asked.
async fn described(server: &TestServer) -> [(bool, String); 2] {
    let asked = |text: &str| text != "initial fingerprint not completed";
    server
        .until("the driver to be asked", |state| {
            let mut instances = state.plugins().flat_map(|plugin| &plugin.instances);
            instances.all(|instance| asked(&instance.row.description))
        })
        .await;
    let state = server.control_plane.state();
    let plugin = state.plugins().next().unwrap();
    [Role::Controller, Role::Node].map(|role| {
        let instance = plugin.of_role(role).next().unwrap();
        (instance.healthy, instance.description.clone())
    })
}

/// Conformance case 1, and the other ways to name no plugin.
#[tokio::test]
async fn a_plugin_that_is_not_there_is_404() {
    let rig = Rig::start().await;
    for (path, status, text) in [
        ("/v1/plugin/csi/nope", 404, "plugin not found"),
        ("/v1/plugin/csi/dis", 404, "plugin not found"),
        ("/v1/plugin/csi/disk/x/y", 404, "resource not found"),
        ("/v1/plugin/csi/", 400, "missing plugin ID"),
    ] {
        let answer = rig.server.ask("GET", path).send().await;
        assert_eq!((answer.status, answer.text()), (status, text), "{path}");
    }
    let missing = rig.server.ask("GET", "/v1/plugin/csi/nope").send().await;
    assert!(missing.index() > 0, "a 404 after a look tells its index");
    for path in [
        "/v1/plugin/csi/disk",
        "/v1/plugin/csi/disk/",
        "/v1/plugin/csi/disk/x",
        "/v1/plugin/csi/d%69sk",
    ] {
        let answer = rig.server.ask("GET", path).send().await;
        assert_eq!(
            (answer.status, &answer.json()["ID"]),
            (200, &json!("disk")),
            "{path}"
        );
    }
}

/// Conformance case 2, with one job for each instance.
#[tokio::test]
async fn instances_are_counted_by_what_they_are() {
    let drivers = [(); 3].map(|()| ScriptedDriver::start());
    let server = TestServer::start_with(|config| {
        config.plugins = vec![
            plugin("disk", PluginType::Controller, &drivers[0]),
            plugin("disk", PluginType::Node, &drivers[1]),
            plugin("disk", PluginType::Node, &drivers[2]),
        ];
    })
    .await;
    let read = read(&server, "disk").await;
    assert_eq!(
        (read.controllers_healthy, read.controllers_expected),
        (1, 1)
    );
    assert_eq!((read.nodes_healthy, read.nodes_expected), (2, 2));
    assert_eq!(
        (read.provider.as_str(), read.version.as_str()),
        ("scripted.example", "1.2.3")
    );
    assert!(read.controller_required);
    let controller = read.controllers.values().next().unwrap();
    assert!(controller.healthy && controller.node_info.is_none());
    assert!(
        controller
            .controller_info
            .as_ref()
            .unwrap()
            .supports_create_delete
    );
    let node = read.nodes.values().next().unwrap();
    assert!(node.healthy && node.controller_info.is_none());
    let node = node.node_info.as_ref().unwrap();
    assert_eq!(
        (node.id.as_str(), node.max_volumes),
        ("node-of-the-driver", i64::MAX)
    );
    let jobs: Vec<_> = read.node_jobs["default"].keys().cloned().collect();
    assert_eq!(jobs, ["disk-node", "disk-node-2"]);
}

#[tokio::test]
async fn lists_are_in_order_and_know_prefixes_and_other_types() {
    let drivers = [(); 3].map(|()| ScriptedDriver::start());
    let server = TestServer::start_with(|config| {
        config.plugins = ["nfs", "ceph", "ceph-2"]
            .iter()
            .zip(&drivers)
            .map(|(id, driver)| plugin(id, PluginType::Monolith, driver))
            .collect();
    })
    .await;
    for (query, ids) in [
        ("?type=csi", &["ceph", "ceph-2", "nfs"][..]),
        ("?type=csi&prefix=ce", &["ceph", "ceph-2"]),
        ("?type=csi&prefix=ceph-", &["ceph-2"]),
        ("?type=csi&prefix=CE", &[]),
        ("?type=csi&per_page=1", &["ceph", "ceph-2", "nfs"]),
        ("", &[]),
        ("?type=", &[]),
        ("?type=nfs", &[]),
        ("?type=CSI", &[]),
    ] {
        let answer = server
            .ask("GET", &format!("/v1/plugins{query}"))
            .send()
            .await;
        let rows = answer.json();
        let listed: Vec<_> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["ID"].as_str().unwrap())
            .collect();
        assert_eq!((answer.status, &listed[..]), (200, ids), "{query}");
        assert_eq!(
            answer.header("x-nomad-index").is_some(),
            query.starts_with("?type=csi")
        );
    }
}

/// Conformance cases 5, 7 and 8: instances go and come, each counted once, and volumes stay.
#[tokio::test]
async fn a_driver_that_dies_is_counted_out_and_in_again() {
    let mut rig = Rig::start().await;
    rig.register("db", json!({})).await.unwrap();
    for _ in 0..2 {
        rig.driver.leave();
        rig.server
            .until("the driver to be missed", |state| {
                state.plugins().all(|plugin| {
                    let health = plugin.health();
                    (health.controllers_healthy, health.nodes_healthy) == (0, 0)
                })
            })
            .await;
        let dead = read(&rig.server, "disk").await;
        assert_eq!((dead.controllers_expected, dead.nodes_expected), (1, 1));
        let controller = dead.controllers.values().next().unwrap();
        assert!(
            controller
                .health_description
                .starts_with("failed fingerprinting with error: "),
            "{}",
            controller.health_description
        );
        let known = controller.controller_info.as_ref().unwrap();
        assert!(
            known.supports_create_delete,
            "what it can do is not forgotten (W23)"
        );
        let volume = rig.server.read("db").await.unwrap();
        assert!(!volume.schedulable && volume.controller_required);
        assert_eq!(
            (volume.controllers_healthy, volume.controllers_expected),
            (0, 1)
        );

        rig.driver.come_back();
        rig.server.all_healthy().await;
        let alive = read(&rig.server, "disk").await;
        assert_eq!((alive.controllers_healthy, alive.nodes_healthy), (1, 1));
        assert_eq!((alive.controllers.len(), alive.nodes.len()), (1, 1));
        assert!(rig.server.read("db").await.unwrap().schedulable);
    }
}

/// Conformance case 4: nothing runs, and nothing is expected to.
#[tokio::test]
async fn a_plugin_that_is_no_longer_configured_is_gone() {
    let mut rig = Rig::start().await;
    let before = rig
        .server
        .ask("GET", "/v1/plugins?type=csi")
        .send()
        .await
        .index();
    rig.server
        .restart_with(|config| config.plugins.clear())
        .await;
    let read = rig.client().read_plugin().plugin_id("disk").send().await;
    assert_eq!(refusal(read).0, 404);
    let listed = rig.server.ask("GET", "/v1/plugins?type=csi").send().await;
    assert_eq!(listed.text(), "[]");
    assert!(listed.index() > before, "its going is a change of the list");
}

/// Conformance case 10.
#[tokio::test]
async fn a_driver_is_as_ready_as_it_says() {
    for (probe, healthy, text) in [
        (
            Reply::answer(v1::ProbeResponse { ready: None }),
            true,
            "healthy",
        ),
        (
            Reply::answer(v1::ProbeResponse { ready: Some(true) }),
            true,
            "healthy",
        ),
        (
            Reply::answer(v1::ProbeResponse { ready: Some(false) }),
            false,
            "unhealthy",
        ),
        (
            Reply::refuse(Code::FailedPrecondition, "no backend"),
            false,
            "failed initial fingerprint with err: rpc error: code = FailedPrecondition desc = no backend",
        ),
    ] {
        let driver = ScriptedDriver::start();
        driver.always(Call::Probe, probe);
        let server = unready(&driver).await;
        let expected = (healthy, text.to_owned());
        assert_eq!(described(&server).await, [expected.clone(), expected]);
    }
}

/// Conformance cases 11 and 12: what comes after the failing call is not asked.
#[tokio::test]
async fn a_driver_that_cannot_say_what_it_is_stays_unhealthy() {
    let nameless = Reply::answer(v1::GetPluginInfoResponse::default());
    let homeless = Reply::answer(v1::NodeGetInfoResponse::default());
    let failing = || Reply::refuse(Code::Internal, "no");
    for (call, reply, roles, text, never) in [
        (
            Call::GetPluginInfo,
            nameless,
            &[0, 1][..],
            "PluginGetInfo: plugin returned empty name field",
            Call::GetPluginCapabilities,
        ),
        (
            Call::GetPluginCapabilities,
            failing(),
            &[0, 1],
            "rpc error: code = Internal desc = no",
            Call::ControllerGetCapabilities,
        ),
        (
            Call::NodeGetInfo,
            failing(),
            &[1],
            "rpc error: code = Internal desc = no",
            Call::NodeStageVolume,
        ),
        (
            Call::NodeGetInfo,
            homeless,
            &[1],
            "plugin failed to return nodeid",
            Call::NodeStageVolume,
        ),
    ] {
        let driver = ScriptedDriver::start();
        driver.always(call, reply);
        let server = unready(&driver).await;
        let described = described(&server).await;
        for role in roles {
            let text = format!("failed initial fingerprint with err: {text}");
            assert_eq!(described[*role], (false, text), "{call}");
        }
        assert!(!driver.calls().contains(&never), "{call}");
    }
}

/// Conformance case 13: an error is shown; what the driver could do before is not taken back (weakness W23).
#[tokio::test]
async fn capabilities_that_cannot_be_asked_later_are_kept_and_the_error_is_shown() {
    let mut rig = Rig::start().await;
    rig.driver.leave();
    rig.driver.always(
        Call::ControllerGetCapabilities,
        Reply::refuse(Code::Internal, "no"),
    );
    rig.driver.come_back();
    let expected = "failed fingerprinting with error: rpc error: code = Internal desc = no";
    rig.server
        .until("the error", |state| {
            let plugin = state.plugins().next().unwrap();
            plugin
                .of_role(Role::Controller)
                .any(|instance| instance.description == expected)
        })
        .await;
    let read = read(&rig.server, "disk").await;
    let controller = read.controllers.values().next().unwrap();
    assert!(!controller.healthy);
    assert!(controller.controller_info.as_ref().unwrap().supports_expand);
}

#[tokio::test]
async fn each_capability_that_a_driver_announces_shows_as_its_flag() {
    for (number, flag) in [
        (1, "SupportsCreateDelete"),
        (2, "SupportsAttachDetach"),
        (3, "SupportsListVolumes"),
        (4, "SupportsGetCapacity"),
        (5, "SupportsCreateDeleteSnapshot"),
        (6, "SupportsListSnapshots"),
        (7, "SupportsClone"),
        (8, "SupportsReadOnlyAttach"),
        (9, "SupportsExpand"),
        (10, "SupportsListVolumesAttachedNodes"),
        (11, "SupportsCondition"),
        (12, "SupportsGet"),
    ] {
        let rig = Rig::scripted(|driver| {
            driver.always(
                Call::ControllerGetCapabilities,
                Reply::answer(controller_capabilities(&[number])),
            );
        })
        .await;
        let read = rig
            .server
            .ask("GET", "/v1/plugin/csi/disk")
            .send()
            .await
            .json();
        let controllers = read["Controllers"].as_object().unwrap();
        let info = &controllers.values().next().unwrap()["ControllerInfo"];
        for (name, value) in info.as_object().unwrap() {
            assert_eq!(value == true, name == flag, "{number}: {name}");
        }
        assert_eq!(info[flag], true);
    }
}
