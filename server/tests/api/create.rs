//! Creating volumes: what is refused here, what the driver is told, and what is kept of its answer.

use crate::rig::{Rig, one_error, sent};
use crate::scripted_driver::{Reply, plugin_capabilities};
use crate::server::{TestServer, create, refusal, volume};
use saddlebag::csi::{Call, v1};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use tonic::Code;

/// A driver's answer to CreateVolume.
pub fn made(external_id: &str) -> v1::CreateVolumeResponse {
    v1::CreateVolumeResponse {
        volume: Some(v1::Volume {
            volume_id: external_id.to_owned(),
            ..v1::Volume::default()
        }),
    }
}

/// Conformance case 29.
/// Weakness W16: the places are the driver's, and no others.
#[tokio::test]
async fn what_the_driver_answers_is_kept_and_what_only_it_can_say_is_dropped_from_the_request() {
    let rig = Rig::start().await;
    let mut answer = made("ext-1");
    let made = answer.volume.as_mut().unwrap();
    made.capacity_bytes = 42;
    made.volume_context = HashMap::from([("pool".to_owned(), "fast".to_owned())]);
    made.accessible_topology = vec![v1::Topology {
        segments: HashMap::from([("zone".to_owned(), "a".to_owned())]),
    }];
    rig.driver.script(Call::CreateVolume, Reply::answer(answer));

    let asked = json!({
        "Context": {"mine": "x"},
        "AccessMode": "multi-node-multi-writer",
        "AttachmentMode": "block-device",
        "ExternalID": "wished-for",
        "Capacity": 7,
        "Secrets": {"password": "hunter2"},
        "MountOptions": {"FSType": "ext4", "MountFlags": ["noatime", "user=me"]},
    });
    let created = rig.create("db", asked).await.unwrap();
    assert_eq!(created.external_id, "ext-1");
    assert_eq!(created.capacity, 42);
    assert_eq!(
        created.context,
        BTreeMap::from([("pool".into(), "fast".into())])
    );
    let places: Vec<_> = created.topologies.iter().flatten().collect();
    assert_eq!(created.topologies.len(), 1, "no null stands before it");
    assert_eq!(places[0].segments.as_ref().unwrap()["zone"], "a");
    assert_eq!(
        (
            created.access_mode.as_str(),
            created.attachment_mode.as_str()
        ),
        ("", "")
    );
    assert_eq!(created.provider, "scripted.example");
    assert_eq!(created.provider_version, "1.2.3");
    assert_eq!(created.secrets, None);
    assert_eq!(created.mount_options.fs_type, "ext4");
    let flags = created.mount_options.mount_flags.as_ref().unwrap();
    assert_eq!(flags, &["[REDACTED]"]);
    assert_eq!(rig.server.read("db").await.unwrap(), created);
}

#[tokio::test]
async fn the_driver_is_told_everything_that_was_asked_for() {
    let rig = Rig::start().await;
    let asked = json!({
        "Name": "pg data",
        "RequestedCapacityMin": 1000,
        "RequestedCapacityMax": 2000,
        "Parameters": {"tier": "gold"},
        "Secrets": {"password": "hunter2"},
        "CloneID": "source",
        "MountOptions": {"FSType": "ext4", "MountFlags": ["noatime"]},
        "RequestedCapabilities": [
            {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"},
            {"AccessMode": "multi-node-reader-only", "AttachmentMode": "block-device"},
        ],
    });
    rig.create("db", asked).await.unwrap();

    let told: v1::CreateVolumeRequest = rig.driver.last(Call::CreateVolume);
    assert!(
        told.name.starts_with("pg-data-") && told.name.len() <= 63,
        "{}",
        told.name
    );
    let range = told.capacity_range.unwrap();
    assert_eq!((range.required_bytes, range.limit_bytes), (1000, 2000));
    assert_eq!(told.parameters["tier"], "gold");
    assert_eq!(told.secrets["password"], "hunter2");
    use v1::volume_capability::{AccessType, access_mode::Mode};
    use v1::volume_content_source::Type;
    let Some(Type::Volume(source)) = told.volume_content_source.unwrap().r#type else {
        panic!("not a clone");
    };
    assert_eq!(source.volume_id, "source");
    let modes: Vec<_> = told
        .volume_capabilities
        .iter()
        .map(|capability| capability.access_mode.unwrap().mode())
        .collect();
    assert_eq!(modes, [Mode::SingleNodeWriter, Mode::MultiNodeReaderOnly]);
    let Some(AccessType::Mount(mount)) = &told.volume_capabilities[0].access_type else {
        panic!("not a file system");
    };
    assert_eq!(
        (mount.fs_type.as_str(), &mount.mount_flags[..]),
        ("ext4", &["noatime".to_owned()][..])
    );
    assert!(matches!(
        told.volume_capabilities[1].access_type,
        Some(AccessType::Block(_))
    ));
}

/// Conformance case 37, for creation: no bound is sent that was not asked for.
#[tokio::test]
async fn a_volume_without_sizes_is_created_without_a_capacity_range() {
    let rig = Rig::start().await;
    rig.create("db", json!({})).await.unwrap();
    let told: v1::CreateVolumeRequest = rig.driver.last(Call::CreateVolume);
    assert_eq!(told.capacity_range, None);
    assert_eq!(told.volume_content_source, None);
    assert_eq!(told.accessibility_requirements, None);
}

/// Nomad gives both the same backing store (weakness W6).
#[tokio::test]
async fn equal_names_are_volumes_of_their_own() {
    let server = TestServer::start().await;
    let mut external_ids = Vec::new();
    for id in ["one", "two"] {
        let mut described = volume(id);
        described.name = Some("data".to_owned());
        let created = create(&server.client, described).await.unwrap();
        assert_eq!(created.volumes[0].name, "data");
        external_ids.push(created.volumes[0].external_id.clone());
    }
    assert_ne!(external_ids[0], external_ids[1]);
    server
        .client
        .delete_volume()
        .volume_id("one")
        .send()
        .await
        .unwrap();
    let listed = server
        .client
        .list_external_volumes()
        .plugin_id("local")
        .send()
        .await
        .unwrap();
    let left: Vec<_> = listed
        .volumes
        .iter()
        .flatten()
        .map(|volume| &volume.external_id)
        .collect();
    assert_eq!(left, [&external_ids[1]]);
}

/// Conformance case 23, for creation.
#[tokio::test]
async fn creating_what_is_there_updates_it_and_asks_no_driver_to_make_it_again() {
    let rig = Rig::start().await;
    let first = rig
        .create("db", json!({"RequestedCapacityMin": 1000}))
        .await
        .unwrap();
    let again = rig
        .create("db", json!({"RequestedCapacityMin": 1000}))
        .await
        .unwrap();
    assert_eq!(again.external_id, first.external_id);
    assert_eq!(again.create_index, first.create_index);
    assert_eq!(rig.count(Call::CreateVolume), 1);
    for (more, field) in [
        (json!({"Name": "other"}), "name"),
        (json!({"Parameters": {"a": "b"}}), "parameters"),
    ] {
        let (status, error) = refusal(rig.create("db", more).await);
        let text = one_error(&format!("volume {field} cannot be updated"));
        assert_eq!((status, error.message), (409, one_error(&text)));
    }

    rig.driver.script(
        Call::ControllerExpandVolume,
        Reply::refuse(Code::OutOfRange, "no"),
    );
    let (status, error) = refusal(
        rig.create("db", json!({"RequestedCapacityMin": 5000}))
            .await,
    );
    let text = format!(
        "unable to expand volume: controller expand volume: CSI.ControllerExpandVolume: unsupported capacity_range for volume {:?}: rpc error: code = OutOfRange desc = no",
        first.external_id
    );
    assert_eq!((status, error.message), (400, one_error(&text)));
}

#[tokio::test]
async fn the_places_of_a_volume_are_required_of_a_driver_that_knows_places() {
    let rig = Rig::start().await;
    let place = |key: &str, value: &str| v1::Topology {
        segments: HashMap::from([(key.to_owned(), value.to_owned())]),
    };
    let cases: [(&str, Value, Vec<v1::Topology>, Vec<v1::Topology>); 4] = [
        (
            "flat",
            json!({"Topologies": [{"foo": "bar"}]}),
            vec![place("foo", "bar")],
            vec![],
        ),
        (
            "segments",
            json!({"Topologies": [{"Segments": {"foo": "bar"}}]}),
            vec![place("foo", "bar")],
            vec![],
        ),
        (
            "requested",
            json!({
                "Topologies": [{"foo": "bar"}],
                "RequestedTopologies": {"Required": [{"Segments": {"zone": "a"}}], "Preferred": [{"Segments": {"zone": "b"}}]},
            }),
            vec![place("zone", "a")],
            vec![place("zone", "b")],
        ),
        (
            "preferred",
            json!({"RequestedTopologies": {"Preferred": [{"Segments": {"zone": "b"}}]}}),
            vec![],
            vec![place("zone", "b")],
        ),
    ];
    for (id, more, requisite, preferred) in cases {
        let body = json!({"Volumes": [sent(id, more)]});
        let path = format!("/v1/volume/csi/{id}/create");
        let answer = rig.server.ask("PUT", &path).json(&body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told: v1::CreateVolumeRequest = rig.driver.last(Call::CreateVolume);
        let told = told.accessibility_requirements.unwrap();
        assert_eq!(
            (told.requisite, told.preferred),
            (requisite, preferred),
            "{id}"
        );
    }
}

/// CSI forbids it; Nomad sends it always (weakness W12).
#[tokio::test]
async fn a_driver_that_knows_no_places_is_told_none() {
    let controller_only = plugin_capabilities(&[1]);
    let rig = Rig::scripted(|driver| {
        driver.always(Call::GetPluginCapabilities, Reply::answer(controller_only));
    })
    .await;
    let more = json!({"RequestedTopologies": {"Required": [{"Segments": {"zone": "a"}}]}});
    rig.create("db", more).await.unwrap();
    let told: v1::CreateVolumeRequest = rig.driver.last(Call::CreateVolume);
    assert_eq!(told.accessibility_requirements, None);
}

#[tokio::test]
async fn while_a_volume_is_being_made_it_is_absent_and_only_the_same_request_is_let_in() {
    let rig = Rig::start().await;
    rig.driver.script(Call::CreateVolume, Reply::Hang);
    let body = json!({"Volumes": [sent("db", json!({"Secrets": {"password": "hunter2"}}))]});
    let ask = rig
        .server
        .ask("PUT", "/v1/volume/csi/db/create?wait=0s")
        .json(&body);
    let first = ask.wanting_json().send().await;
    assert_eq!(
        (first.status, first.error().code.as_str()),
        (504, "operation_timeout")
    );
    rig.driver.asked(Call::CreateVolume, 1).await;

    assert_eq!(refusal(rig.server.read("db").await).0, 404);
    for result in [
        rig.create("db", json!({"Name": "other"})).await,
        rig.register("db", json!({})).await,
    ] {
        let (status, error) = refusal(result);
        assert_eq!((status, error.code.as_str()), (409, "volume_busy"));
        assert_eq!(error.operation, first.error().operation);
    }
    let deregistered = rig
        .client()
        .deregister_volume()
        .volume_id("db")
        .send()
        .await;
    assert_eq!(refusal(deregistered).0, 409);
    let same = rig
        .server
        .ask("PUT", "/v1/volume/csi/db/create?wait=0s")
        .json(&body);
    let again = same.wanting_json().send().await;
    assert_eq!(again.error().operation, first.error().operation);
    assert_eq!(rig.count(Call::CreateVolume), 1);
}
