//! Asking a driver who it is.

use super::*;
use crate::scripted_driver::{
    Reply, ScriptedDriver, controller_capabilities, node_capabilities, plugin_capabilities,
};
use saddlebag::csi::{
    ControllerCapabilities, FingerprintError, NodeCapabilities, Role, Topology, fingerprint, v1,
};

#[tokio::test]
async fn a_controller_is_asked_in_csis_order() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let found = fingerprint(&connection, Role::Controller, None)
        .await
        .unwrap();
    let whole = [
        Call::Probe,
        Call::GetPluginInfo,
        Call::GetPluginCapabilities,
        Call::ControllerGetCapabilities,
    ];
    assert_eq!(driver.calls(), whole);
    assert_eq!(
        (found.provider.as_str(), found.version.as_str()),
        ("scripted.example", "1.2.3")
    );
    assert!(found.requires_controller && found.requires_topologies);
    assert!(found.node.is_none() && found.controller.is_some());

    driver.forget();
    let again = fingerprint(&connection, Role::Controller, Some(&found)).await;
    assert_eq!(again.unwrap(), found);
    assert_eq!(
        driver.calls(),
        [Call::Probe, Call::ControllerGetCapabilities]
    );
}

#[tokio::test]
async fn a_node_is_asked_in_csis_order() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let found = fingerprint(&connection, Role::Node, None).await.unwrap();
    let whole = [
        Call::Probe,
        Call::GetPluginInfo,
        Call::GetPluginCapabilities,
        Call::NodeGetCapabilities,
        Call::NodeGetInfo,
    ];
    assert_eq!(driver.calls(), whole);
    let node = found.node.as_ref().unwrap();
    assert_eq!(
        (node.id.as_str(), node.max_volumes),
        ("node-of-the-driver", i64::MAX)
    );
    assert_eq!(node.accessible_topology, None);

    driver.forget();
    let again = fingerprint(&connection, Role::Node, Some(&found)).await;
    assert_eq!(again.unwrap(), found);
    assert_eq!(driver.calls(), [Call::Probe, Call::NodeGetCapabilities]);
}

#[tokio::test]
async fn capabilities_are_told_apart_and_unknown_ones_ignored() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    driver.script(
        Call::GetPluginCapabilities,
        Reply::answer(plugin_capabilities(&[0, 1, 999])),
    );
    driver.script(
        Call::ControllerGetCapabilities,
        Reply::answer(controller_capabilities(&[1, 2, 2, 0, 4711])),
    );
    let found = fingerprint(&connection, Role::Controller, None)
        .await
        .unwrap();
    assert!(found.requires_controller && !found.requires_topologies);
    let two = ControllerCapabilities {
        supports_create_delete: true,
        supports_attach_detach: true,
        ..Default::default()
    };
    assert_eq!(found.controller, Some(two));

    driver.script(
        Call::NodeGetCapabilities,
        Reply::answer(node_capabilities(&[1, 4, 4711])),
    );
    let two = NodeCapabilities {
        requires_node_stage_volume: true,
        supports_condition: true,
        ..Default::default()
    };
    assert_eq!(connection.node_capabilities().await.unwrap(), two);
}

#[tokio::test]
async fn each_capability_of_the_protocol_sets_one_flag_of_its_own() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let flags = |capabilities: serde_json::Value| {
        let flags = capabilities.as_object().unwrap().clone();
        flags
            .into_iter()
            .filter(|(_, set)| *set == true)
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    let mut seen = std::collections::BTreeSet::new();
    for number in 1..=17 {
        let reply = Reply::answer(controller_capabilities(&[number]));
        driver.script(Call::ControllerGetCapabilities, reply);
        let known = connection.controller_capabilities().await.unwrap();
        let set = flags(serde_json::to_value(known).unwrap());
        assert_eq!(set.len(), 1, "controller capability {number}: {set:?}");
        assert!(seen.insert(set[0].clone()), "{} twice", set[0]);
    }
    seen.clear();
    for number in 1..=8 {
        driver.script(
            Call::NodeGetCapabilities,
            Reply::answer(node_capabilities(&[number])),
        );
        let known = connection.node_capabilities().await.unwrap();
        let set = flags(serde_json::to_value(known).unwrap());
        assert_eq!(set.len(), 1, "node capability {number}: {set:?}");
        assert!(seen.insert(set[0].clone()), "{} twice", set[0]);
    }
}

#[tokio::test]
async fn expansion_and_topology_are_read() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    use v1::plugin_capability::{Type, VolumeExpansion};
    let mut announced = plugin_capabilities(&[5]);
    for r#type in [1, 2, 77] {
        announced.capabilities.push(v1::PluginCapability {
            r#type: Some(Type::VolumeExpansion(VolumeExpansion { r#type })),
        });
    }
    driver.script(Call::GetPluginCapabilities, Reply::answer(announced));
    let info = v1::NodeGetInfoResponse {
        node_id: "n".into(),
        max_volumes_per_node: 12,
        accessible_topology: Some(v1::Topology {
            segments: [("zone".to_owned(), "a".to_owned())].into(),
        }),
    };
    driver.script(Call::NodeGetInfo, Reply::answer(info));
    let found = fingerprint(&connection, Role::Node, None).await.unwrap();
    assert!(found.online_expansion && found.offline_expansion && found.snapshot_topologies);
    let node = found.node.clone().unwrap();
    assert_eq!(node.max_volumes, 12);
    let topology = Topology {
        segments: [("zone".to_owned(), "a".to_owned())].into(),
    };
    assert_eq!(node.accessible_topology, Some(topology));

    let row = serde_json::to_string(&found).unwrap();
    assert_eq!(
        serde_json::from_str::<saddlebag::csi::Fingerprint>(&row).unwrap(),
        found
    );
}

#[tokio::test]
async fn what_is_no_driver_is_refused_with_nomads_texts() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());

    let not_ready = v1::ProbeResponse { ready: Some(false) };
    driver.script(Call::Probe, Reply::answer(not_ready));
    let error = fingerprint(&connection, Role::Node, None)
        .await
        .unwrap_err();
    assert_eq!(error, FingerprintError::NotReady);
    assert_eq!(
        driver.calls(),
        [Call::Probe],
        "a driver that is not ready is asked no more"
    );

    let nameless = Reply::answer(v1::GetPluginInfoResponse::default());
    driver.script(Call::GetPluginInfo, nameless);
    let error = fingerprint(&connection, Role::Node, None)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "PluginGetInfo: plugin returned empty name field"
    );

    let nowhere = Reply::answer(v1::NodeGetInfoResponse::default());
    driver.script(Call::NodeGetInfo, nowhere);
    let error = fingerprint(&connection, Role::Node, None)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "plugin failed to return nodeid");

    let broken = Reply::refuse(tonic::Code::Internal, "broken");
    driver.script(Call::NodeGetCapabilities, broken);
    let error = fingerprint(&connection, Role::Node, None)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "rpc error: code = Internal desc = broken"
    );
}
