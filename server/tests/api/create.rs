//! Creating volumes: what is refused here, what the driver is told, and what is kept of its answer.

use crate::rig::{Rig, described, sent, shared};
use crate::scripted_driver::{Reply, controller_capabilities, plugin_capabilities};
use crate::server::{TestServer, create, refusal, volume};
use saddlebag::csi::{Call, v1};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use tonic::Code;

/// A driver's answer to CreateVolume.
fn made(external_id: &str) -> v1::CreateVolumeResponse {
    v1::CreateVolumeResponse {
        volume: Some(v1::Volume {
            volume_id: external_id.to_owned(),
            ..v1::Volume::default()
        }),
    }
}

/// Nomad's words around one failure of a create.
fn one_error(text: &str) -> String {
    format!("1 error occurred:\n\t* {text}\n\n")
}

const PREFIX: &str = "controller create volume: CSI.ControllerCreateVolume: ";

/// Case 29.
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

/// Case 37, for creation: no bound is sent that was not asked for.
#[tokio::test]
async fn a_volume_without_sizes_is_created_without_a_capacity_range() {
    let rig = Rig::start().await;
    rig.create("db", json!({})).await.unwrap();
    let told: v1::CreateVolumeRequest = rig.driver.last(Call::CreateVolume);
    assert_eq!(told.capacity_range, None);
    assert_eq!(told.volume_content_source, None);
    assert_eq!(told.accessibility_requirements, None);
}

/// Nomad gives both the same backing store (W6).
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

/// Even where both ask only to be shared: nobody asked for sharing here.
#[tokio::test]
async fn a_driver_that_hands_out_a_backing_store_again_ends_the_create_and_loses_nothing() {
    let rig = Rig::start().await;
    rig.driver
        .always(Call::CreateVolume, Reply::answer(made("the-same")));
    for (first, second, more) in [("a", "b", json!({})), ("c", "d", shared(""))] {
        rig.create(first, more.clone()).await.unwrap();
        let (status, error) = refusal(rig.create(second, more).await);
        assert_eq!((status, error.code.as_str()), (409, "external_id_taken"));
        let text =
            format!(r#"external ID "the-same" of plugin "disk" is volume {first:?} already"#);
        assert_eq!(error.message, one_error(&text));
        assert_eq!(refusal(rig.server.read(second).await).0, 404);
        rig.client()
            .deregister_volume()
            .volume_id(first)
            .send()
            .await
            .unwrap();
    }
    assert_eq!(rig.count(Call::DeleteVolume), 0);
}

/// Case 31.
#[tokio::test]
async fn what_can_be_refused_here_never_reaches_the_driver() {
    let rig = Rig::start().await;
    let mode = |access: &str, attachment: &str| json!({"RequestedCapabilities": [{"AccessMode": access, "AttachmentMode": attachment}]});
    let refused = |text: &str| one_error(&format!("{PREFIX}{text}"));
    let cases = [
        (json!({"Name": null}), refused("missing Name")),
        (json!({"Name": ""}), refused("missing Name")),
        (
            json!({"RequestedCapacityMin": 2000, "RequestedCapacityMax": 1000}),
            refused("LimitBytes cannot be less than RequiredBytes"),
        ),
        (
            mode("x", "file-system"),
            refused("unknown volume access mode: x"),
        ),
        (
            mode("single-node-writer", "x"),
            refused("unknown volume attachment mode: x"),
        ),
        (
            json!({"SnapshotID": "s", "CloneID": "c"}),
            "validation: only one of snapshot_id and clone_id is allowed".to_owned(),
        ),
    ];
    for (more, text) in cases {
        let body = json!({"Volumes": [sent("db", more)]});
        let ask = rig
            .server
            .ask("PUT", "/v1/volume/csi/db/create")
            .json(&body);
        let answer = ask.send().await;
        assert_eq!((answer.status, answer.text()), (400, text.as_str()));
    }
    assert_eq!(rig.driver.calls(), []);
    assert_eq!(rig.server.ids().await, [""; 0]);
}

/// Case 32.
#[tokio::test]
async fn each_final_refusal_of_the_driver_has_its_status_and_nomads_text() {
    let rig = Rig::start().await;
    let source = r#"source &{"" "c"}"#;
    let cases = [
        (Code::InvalidArgument, 400, "InvalidArgument", format!(r#"volume "db" snapshot {source} is not compatible with these parameters: "#)),
        (Code::OutOfRange, 400, "OutOfRange", r#"unsupported capacity_range for volume "db": "#.to_owned()),
        (Code::NotFound, 404, "NotFound", format!(r#"volume "db" content {source} does not exist: "#)),
        (Code::AlreadyExists, 409, "AlreadyExists", r#"volume "db" already exists but is incompatible with these parameters: "#.to_owned()),
        (Code::FailedPrecondition, 409, "FailedPrecondition", String::new()),
        (Code::ResourceExhausted, 507, "ResourceExhausted", r#"unable to provision "db" in accessible_topology: "#.to_owned()),
        (Code::Unimplemented, 501, "Unimplemented", String::new()),
        (Code::Internal, 502, "Internal", "controller plugin returned an internal error, check the plugin allocation logs for more information: ".to_owned()),
        (Code::Unknown, 502, "Unknown", String::new()),
        (Code::PermissionDenied, 502, "PermissionDenied", String::new()),
        (Code::Unauthenticated, 502, "Unauthenticated", String::new()),
        (Code::Cancelled, 502, "Canceled", String::new()),
        (Code::DataLoss, 502, "DataLoss", String::new()),
    ];
    for (code, status, name, meaning) in cases {
        rig.driver
            .script(Call::CreateVolume, Reply::refuse(code, "no"));
        let (answered, error) = refusal(rig.create("db", json!({"CloneID": "c"})).await);
        let text = format!("{PREFIX}{meaning}rpc error: code = {name} desc = no");
        assert_eq!(
            (answered, error.message),
            (status, one_error(&text)),
            "{name}"
        );
        assert_eq!(error.volume.as_deref(), Some("db"));
        assert_eq!(error.plugin.as_deref(), Some("disk"));
        assert!(error.operation.is_some() && !error.retryable);
    }
    assert_eq!(rig.server.ids().await, [""; 0]);
}

/// Their outcome is not known: who does not wait long enough learns of the last try, and the same
/// request again finds it done.
#[tokio::test]
async fn an_unclear_answer_is_tried_again_under_the_same_name_and_the_same_request_joins() {
    let rig = Rig::start().await;
    for (code, status, name) in [
        (Code::Unavailable, 503, "Unavailable"),
        (Code::Aborted, 504, "Aborted"),
        (Code::DeadlineExceeded, 504, "DeadlineExceeded"),
    ] {
        rig.driver.forget();
        rig.driver
            .script(Call::CreateVolume, Reply::refuse(code, "busy"));
        let body = json!({"Volumes": [sent(name, json!({}))]});
        let path = format!("/v1/volume/csi/{name}/create");
        let hasty = format!("{path}?wait=0s");
        let ask = |target| {
            rig.server
                .ask("PUT", target)
                .json(&body)
                .wanting_json()
                .send()
        };
        let first = ask(&hasty).await;
        assert_eq!(first.status, 504, "{}", first.text());
        rig.server
            .until("the first try", |state| {
                state
                    .under_way()
                    .any(|operation| operation.row.attempts == 1)
            })
            .await;

        let refused = ask(&hasty).await;
        let error = refused.error();
        let text = format!("{PREFIX}rpc error: code = {name} desc = busy");
        assert_eq!((refused.status, error.message), (status, one_error(&text)));
        assert!(error.retryable);
        let operation = error.operation.unwrap();
        assert_eq!(
            first.error().operation.as_ref(),
            Some(&operation),
            "it joins"
        );

        rig.client()
            .retry_operation()
            .operation_id(&operation)
            .send()
            .await
            .unwrap();
        assert_eq!(ask(&path).await.status, 200);
        assert_eq!(rig.driver.calls(), [Call::CreateVolume; 2]);
        let told: v1::CreateVolumeRequest = rig.driver.last(Call::CreateVolume);
        assert!(told.name.starts_with(&format!("{name}-")));
        let read = rig.server.read(name).await.unwrap();
        assert_eq!(read.external_id, format!("id-of-{}", told.name));
    }
}

/// W9.
#[tokio::test]
async fn a_driver_that_is_away_for_a_moment_fails_nobody() {
    let rig = Rig::start().await;
    for _ in 0..2 {
        rig.driver.script(
            Call::CreateVolume,
            Reply::refuse(Code::Unavailable, "restarting"),
        );
    }
    rig.create("db", json!({})).await.unwrap();
    assert_eq!(rig.count(Call::CreateVolume), 3);
}

#[tokio::test]
async fn of_several_volumes_those_that_can_be_made_are_made_and_the_first_failure_gives_the_status()
{
    let rig = Rig::start().await;
    let unnamed = |id| described(id, json!({"Name": ""}));
    let full = r#"unable to provision "full" in accessible_topology: rpc error: code = ResourceExhausted desc = no"#;

    let all = vec![described("good", json!({})), unnamed("bad")];
    let (status, error) = refusal(rig.server.create_all(all).await);
    assert_eq!((status, &error.done[..]), (400, &["good".to_owned()][..]));
    assert_eq!(error.message, one_error(&format!("{PREFIX}missing Name")));
    assert_eq!(
        (error.errors.len(), error.errors[0].volume.as_deref()),
        (1, Some("bad"))
    );
    assert_eq!(rig.server.ids().await, ["good"]);

    rig.driver.always(
        Call::CreateVolume,
        Reply::refuse(Code::ResourceExhausted, "no"),
    );
    for (reversed, status) in [(false, 507), (true, 400)] {
        let mut all = vec![described("full", json!({})), unnamed("bad")];
        let mut texts = [format!("{PREFIX}{full}"), format!("{PREFIX}missing Name")];
        if reversed {
            all.reverse();
            texts.reverse();
        }
        let (answered, error) = refusal(rig.server.create_all(all).await);
        let text = format!("2 errors occurred:\n\t* {}\n\t* {}\n\n", texts[0], texts[1]);
        assert_eq!((answered, error.message), (status, text));
        let named: Vec<_> = error
            .errors
            .iter()
            .map(|error| error.message.clone())
            .collect();
        assert_eq!(named, texts);
        assert_eq!(error.done, [""; 0]);
    }
    assert_eq!(rig.server.ids().await, ["good"]);
}

#[tokio::test]
async fn a_request_holds_at_most_32_volumes_and_none_of_them_twice() {
    let rig = Rig::start_with(
        |_| {},
        |config| config.namespaces = vec![saddlebag::id::Namespace::known("team")],
    )
    .await;
    let many = |count: usize| {
        (0..count)
            .map(|n| described(&format!("v{n:02}"), json!({})))
            .collect()
    };
    let (status, error) = refusal(rig.server.create_all(many(33)).await);
    assert_eq!(
        (status, error.message.as_str()),
        (400, "the request holds 33 volumes, more than 32")
    );
    let twice = vec![described("db", json!({})), described("db", json!({}))];
    let (status, error) = refusal(rig.server.create_all(twice).await);
    assert_eq!(
        (status, error.message.as_str()),
        (400, r#"volume "db" is in the request twice"#)
    );
    let twice = ["a", "b"].map(|id| described(id, json!({"ExternalID": "x"})));
    let (status, error) = refusal(rig.server.create_all(twice.into()).await);
    assert_eq!(
        (status, error.message.as_str()),
        (400, r#"external id "x" is in the request twice"#)
    );
    assert_eq!(rig.driver.calls(), []);

    assert_eq!(
        rig.server.create_all(many(32)).await.unwrap().volumes.len(),
        32
    );
    let namesakes = ["default", "team"].map(|name| described("db", json!({"Namespace": name})));
    rig.server.create_all(namesakes.into()).await.unwrap();
    assert_eq!(rig.server.ids().await.len(), 34);
}

/// Case 23, for creation.
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

/// CSI forbids it; Nomad sends it always (W12).
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
async fn what_the_driver_cannot_do_is_not_asked_of_it() {
    let only = |numbers: &'static [i32]| {
        Rig::scripted(move |driver| {
            let answer = Reply::answer(controller_capabilities(numbers));
            driver.always(Call::ControllerGetCapabilities, answer);
        })
    };
    let rig = only(&[]).await;
    let (status, error) = refusal(rig.create("db", json!({})).await);
    assert_eq!((status, error.code.as_str()), (501, "capability_missing"));
    assert_eq!(error.message, "plugin does not support creating volumes");

    let rig = only(&[1]).await;
    for (more, text) in [
        (
            json!({"CloneID": "c"}),
            "plugin does not support cloning volumes",
        ),
        (
            json!({"SnapshotID": "s"}),
            "plugin does not support creating volumes from snapshots",
        ),
    ] {
        let (status, error) = refusal(rig.create("db", more).await);
        assert_eq!((status, error.message), (501, one_error(text)));
    }
    assert_eq!(rig.count(Call::CreateVolume), 0);
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

/// A driver may say at most 4 KiB there (CSI); one that says what no row holds must not be asked for ever.
#[tokio::test]
async fn an_answer_that_no_row_holds_ends_the_create() {
    let rig = Rig::start().await;
    let mut answer = made("ext-1");
    answer.volume.as_mut().unwrap().volume_context =
        HashMap::from([("novel".to_owned(), "x".repeat(300 * 1024))]);
    rig.driver.script(Call::CreateVolume, Reply::answer(answer));
    let (status, error) = refusal(rig.create("db", json!({})).await);
    assert_eq!((status, error.code.as_str()), (502, "driver_failed"));
    assert!(
        error.message.contains("cannot be stored"),
        "{}",
        error.message
    );
    assert_eq!(rig.count(Call::CreateVolume), 1);
}
