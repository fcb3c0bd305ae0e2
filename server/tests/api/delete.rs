//! Letting go of volumes: delete, deregister, detach.

use crate::rig::{Rig, described, plugin, sent, writer};
use crate::scripted_driver::{Reply, ScriptedDriver, controller_capabilities};
use crate::server::refusal;
use saddlebag::csi::{Call, v1};
use saddlebag::plugin::PluginType;
use serde_json::json;
use std::collections::HashMap;
use tonic::Code;

const PREFIX: &str = "controller delete volume: CSI.ControllerDeleteVolume: ";

/// Conformance case 39.
#[tokio::test]
async fn the_driver_is_given_the_stored_secrets_with_those_of_the_header_laid_over() {
    let rig = Rig::start().await;
    let secrets = json!({"ExternalID": "e", "Secrets": {"user": "me", "password": "old"}});
    rig.register("db", secrets).await.unwrap();
    let delete = rig.client().delete_volume().volume_id("db");
    let header = "password=new=er,junk,zone=a,zone=b";
    delete.x_nomad_csi_secrets(header).send().await.unwrap();
    let told: v1::DeleteVolumeRequest = rig.driver.last(Call::DeleteVolume);
    let expected = [("user", "me"), ("password", "new=er"), ("zone", "b")];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(
        (told.volume_id.as_str(), told.secrets),
        ("e", HashMap::from(expected))
    );
    assert_eq!(refusal(rig.server.read("db").await).0, 404);

    let again = rig.client().delete_volume().volume_id("db").send().await;
    let (status, error) = refusal(again);
    assert_eq!((status, error.code.as_str()), (404, "volume_not_found"));
    assert_eq!(error.message, "volume not found: db");
}

/// Conformance case 40: the plugin is not configured any more.
#[tokio::test]
async fn a_volume_whose_plugin_is_gone_can_be_forgotten_but_not_deleted() {
    let mut rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    rig.server
        .restart_with(|config| config.plugins.clear())
        .await;
    let read = rig.server.read("db").await.unwrap();
    assert!(!read.schedulable && read.controller_required);
    assert_eq!(read.provider, "scripted.example");

    let (status, error) = refusal(rig.client().delete_volume().volume_id("db").send().await);
    assert_eq!((status, error.code.as_str()), (404, "plugin_not_found"));
    assert_eq!(error.message, "plugin not found: disk");
    rig.client()
        .deregister_volume()
        .volume_id("db")
        .send()
        .await
        .unwrap();
    assert_eq!(rig.server.ids().await, [""; 0]);
}

/// Conformance case 41, and weakness W5: a real Nomad has destroyed the data before it looks.
#[tokio::test]
async fn a_volume_in_use_is_refused_before_the_driver_is_touched() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    rig.driver.forget();
    let claim = writer("db", "alloc-1");
    rig.server.claim(&claim).await;
    for (method, path) in [
        ("DELETE", "/v1/volume/csi/db/delete"),
        ("DELETE", "/v1/volume/csi/db"),
        ("DELETE", "/v1/volume/csi/db?force=true"),
    ] {
        let answer = rig.server.ask(method, path).wanting_json().send().await;
        let error = answer.error();
        assert_eq!(
            (answer.status, error.code.as_str()),
            (409, "volume_in_use"),
            "{path}"
        );
        assert_eq!(error.message, "volume in use: db");
        assert_eq!(
            (error.volume.as_deref(), error.claim.as_deref()),
            (Some("db"), Some("alloc-1"))
        );
        assert_eq!(
            (error.node.as_deref(), error.plugin.as_deref()),
            (Some("n1"), Some("disk"))
        );
    }
    assert_eq!(rig.driver.calls(), []);
    rig.server.release(&claim).await;
    rig.client()
        .delete_volume()
        .volume_id("db")
        .send()
        .await
        .unwrap();
    assert_eq!(rig.driver.calls(), [Call::DeleteVolume]);
}

/// A claim between the look and the mark loses or wins; it is never overlooked.
#[tokio::test]
async fn a_volume_that_is_being_deleted_is_shown_unschedulable_and_busy() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    rig.driver.script(Call::DeleteVolume, Reply::Hang);
    let hasty = rig
        .server
        .ask("DELETE", "/v1/volume/csi/db/delete?wait=0s")
        .wanting_json()
        .send()
        .await;
    let error = hasty.error();
    assert_eq!(
        (hasty.status, error.code.as_str()),
        (504, "operation_timeout")
    );
    assert!(error.operation.is_some() && error.retryable);
    rig.driver.asked(Call::DeleteVolume, 1).await;

    assert!(!rig.server.read("db").await.unwrap().schedulable);
    let listed = rig
        .client()
        .list_volumes()
        .type_("csi")
        .send()
        .await
        .unwrap();
    assert!(!listed[0].schedulable);
    let deregistered = rig
        .client()
        .deregister_volume()
        .volume_id("db")
        .send()
        .await;
    for (status, busy) in [
        refusal(deregistered.map(|_| ())),
        refusal(rig.register("db", json!({})).await.map(|_| ())),
    ] {
        assert_eq!((status, busy.code.as_str()), (409, "volume_busy"));
        assert_eq!(busy.operation, error.operation);
    }
    let again = rig
        .server
        .ask("DELETE", "/v1/volume/csi/db/delete?wait=0s")
        .wanting_json()
        .send()
        .await;
    assert_eq!(
        again.error().operation,
        error.operation,
        "the same request joins"
    );

    let operation = error.operation.unwrap();
    let given_up = rig
        .client()
        .abandon_operation()
        .operation_id(&operation)
        .reason("driver is gone");
    given_up.send().await.unwrap();
    assert!(rig.server.read("db").await.unwrap().schedulable);
}

#[tokio::test]
async fn what_the_driver_says_against_deleting_has_nomads_text_and_keeps_the_volume() {
    let rig = Rig::start().await;
    rig.register(
        "db",
        json!({"ExternalID": "e", "Secrets": {"password": "hunter2"}}),
    )
    .await
    .unwrap();
    for (code, status, name, meaning) in [
        (
            Code::FailedPrecondition,
            409,
            "FailedPrecondition",
            r#"volume "e" is in use: "#,
        ),
        (
            Code::Internal,
            502,
            "Internal",
            "controller plugin returned an internal error, check the plugin allocation logs for more information: ",
        ),
        (Code::InvalidArgument, 400, "InvalidArgument", ""),
    ] {
        rig.driver.script(
            Call::DeleteVolume,
            Reply::refuse(code, "bad hunter2 and 0ther"),
        );
        let delete = rig.client().delete_volume().volume_id("db");
        let (answered, error) = refusal(delete.x_nomad_csi_secrets("token=0ther").send().await);
        let text = format!(
            "{PREFIX}{meaning}rpc error: code = {name} desc = bad [REDACTED] and [REDACTED]"
        );
        assert_eq!((answered, error.message), (status, text));
        let operations = rig.server.ask("GET", "/v1/operations").send().await;
        for secret in ["hunter2", "0ther"] {
            assert!(!operations.text().contains(secret), "{}", operations.text());
        }
    }
    rig.server.read("db").await.unwrap();

    rig.driver.script(
        Call::DeleteVolume,
        Reply::refuse(Code::NotFound, "gone already"),
    );
    rig.client()
        .delete_volume()
        .volume_id("db")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_volume_that_its_driver_cannot_delete_stays() {
    let rig = Rig::scripted(|driver| {
        driver.always(
            Call::ControllerGetCapabilities,
            Reply::answer(controller_capabilities(&[3])),
        );
    })
    .await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let (status, error) = refusal(rig.client().delete_volume().volume_id("db").send().await);
    assert_eq!((status, error.code.as_str()), (501, "capability_missing"));

    let mut rig = Rig::start().await;
    rig.register("db", json!({})).await.unwrap();
    let (status, error) = refusal(rig.client().delete_volume().volume_id("db").send().await);
    assert_eq!(
        (status, error.message),
        (400, format!("{PREFIX}missing ExternalVolumeID"))
    );

    rig.driver.leave();
    rig.server
        .until("the driver to be missed", |state| {
            state
                .plugins()
                .all(|plugin| plugin.health().controllers_healthy == 0)
        })
        .await;
    let (status, error) = refusal(rig.client().delete_volume().volume_id("db").send().await);
    assert_eq!((status, error.code.as_str()), (503, "no_healthy_plugin"));
    assert!(error.retryable);
}

#[tokio::test]
async fn deleting_waits_for_a_creation_and_deletes_what_it_made() {
    let rig = Rig::start().await;
    let go_on = std::sync::Arc::new(tokio::sync::Notify::new());
    rig.driver.script(
        Call::CreateVolume,
        Reply::When(go_on.clone(), Box::new(Reply::Usual)),
    );
    let (created, deleted, ()) = tokio::join!(
        rig.server.create_all(vec![described("db", json!({}))]),
        async {
            rig.driver.asked(Call::CreateVolume, 1).await;
            rig.client().delete_volume().volume_id("db").send().await
        },
        async {
            rig.driver.asked(Call::CreateVolume, 1).await;
            go_on.notify_one();
        }
    );
    created.unwrap();
    deleted.unwrap();
    assert_eq!(rig.driver.calls(), [Call::CreateVolume, Call::DeleteVolume]);
    assert_eq!(rig.server.ids().await, [""; 0]);
}

/// What one plugin's driver does holds up nobody else's.
#[tokio::test]
async fn a_driver_that_hangs_holds_up_no_other_plugin_and_no_other_volume() {
    let other = ScriptedDriver::start();
    let rig = Rig::start_with(
        |_| {},
        |config| {
            config
                .plugins
                .push(plugin("other", PluginType::Monolith, &other));
        },
    )
    .await;
    rig.register("stuck", json!({"ExternalID": "s"}))
        .await
        .unwrap();
    rig.driver.script(Call::DeleteVolume, Reply::Hang);
    let body = json!({"Volumes": [sent("x", json!({}))]});
    let stuck = rig
        .server
        .ask("DELETE", "/v1/volume/csi/stuck/delete?wait=0s")
        .json(&body)
        .send()
        .await;
    assert_eq!(stuck.status, 504);
    rig.driver.asked(Call::DeleteVolume, 1).await;
    rig.create("same-plugin", json!({})).await.unwrap();
    rig.create("other-plugin", json!({"PluginID": "other"}))
        .await
        .unwrap();
    for id in ["same-plugin", "other-plugin"] {
        rig.client()
            .delete_volume()
            .volume_id(id)
            .send()
            .await
            .unwrap();
    }
}
