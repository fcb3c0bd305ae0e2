//! What is checked when a volume is registered, here and by the driver, and in which order.

use crate::rig::{Rig, plugin, sent};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::server::{TestServer, refusal};
use saddlebag::csi::{Call, v1};
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

/// Conformance case 24.
/// Weakness W27, of ids that could be paths.
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

/// Conformance cases 18 and 19, and Nomad's order: each fault hides those behind it.
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

/// Conformance case 30.
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
