//! Plugins whose drivers come, go, hang, share the work, or are started by us.

use crate::driven::{Driven, described};
use crate::rig::plugin;
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::server::{PATIENCE, TestServer, refusal};
use saddlebag::clock::Clock;
use saddlebag::config::{Launch, PluginConfig};
use saddlebag::csi::Call;
use saddlebag::id::PluginId;
use saddlebag::plugin::PluginType;
use saddlebag_client::types;
use std::fs;
use std::time::Duration;
use tokio::time::{Instant, timeout};

async fn read_plugin(server: &TestServer, id: &str) -> types::Plugin {
    let read = server.client.read_plugin().plugin_id(id);
    read.send().await.unwrap().into_inner()
}

/// What the instances of a plugin say of themselves: the controllers, then the nodes.
async fn descriptions(server: &TestServer, id: &str) -> Vec<String> {
    let plugin = read_plugin(server, id).await;
    let (controllers, nodes) = (plugin.controllers.into_values(), plugin.nodes.into_values());
    controllers
        .chain(nodes)
        .map(|instance| instance.health_description)
        .collect()
}

#[tokio::test]
async fn a_lost_socket_is_seen_at_once_and_one_that_is_back_within_a_second() {
    let mut driven = Driven::start().await;
    let volume = driven.create("db").await.unwrap().unwrap();
    assert!(volume.schedulable);
    let index = driven.server.control_plane.state().volumes_index.0;
    let read = |index: u64| {
        let client = driven.server.client.clone();
        tokio::spawn(async move {
            let read = client.read_volume().volume_id("db").index(index);
            let answer = read.wait(PATIENCE).send().await.unwrap();
            let index = answer.headers()["x-nomad-index"]
                .to_str()
                .unwrap()
                .parse::<u64>();
            (index.unwrap(), answer.into_inner())
        })
    };
    let blocked = read(index);
    let list = driven.server.client.clone();
    let blocked_list = tokio::spawn(async move {
        let list = list.list_volumes().type_("csi").index(index).wait(PATIENCE);
        list.send().await.unwrap().into_inner()
    });
    driven.server.client.read_leader().send().await.unwrap();
    assert!(!blocked.is_finished() && !blocked_list.is_finished());

    let started = Instant::now();
    driven.driver.leave();
    let (index, unhealthy) = blocked.await.unwrap();
    blocked_list.await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    assert!(unhealthy.controllers_healthy == 0 || unhealthy.nodes_healthy == 0);
    driven.healthy(0, 0).await;
    assert!(!driven.server.read("db").await.unwrap().schedulable);
    for description in descriptions(&driven.server, "scripted").await {
        assert!(
            description.starts_with("failed fingerprinting with error: ")
                && description.contains("unix://"),
            "{description}"
        );
    }

    let mut blocked = read(index);
    let started = Instant::now();
    driven.driver.come_back();
    let healthy = loop {
        let (index, seen) = blocked.await.unwrap();
        if seen.schedulable {
            break seen;
        }
        blocked = read(index);
    };
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(
        healthy.modify_index, volume.modify_index,
        "the volume itself did not change"
    );
    driven.healthy(1, 1).await;
    assert_eq!(
        descriptions(&driven.server, "scripted").await,
        ["healthy", "healthy"]
    );
}

/// Weakness W21.
#[tokio::test]
async fn a_driver_that_hangs_is_unhealthy_and_holds_up_nobody() {
    let (hanging, other) = (ScriptedDriver::start(), ScriptedDriver::start());
    hanging.always(Call::Probe, Reply::Hang);
    let server = TestServer::start_unready(|config| {
        config
            .plugins
            .push(plugin("hanging", PluginType::Monolith, &hanging));
        config
            .plugins
            .push(plugin("scripted", PluginType::Monolith, &other));
        config.deadlines.probe = Duration::from_millis(200);
    })
    .await;
    server
        .until("the other to be healthy", |state| {
            state
                .plugin(&PluginId::known("scripted"))
                .is_some_and(|plugin| plugin.health().schedulable())
        })
        .await;
    server
        .until("the probe to be over", |state| {
            let plugin = state.plugin(&PluginId::known("hanging")).unwrap();
            let mut instances = plugin.instances.iter();
            instances.all(|instance| instance.row.description.contains("DeadlineExceeded"))
        })
        .await;
    for description in descriptions(&server, "hanging").await {
        assert_eq!(
            description,
            "failed initial fingerprint with err: rpc error: code = DeadlineExceeded desc = context deadline exceeded"
        );
    }
    hanging.as_usual(Call::Probe);
    server.all_healthy().await;
}

#[tokio::test]
async fn a_controller_apart_from_its_node_is_one_plugin() {
    let (controller, node) = (ScriptedDriver::start(), ScriptedDriver::start());
    let server = TestServer::start_with(|config| {
        config
            .plugins
            .push(plugin("scripted", PluginType::Controller, &controller));
        config
            .plugins
            .push(plugin("scripted", PluginType::Node, &node));
    })
    .await;
    let shown = read_plugin(&server, "scripted").await;
    assert_eq!((shown.controllers.len(), shown.nodes.len()), (1, 1));
    let made = crate::server::create(&server.client, described("db"))
        .await
        .unwrap();
    assert!(made.volumes[0].schedulable);
    assert!(controller.calls().contains(&Call::CreateVolume));
    assert!(!node.calls().contains(&Call::CreateVolume));
    assert!(!node.calls().contains(&Call::ControllerGetCapabilities));
    assert!(!controller.calls().contains(&Call::NodeGetInfo));
}

/// Conformance case 16; weakness W20.
#[tokio::test]
async fn of_two_controllers_the_other_one_serves_when_one_dies() {
    let mut second = ScriptedDriver::start();
    let mut driven = Driven::start_with(|config| {
        config
            .plugins
            .push(plugin("scripted", PluginType::Controller, &second));
    })
    .await;
    driven.healthy(2, 1).await;
    driven.create("one").await.unwrap().unwrap();
    second.leave();
    driven.healthy(1, 1).await;
    driven.create("two").await.unwrap().unwrap();
    second.come_back();
    driven.healthy(2, 1).await;
    driven.driver.leave();
    driven.healthy(1, 0).await;
    let without_node = driven.create("three").await.unwrap().unwrap();
    assert!(
        !without_node.schedulable,
        "it can be made, but no node can hold it"
    );
    assert_eq!(
        (
            without_node.controllers_healthy,
            without_node.controllers_expected
        ),
        (1, 2)
    );
}

#[tokio::test]
async fn a_driver_of_ours_that_is_killed_is_started_again_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let command = [
        env!("CARGO_BIN_EXE_saddlebag"),
        "driver",
        "--root",
        root.to_str().unwrap(),
    ];
    let config = PluginConfig::new(
        PluginId::known("scripted"),
        Launch::Command(command.map(str::to_owned).to_vec()),
    );
    let server = TestServer::start_with(|into| into.plugins.push(config)).await;
    let made = crate::server::create(&server.client, described("db"))
        .await
        .unwrap();
    let pid = process_on(&root);
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    server
        .until("the death to be told", |state| {
            let plugin = state.plugin(&PluginId::known("scripted")).unwrap();
            let mut instances = plugin.instances.iter();
            instances.all(|instance| {
                instance
                    .row
                    .description
                    .contains("driver was killed by signal 9")
            })
        })
        .await;
    for description in descriptions(&server, "scripted").await {
        let words =
            "failed fingerprinting with error: driver was killed by signal 9, restarting in ";
        assert!(description.starts_with(words), "{description}");
    }
    server.all_healthy().await;
    assert_ne!(process_on(&root), pid);
    assert_eq!(server.read("db").await.unwrap(), made.volumes[0]);
    let delete = server.client.delete_volume().volume_id("db").send();
    delete.await.unwrap();
}

/// The process whose arguments name this folder.
fn process_on(root: &std::path::Path) -> rustix::process::Pid {
    let named = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|word| word == root.as_os_str().as_encoded_bytes())
    };
    let entries = fs::read_dir("/proc").unwrap();
    let mut pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    rustix::process::Pid::from_raw(pids.find(named).unwrap()).unwrap()
}

/// Conformance case 9: both of its instances go with it.
#[tokio::test]
async fn a_plugin_that_the_configuration_drops_is_gone_at_the_next_start() {
    let mut driven = Driven::start().await;
    driven.create("db").await.unwrap().unwrap();
    driven.driver.script(Call::CreateVolume, Reply::Hang);
    let stuck = driven.create("stuck");
    driven.driver.asked(Call::CreateVolume, 2).await;
    stuck.abort();
    let _ = stuck.await;
    driven
        .server
        .restart_with(|config| config.plugins.clear())
        .await;

    let list = driven.server.client.list_plugins().type_("csi").send();
    assert!(list.await.unwrap().is_empty());
    let job = driven
        .server
        .client
        .read_job()
        .job_id("scripted")
        .send()
        .await;
    assert_eq!(refusal(job).0, 404);
    let orphan = driven.server.read("db").await.unwrap();
    assert!(!orphan.schedulable);
    assert_eq!((orphan.controllers_expected, orphan.nodes_expected), (0, 0));
    let (status, error) = refusal(driven.create("db").await.unwrap());
    assert_eq!((status, error.code.as_str()), (404, "plugin_not_found"));
    let waiting = driven.waiting("stuck").await;
    assert_eq!(
        waiting.waits_for.as_deref(),
        Some("a healthy controller of plugin \"scripted\"")
    );
    driven
        .abandon(&waiting.id, "the driver is gone for good")
        .await
        .unwrap();

    let scripted = plugin("scripted", PluginType::Monolith, &driven.driver);
    driven
        .server
        .restart_with(|config| config.plugins.push(scripted))
        .await;
    driven.server.all_healthy().await;
    assert!(driven.server.read("db").await.unwrap().schedulable);
}

#[tokio::test]
async fn waiting_for_health_costs_no_commit() {
    let driver = ScriptedDriver::absent();
    let server = TestServer::start_at(Clock::default(), |config| {
        config
            .plugins
            .push(plugin("scripted", PluginType::Monolith, &driver));
    })
    .await;
    server
        .until("the first failure of both", |state| {
            let mut instances = state.plugins().flat_map(|plugin| &plugin.instances);
            instances.all(|instance| instance.row.description.starts_with("failed initial"))
        })
        .await;
    let mut indexes = server.control_plane.live.indexes();
    indexes.mark_unchanged();
    let more = timeout(Duration::from_secs(1), indexes.changed()).await;
    assert!(
        more.is_err(),
        "the driver was looked for again and again, and that was written"
    );
}
