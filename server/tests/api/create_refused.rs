//! Creations that are refused, here or by the driver, and those that are tried again.

use crate::create::made;
use crate::rig::{Rig, one_error, sent, shared};
use crate::scripted_driver::{Reply, controller_capabilities};
use crate::server::refusal;
use saddlebag::csi::{Call, v1};
use serde_json::json;
use std::collections::HashMap;
use tonic::Code;

const PREFIX: &str = "controller create volume: CSI.ControllerCreateVolume: ";

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
        let text = format!(
            r#"external ID "the-same" of plugin "disk" already exists as volume {first:?}"#
        );
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

/// Conformance case 31.
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

/// Conformance case 32.
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

/// Weakness W9.
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
