//! How failures are answered: the true status or Nomad's, JSON or Nomad's text; methods, redirects and
//! compression at the real front.

use crate::rig::{Rig, sent, writer};
use crate::scripted_driver::Reply;
use saddlebag::csi::Call;
use saddlebag::error::StatusStyle;
use serde_json::{Value, json};
use tonic::Code;

/// What is asked, and how it is answered.
struct Failure {
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    status: u16,
    nomad: u16,
    code: &'static str,
    text: &'static str,
}

fn failure(
    request: &'static str,
    statuses: (u16, u16),
    code: &'static str,
    text: &'static str,
) -> Failure {
    let (method, path) = request.split_once(' ').unwrap();
    let (status, nomad) = statuses;
    Failure {
        method,
        path,
        body: None,
        status,
        nomad,
        code,
        text,
    }
}

fn with(body: Value, failure: Failure) -> Failure {
    Failure {
        body: Some(body),
        ..failure
    }
}

/// A dozen and more, on a server where volume `db` is in use and `idle` is not.
fn failures() -> Vec<Failure> {
    let volume = |id: &str, more: Value| json!({"Volumes": [sent(id, more)]});
    vec![
        failure(
            "GET /v1/volume/csi/nope",
            (404, 404),
            "volume_not_found",
            "volume not found",
        ),
        failure(
            "GET /v1/plugin/csi/nope",
            (404, 404),
            "plugin_not_found",
            "plugin not found",
        ),
        failure(
            "GET /v1/job/nope",
            (404, 404),
            "job_not_found",
            "job not found",
        ),
        failure(
            "GET /v1/volume/csi/",
            (400, 500),
            "missing_field",
            "missing volume ID",
        ),
        failure(
            "GET /v1/plugin/csi/",
            (400, 500),
            "missing_field",
            "missing plugin ID",
        ),
        failure(
            "GET /v1/volumes?type=csi&region=mars",
            (400, 500),
            "invalid_request",
            "No path to region",
        ),
        failure(
            "GET /v1/volumes?type=csi&index=x",
            (400, 400),
            "malformed_request",
            "Invalid index",
        ),
        failure(
            "GET /v1/volumes?type=nfs",
            (404, 404),
            "not_found",
            "resource not found",
        ),
        failure(
            "PATCH /v1/volumes",
            (405, 405),
            "method_not_allowed",
            "Invalid method",
        ),
        failure(
            "DELETE /v1/volume/csi/nope",
            (404, 500),
            "volume_not_found",
            "volume not found: nope",
        ),
        failure(
            "DELETE /v1/volume/csi/nope/delete",
            (404, 500),
            "volume_not_found",
            "volume not found: nope",
        ),
        failure(
            "DELETE /v1/volume/csi/nope/detach?node=n",
            (404, 500),
            "volume_not_found",
            "no such volume",
        ),
        failure(
            "DELETE /v1/volume/csi/nope/detach",
            (400, 400),
            "missing_field",
            "detach requires node ID",
        ),
        failure(
            "DELETE /v1/volume/csi/db",
            (409, 500),
            "volume_in_use",
            "volume in use: db",
        ),
        failure(
            "DELETE /v1/volume/csi/idle/delete",
            (409, 500),
            "driver_refused",
            "controller delete volume: CSI.ControllerDeleteVolume: volume \"i\" is in use: rpc error: code = FailedPrecondition desc = no",
        ),
        failure(
            "GET /v1/volumes/external",
            (404, 500),
            "plugin_not_found",
            "no such plugin",
        ),
        failure(
            "GET /v1/volumes/external?plugin_id=disk",
            (503, 500),
            "driver_unavailable",
            "controller list volumes: CSI.ControllerListVolumes: rpc error: code = Unavailable desc = no",
        ),
        with(
            json!({}),
            failure(
                "PUT /v1/volumes",
                (400, 500),
                "missing_field",
                "missing volume definition",
            ),
        ),
        with(
            json!({"Volumes": [null]}),
            failure(
                "PUT /v1/volumes",
                (400, 400),
                "malformed_request",
                "Volumes[0]: expected an object, got null",
            ),
        ),
        with(
            json!({"Volumes": [{"ID": "x"}]}),
            failure(
                "PUT /v1/volumes",
                (400, 500),
                "invalid_request",
                "validation: missing plugin id, must include at least one capability block",
            ),
        ),
        with(
            volume("x", json!({"PluginID": "nope"})),
            failure(
                "PUT /v1/volumes",
                (404, 500),
                "plugin_not_found",
                "no CSI plugin named: nope could be found",
            ),
        ),
        with(
            volume("x", json!({"Namespace": "nope"})),
            failure(
                "PUT /v1/volumes",
                (404, 500),
                "namespace_not_found",
                "volume x is in nonexistent namespace nope",
            ),
        ),
        with(
            volume("x", json!({"ExternalID": "i"})),
            failure(
                "PUT /v1/volumes",
                (409, 500),
                "external_id_taken",
                "external ID \"i\" of plugin \"disk\" already exists as volume \"idle\"",
            ),
        ),
        with(
            volume("idle", json!({"Name": "x"})),
            failure(
                "PUT /v1/volumes",
                (409, 500),
                "volume_conflict",
                "unable to update volume: 1 error occurred:\n\t* volume name cannot be updated\n\n",
            ),
        ),
        with(
            volume("x", json!({})),
            failure(
                "PUT /v1/volume/csi/x/create",
                (507, 500),
                "driver_exhausted",
                "1 error occurred:\n\t* controller create volume: CSI.ControllerCreateVolume: unable to provision \"x\" in accessible_topology: rpc error: code = ResourceExhausted desc = no\n\n",
            ),
        ),
        with(
            json!({"Snapshots": [null]}),
            failure(
                "PUT /v1/volumes/snapshot",
                (400, 500),
                "missing_field",
                "snapshot cannot be nil",
            ),
        ),
    ]
}

/// Weakness W25.
#[tokio::test]
async fn each_failure_has_its_true_status_or_nomads_and_is_json_for_who_accepts_it() {
    for style in [StatusStyle::True, StatusStyle::Nomad] {
        let rig = Rig::start_with(|_| {}, |config| config.status = style).await;
        let no = |code| Reply::refuse(code, "no");
        rig.driver
            .always(Call::CreateVolume, no(Code::ResourceExhausted));
        rig.driver
            .always(Call::DeleteVolume, no(Code::FailedPrecondition));
        rig.driver.always(Call::ListVolumes, no(Code::Unavailable));
        rig.register("db", json!({})).await.unwrap();
        rig.register("idle", json!({"ExternalID": "i"}))
            .await
            .unwrap();
        rig.server.claim(&writer("db", "alloc-1")).await;
        for Failure {
            method,
            path,
            body,
            status,
            nomad,
            code,
            text,
        } in failures()
        {
            let expected = match style {
                StatusStyle::True => status,
                StatusStyle::Nomad => nomad,
            };
            for accept in [
                None,
                Some("text/plain"),
                Some("*/*"),
                Some("application/json"),
                Some("text/html, application/json;q=0.9"),
            ] {
                let mut ask = rig.server.ask(method, path);
                if let Some(body) = &body {
                    ask = ask.json(body);
                }
                if let Some(accept) = accept {
                    ask = ask.header("Accept", accept);
                }
                let answer = ask.send().await;
                assert_eq!(
                    answer.status,
                    expected,
                    "{method} {path}: {}",
                    answer.text()
                );
                if accept.is_some_and(|accept| accept != "text/plain") {
                    assert_eq!(answer.header("content-type"), Some("application/json"));
                    let error = answer.error();
                    assert_eq!(
                        (error.code.as_str(), error.message.as_str()),
                        (code, text),
                        "{method} {path}"
                    );
                } else {
                    assert_eq!(
                        answer.header("content-type"),
                        Some("text/plain; charset=utf-8")
                    );
                    assert_eq!(answer.text(), text, "{method} {path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_error_names_what_it_concerns() {
    let rig = Rig::start().await;
    let ask = |method, path, body: Value| {
        let ask = rig.server.ask(method, path).wanting_json();
        async move { ask.json(&body).send().await.error() }
    };
    let unknown = ask(
        "PUT",
        "/v1/volumes",
        json!({"Volumes": [sent("x", json!({"PluginID": "nope"}))]}),
    )
    .await;
    assert_eq!(
        (unknown.volume.as_deref(), unknown.plugin.as_deref()),
        (Some("x"), Some("nope"))
    );
    let missing = ask("GET", "/v1/volume/csi/x", json!({})).await;
    assert_eq!(
        (missing.volume.as_deref(), missing.plugin.as_deref()),
        (Some("x"), None)
    );
    let detach = ask("DELETE", "/v1/volume/csi/x/detach?node=n7", json!({})).await;
    assert_eq!(
        (detach.volume.as_deref(), detach.node.as_deref()),
        (Some("x"), Some("n7"))
    );
    let plugin = ask("GET", "/v1/plugin/csi/nope", json!({})).await;
    assert_eq!(plugin.plugin.as_deref(), Some("nope"));

    rig.driver
        .script(Call::CreateVolume, Reply::refuse(Code::Internal, "no"));
    let failed = ask(
        "PUT",
        "/v1/volume/csi/x/create",
        json!({"Volumes": [sent("x", json!({}))]}),
    )
    .await;
    assert_eq!(
        (failed.volume.as_deref(), failed.plugin.as_deref()),
        (Some("x"), Some("disk"))
    );
    let operation = failed.operation.unwrap();
    let read = rig
        .client()
        .read_operation()
        .operation_id(&operation)
        .send()
        .await
        .unwrap();
    assert_eq!(read.state, "failed");
}
