//! Snapshots that are refused, here or by the driver.

use crate::rig::{Rig, one_error};
use crate::scripted_driver::{Reply, controller_capabilities};
use crate::server::refusal;
use saddlebag::csi::Call;
use serde_json::json;
use tonic::Code;

const CREATE: &str =
    "could not create snapshot: controller create snapshot: CSI.ControllerCreateSnapshot: ";
const DELETE: &str = "controller delete snapshot: CSI.ControllerDeleteSnapshot: ";

/// Conformance case 50, and what else is refused before a driver is asked.
#[tokio::test]
async fn what_cannot_be_snapshotted_is_refused_with_nomads_texts() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    rig.register("bare", json!({})).await.unwrap();
    rig.driver.forget();
    for (asked, status, text) in [
        (
            json!({"SourceVolumeID": "bar", "Name": "s"}),
            404,
            r#"no such volume "bar""#.to_owned(),
        ),
        (
            json!({"SourceVolumeID": "db", "PluginID": "nope", "Name": "s"}),
            404,
            r#"no such plugin "nope""#.to_owned(),
        ),
        (
            json!({"SourceVolumeID": "db"}),
            400,
            format!("{CREATE}missing Name"),
        ),
        (
            json!({"SourceVolumeID": "bare", "Name": "s"}),
            400,
            format!("{CREATE}missing VolumeID"),
        ),
    ] {
        let (answered, error) = refusal(rig.snapshot(json!([asked])).await);
        assert_eq!((answered, error.message), (status, one_error(&text)));
    }
    let twice =
        json!([{"SourceVolumeID": "db", "Name": "a"}, {"SourceVolumeID": "db", "Name": "b"}]);
    let (status, error) = refusal(rig.snapshot(twice).await);
    assert_eq!(
        (status, error.message.as_str()),
        (400, r#"source volume "db" is in the request twice"#)
    );
    assert_eq!(rig.driver.calls(), []);

    let rig = Rig::scripted(|driver| {
        driver.always(
            Call::ControllerGetCapabilities,
            Reply::answer(controller_capabilities(&[1])),
        );
    })
    .await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let (status, error) = refusal(
        rig.snapshot(json!([{"SourceVolumeID": "db", "Name": "s"}]))
            .await,
    );
    assert_eq!(
        (status, error.message),
        (501, one_error(r#"plugin "disk" does not support snapshot"#))
    );
    let (status, error) = refusal(rig.delete_snapshot("s", "").await);
    assert_eq!(
        (status, error.message),
        (501, one_error("plugin does not support snapshot"))
    );
    let (status, error) = refusal(rig.client().list_snapshots().plugin_id("disk").send().await);
    assert_eq!(
        (status, error.message.as_str()),
        (501, "plugin does not support listing snapshots")
    );
}

#[tokio::test]
async fn of_several_snapshots_those_that_can_be_taken_are_taken() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let asked =
        json!([{"SourceVolumeID": "db", "Name": "a"}, {"SourceVolumeID": "nope", "Name": "b"}]);
    let (status, error) = refusal(rig.snapshot(asked).await);
    assert_eq!(
        (status, error.message),
        (404, one_error(r#"no such volume "nope""#))
    );
    assert_eq!(error.done, ["db"]);
    assert_eq!(
        (error.errors.len(), error.errors[0].volume.as_deref()),
        (1, Some("nope"))
    );
    assert_eq!(rig.count(Call::CreateSnapshot), 1);
}

#[tokio::test]
async fn what_the_driver_says_against_it_has_its_status_and_no_secret() {
    let rig = Rig::start().await;
    rig.register(
        "db",
        json!({"ExternalID": "e", "Secrets": {"password": "hunter2"}}),
    )
    .await
    .unwrap();
    for (code, status, name, meaning) in [
        (
            Code::AlreadyExists,
            409,
            "AlreadyExists",
            r#"snapshot "s" already exists but is incompatible with volume ID "e": "#,
        ),
        (
            Code::ResourceExhausted,
            507,
            "ResourceExhausted",
            "storage provider does not have enough space for this snapshot: ",
        ),
        (Code::FailedPrecondition, 409, "FailedPrecondition", ""),
        (
            Code::Internal,
            502,
            "Internal",
            "controller plugin returned an internal error, check the plugin allocation logs for more information: ",
        ),
    ] {
        rig.driver
            .script(Call::CreateSnapshot, Reply::refuse(code, "no hunter2"));
        let (answered, error) = refusal(
            rig.snapshot(json!([{"SourceVolumeID": "db", "Name": "s"}]))
                .await,
        );
        let text = format!("{CREATE}{meaning}rpc error: code = {name} desc = no [REDACTED]");
        assert_eq!((answered, error.message), (status, one_error(&text)));
    }
    rig.driver.script(
        Call::DeleteSnapshot,
        Reply::refuse(Code::FailedPrecondition, "no hunter2"),
    );
    let (status, error) = refusal(rig.delete_snapshot("s", "password=hunter2").await);
    let text = format!(
        r#"could not delete "s": {DELETE}snapshot "s" could not be deleted because it is in use: rpc error: code = FailedPrecondition desc = no [REDACTED]"#
    );
    assert_eq!((status, error.message), (409, one_error(&text)));
    rig.driver.script(
        Call::ListSnapshots,
        Reply::refuse(Code::Aborted, "no hunter2"),
    );
    let call = rig
        .client()
        .list_snapshots()
        .plugin_id("disk")
        .next_token("junk");
    let (status, error) = refusal(call.x_nomad_csi_secrets("password=hunter2").send().await);
    let text = r#"controller list snapshots: CSI.ControllerListSnapshots: invalid starting token "junk": rpc error: code = Aborted desc = no [REDACTED]"#;
    assert_eq!((status, error.message.as_str()), (400, text));
}
