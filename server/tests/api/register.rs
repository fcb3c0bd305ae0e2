//! Registering volumes that drivers have: what is checked, in which order, and what is stored.

use crate::rig::{Rig, described, key, plugin, sent, shared};
use crate::scripted_driver::{Reply, ScriptedDriver, plugin_capabilities};
use crate::server::{TestServer, refusal};
use saddlebag::csi::{Call, v1};
use saddlebag::id::Namespace;
use saddlebag::plugin::PluginType;
use serde_json::{Value, json};
use tonic::Code;

const VALIDATE: &str = "controller validate volume: CSI.ControllerValidateVolume: ";

/// Sends one volume as it stands and gives status and text.
async fn put(server: &TestServer, volume: &Value) -> (u16, String) {
    let body = json!({"Volumes": [volume]});
    let answer = server
        .ask("PUT", "/v1/volume/csi/x")
        .json(&body)
        .send()
        .await;
    (answer.status, answer.text().to_owned())
}

/// Case 24.
#[tokio::test]
async fn everything_that_is_wrong_in_a_volume_is_told_at_once_in_nomads_order() {
    let rig = Rig::start().await;
    let topologies = json!({"Required": [{}, {"Segments": null}], "Preferred": [{}]});
    let long = "x".repeat(129);
    for (volume, problems) in [
        (json!({}), "missing volume id, missing plugin id, must include at least one capability block".to_owned()),
        (json!({"ID": "db"}), "missing plugin id, must include at least one capability block".to_owned()),
        (
            json!({"SnapshotID": "s", "CloneID": "c", "RequestedTopologies": topologies}),
            "missing volume id, missing plugin id, only one of snapshot_id and clone_id is allowed, \
             must include at least one capability block, required topology is missing segments field, \
             required topology is missing segments field, preferred topology is missing segments field"
                .to_owned(),
        ),
        (sent("db", json!({"RequestedCapabilities": []})), "must include at least one capability block".to_owned()),
        (sent("a/b", json!({})), r#"volume id "a/b" must not contain '/'"#.to_owned()),
        (sent("..", json!({})), r#"volume id must not be "..""#.to_owned()),
        (sent("a\u{7}", json!({})), r#"volume id "a\u{7}" must not contain control characters"#.to_owned()),
        (sent(&long, json!({})), "volume id has 129 bytes, more than 128".to_owned()),
        (sent("db", json!({"RequestedCapacityMin": -1})), "requested capacity must not be negative".to_owned()),
        (sent("db", json!({"ExternalID": "a\n"})), r#"external id "a\n" must not contain control characters"#.to_owned()),
    ] {
        assert_eq!(put(&rig.server, &volume).await, (400, format!("validation: {problems}")));
    }
    assert_eq!(rig.driver.calls(), []);
    assert_eq!(rig.server.ids().await, [""; 0]);
}

/// Cases 18 and 19, and Nomad's order: each fault hides those behind it.
#[tokio::test]
async fn what_is_looked_at_first_is_told_first() {
    let mut rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    rig.driver.forget();
    rig.driver.leave();
    rig.server
        .until("the driver to be missed", |state| {
            state
                .plugins()
                .all(|plugin| plugin.health().controllers_healthy == 0)
        })
        .await;

    let mut volume = json!({
        "ID": "db", "Name": "other", "PluginID": "nope", "Namespace": "nope",
        "ExternalID": "e", "RequestedCapabilities": [],
    });
    let cases: [(&str, Value, u16, String); 7] = [
        (
            "PluginID",
            json!("nope"),
            400,
            "validation: must include at least one capability block".into(),
        ),
        (
            "RequestedCapabilities",
            json!([{"AccessMode": "x", "AttachmentMode": "y"}]),
            404,
            "no CSI plugin named: nope could be found".into(),
        ),
        (
            "PluginID",
            json!("disk"),
            503,
            "no healthy controllers for CSI plugin: disk".into(),
        ),
        (
            "Name",
            json!("other"),
            400,
            format!("{VALIDATE}unknown volume attachment mode: y"),
        ),
        (
            "RequestedCapabilities",
            json!([{"AccessMode": "x", "AttachmentMode": "file-system"}]),
            400,
            format!("{VALIDATE}unknown volume access mode: x"),
        ),
        (
            "RequestedCapabilities",
            json!([{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}]),
            404,
            format!(
                r#"{VALIDATE}volume "e" could not be found: rpc error: code = NotFound desc = gone"#
            ),
        ),
        (
            "Name",
            json!("other"),
            404,
            "volume db is in nonexistent namespace nope".into(),
        ),
    ];
    for (at, (field, value, status, text)) in cases.into_iter().enumerate() {
        volume[field] = value;
        if at == 3 {
            rig.driver.come_back();
            rig.server.all_healthy().await;
            rig.driver.script(
                Call::ValidateVolumeCapabilities,
                Reply::refuse(Code::NotFound, "gone"),
            );
        }
        assert_eq!(put(&rig.server, &volume).await, (status, text));
    }
    volume["Namespace"] = json!("default");
    let text = "unable to update volume: 1 error occurred:\n\t* volume name cannot be updated\n\n";
    assert_eq!(put(&rig.server, &volume).await, (409, text.to_owned()));
    assert_eq!(
        rig.count(Call::ValidateVolumeCapabilities),
        2,
        "a conflict asks no driver"
    );
}

#[tokio::test]
async fn a_plugin_of_which_nothing_is_known_yet_has_no_healthy_controller() {
    let driver = ScriptedDriver::absent();
    let server = TestServer::start_unready(|config| {
        config.plugins = vec![plugin("disk", PluginType::Monolith, &driver)];
    })
    .await;
    let text = "no healthy controllers for CSI plugin: disk";
    let body = json!({"Volumes": [sent("db", json!({}))]});
    for (method, path) in [
        ("PUT", "/v1/volume/csi/db"),
        ("PUT", "/v1/volume/csi/db/create"),
        ("GET", "/v1/volumes/external?plugin_id=disk"),
        ("GET", "/v1/volumes/snapshot?plugin_id=disk"),
        (
            "DELETE",
            "/v1/volumes/snapshot?plugin_id=disk&snapshot_id=s",
        ),
    ] {
        let answer = server.ask(method, path).json(&body).send().await;
        assert_eq!(answer.status, 503, "{method} {path}: {}", answer.text());
        assert!(answer.text().contains(text), "{}", answer.text());
    }
}

/// Case 20.
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
    assert_eq!(registered.volumes, [read.clone()]);
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

#[tokio::test]
async fn the_driver_is_asked_whether_it_has_the_volume_and_can_serve_it() {
    let rig = Rig::start().await;
    let asked = json!({
        "ExternalID": "e",
        "Context": {"pool": "fast"},
        "Parameters": {"tier": "gold"},
        "Secrets": {"password": "hunter2"},
        "MountOptions": {"FSType": "ext4", "MountFlags": ["noatime"]},
    });
    let stored = rig.register("db", asked).await.unwrap();
    assert_eq!(
        (stored.provider.as_str(), stored.provider_version.as_str()),
        ("scripted.example", "1.2.3")
    );
    let told: v1::ValidateVolumeCapabilitiesRequest =
        rig.driver.last(Call::ValidateVolumeCapabilities);
    assert_eq!(told.volume_id, "e");
    assert_eq!(told.volume_context["pool"], "fast");
    assert_eq!(told.parameters["tier"], "gold");
    assert_eq!(told.secrets["password"], "hunter2");
    let Some(v1::volume_capability::AccessType::Mount(mount)) =
        &told.volume_capabilities[0].access_type
    else {
        panic!("not a file system");
    };
    assert_eq!(mount.fs_type, "ext4");

    rig.register("no-external-id", json!({})).await.unwrap();
    let told: v1::ValidateVolumeCapabilitiesRequest =
        rig.driver.last(Call::ValidateVolumeCapabilities);
    assert_eq!(told.volume_id, "no-external-id");
}

/// Case 30.
#[tokio::test]
async fn what_the_driver_confirms_has_to_be_what_was_asked() {
    use v1::volume_capability::{
        AccessMode, AccessType, BlockVolume, MountVolume, access_mode::Mode,
    };
    let rig = Rig::start().await;
    let mount = |fs_type: &str, flags: &[&str]| {
        Some(AccessType::Mount(MountVolume {
            fs_type: fs_type.to_owned(),
            mount_flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            ..MountVolume::default()
        }))
    };
    let confirmed = |mode: Mode, access_type: Option<AccessType>| {
        vec![v1::VolumeCapability {
            access_mode: Some(AccessMode { mode: mode as i32 }),
            access_type,
        }]
    };
    let fine = || mount("ext4", &["noatime", "ro"]);
    for (confirmed, problem) in [
        (Vec::new(), None),
        (confirmed(Mode::SingleNodeWriter, fine()), None),
        (confirmed(Mode::Unknown, fine()), None),
        (confirmed(Mode::SingleNodeWriter, None), None),
        (
            confirmed(Mode::SingleNodeWriter, mount("", &["noatime"])),
            None,
        ),
        (
            confirmed(Mode::MultiNodeMultiWriter, fine()),
            Some("requested access mode SINGLE_NODE_WRITER, got MULTI_NODE_MULTI_WRITER"),
        ),
        (
            confirmed(Mode::SingleNodeWriter, mount("xfs", &["noatime"])),
            Some("requested filesystem type ext4, got xfs"),
        ),
        (
            confirmed(Mode::SingleNodeWriter, mount("ext4", &["ro"])),
            Some("requested mount flags did not match available capabilities"),
        ),
        (
            confirmed(
                Mode::SingleNodeWriter,
                Some(AccessType::Block(BlockVolume {})),
            ),
            Some(
                "'block-device' access type was not requested but was validated by the controller",
            ),
        ),
    ] {
        let answer = v1::ValidateVolumeCapabilitiesResponse {
            confirmed: Some(v1::validate_volume_capabilities_response::Confirmed {
                volume_capabilities: confirmed,
                ..Default::default()
            }),
            ..Default::default()
        };
        rig.driver
            .script(Call::ValidateVolumeCapabilities, Reply::answer(answer));
        let asked = json!({"ExternalID": "e", "MountOptions": {"FSType": "ext4", "MountFlags": ["noatime"]}});
        let registered = rig.register("db", asked).await;
        let Some(problem) = problem else {
            registered.unwrap();
            continue;
        };
        let (status, error) = refusal(registered);
        let text = format!(
            "{VALIDATE}volume capability validation failed: 1 error occurred:\n\t* {problem}\n\n"
        );
        assert_eq!((status, error.message), (409, text));
    }
}

#[tokio::test]
async fn several_volumes_are_registered_all_or_none() {
    let rig = Rig::start().await;
    rig.create("small", json!({"RequestedCapacityMin": 1000}))
        .await
        .unwrap();
    let good = || described("good", json!({"ExternalID": "e"}));

    let bad = described("bad", json!({"PluginID": "nope"}));
    let (status, _) = refusal(rig.server.register_all(vec![good(), bad]).await);
    assert_eq!(status, 404);
    assert_eq!(rig.server.ids().await, ["small"]);

    rig.driver.script(
        Call::ControllerExpandVolume,
        Reply::refuse(Code::OutOfRange, "no"),
    );
    let grow = || described("small", json!({"RequestedCapacityMin": 5000}));
    let (status, error) = refusal(rig.server.register_all(vec![good(), grow()]).await);
    assert_eq!(status, 400);
    assert!(
        error
            .message
            .starts_with("unable to update volume: unable to expand volume: ")
    );
    assert_eq!(rig.server.ids().await, ["small"]);

    let all = rig.server.register_all(vec![good(), grow()]).await.unwrap();
    let read = [
        rig.server.read("good").await.unwrap(),
        rig.server.read("small").await.unwrap(),
    ];
    assert_eq!(all.volumes, read);
    assert_eq!(read[1].capacity, 5000);
    assert!(all.index >= read[0].modify_index.max(read[1].modify_index));
}

/// A real Nomad stores them: the volume is in use, and the server dies of it (W34).
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

/// Case 21, without tokens.
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

#[tokio::test]
async fn one_backing_store_is_one_volume_unless_all_ask_only_to_be_shared() {
    let rig = Rig::start_with(
        |_| {},
        |config| config.namespaces = vec![Namespace::known("team")],
    )
    .await;
    rig.register("one", json!({"ExternalID": "alone"}))
        .await
        .unwrap();
    let taken = |holder: &str, external: &str| {
        format!("external ID {external:?} of plugin \"disk\" is volume {holder:?} already")
    };
    for more in [
        json!({"ExternalID": "alone"}),
        shared("alone"),
        json!({"ExternalID": "alone", "Namespace": "team"}),
    ] {
        let (status, error) = refusal(rig.register("two", more).await);
        assert_eq!((status, error.code.as_str()), (409, "external_id_taken"));
        assert_eq!(error.message, taken("one", "alone"));
    }
    let (status, error) = refusal(rig.register("alone", json!({})).await);
    assert_eq!(
        (status, error.message),
        (409, taken("one", "alone")),
        "the id stands in for it"
    );

    rig.register("first", shared("many")).await.unwrap();
    rig.register("second", shared("many")).await.unwrap();
    for (id, holder) in [("third", "first"), ("first", "second")] {
        let (status, error) = refusal(rig.register(id, json!({"ExternalID": "many"})).await);
        assert_eq!((status, error.message), (409, taken(holder, "many")));
    }
    let (status, error) = refusal(
        rig.register(
            "second",
            json!({"ExternalID": "many", "RequestedCapacityMin": 5000}),
        )
        .await,
    );
    assert_eq!(
        (status, error.message),
        (409, taken("first", "many")),
        "growing is no way around it"
    );

    let delete = |id: &'static str| rig.client().delete_volume().volume_id(id).send();
    let (status, error) = refusal(delete("first").await);
    assert_eq!((status, error.code.as_str()), (409, "external_id_taken"));
    assert!(
        error.message.contains(r#"is shared with "second""#),
        "{}",
        error.message
    );
    assert_eq!(rig.count(Call::DeleteVolume), 0);
    rig.client()
        .deregister_volume()
        .volume_id("second")
        .send()
        .await
        .unwrap();
    delete("first").await.unwrap();
    assert_eq!(rig.count(Call::DeleteVolume), 1);

    rig.register("new", json!({"ExternalID": "many"}))
        .await
        .unwrap();
}

/// Cases 22 and 23, and the identity that a plugin's driver gives (nomad-http.md §4.3, step 14).
#[tokio::test]
async fn a_volume_stays_with_its_plugin_and_its_driver() {
    let mut rig = Rig::start().await;
    let first = rig
        .register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let again = rig
        .register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    assert_eq!(again.create_index, first.create_index);
    assert!(again.modify_index > first.modify_index);

    let other = rig.register("db", json!({"PluginID": "nope"})).await;
    assert_eq!(refusal(other).0, 404);

    rig.driver.leave();
    let renamed = v1::GetPluginInfoResponse {
        name: "another.example".to_owned(),
        ..Default::default()
    };
    rig.driver
        .always(Call::GetPluginInfo, Reply::answer(renamed));
    rig.driver.come_back();
    rig.server
        .until("the other driver", |state| {
            state.plugins().all(|plugin| {
                plugin.is_provided_by("another.example")
                    && !plugin.is_provided_by("scripted.example")
            })
        })
        .await;
    rig.server.all_healthy().await;
    let (status, error) = refusal(rig.register("db", json!({"ExternalID": "e"})).await);
    assert_eq!((status, error.code.as_str()), (409, "volume_conflict"));
    assert_eq!(error.message, "volume identity cannot be updated: db");
}

#[tokio::test]
async fn a_driver_that_validates_nothing_it_cannot_reach_is_503_or_504() {
    let rig = Rig::start().await;
    for (code, status) in [
        (Code::Unavailable, 503),
        (Code::Aborted, 504),
        (Code::Internal, 502),
        (Code::InvalidArgument, 400),
    ] {
        rig.driver
            .script(Call::ValidateVolumeCapabilities, Reply::refuse(code, "no"));
        assert_eq!(refusal(rig.register("db", json!({})).await).0, status);
    }
    assert_eq!(rig.server.ids().await, [""; 0]);
}
