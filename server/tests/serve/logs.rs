//! What is logged, and what never is.

use crate::process::Running;
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::site::Site;
use saddlebag::csi::Call;
use serde_json::Value;
use std::time::Duration;
use tonic::Code;

/// The lines so far, each of which is a JSON object.
fn lines(log: &str) -> Vec<Value> {
    let line =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    log.lines().map(line).collect()
}

/// The lines whose message has this.
fn with<'l>(lines: &'l [Value], text: &str) -> Vec<&'l Value> {
    let has = |line: &&Value| {
        line["fields"]["message"]
            .as_str()
            .unwrap_or_default()
            .contains(text)
    };
    lines.iter().filter(has).collect()
}

/// Every request that a line could tell too much of.
async fn requests(serve: &Running) {
    let client = saddlebag_client::http().build().unwrap();
    let (status, created) = serve.create("db", "local").await;
    assert_eq!(status, 200, "{created}");
    let secret = "secret-that-nobody-may-see";
    let url = format!(
        "{}/v1/volume/csi/db?index=1&token={secret}&secret={secret}",
        serve.url
    );
    let read = client.get(url).header("X-Nomad-Token", secret).send();
    assert_eq!(read.await.unwrap().status(), 200);
    assert_eq!(serve.get("/v1/nothing").await.0, 404);
    assert_eq!(serve.get(&format!("/v1/{secret}")).await.0, 404);
}

#[tokio::test]
async fn at_debug_there_is_one_line_for_each_request_and_no_secret_in_any() {
    let site = Site::new();
    site.configure("builtin_driver = true\n[log]\nlevel = \"debug\"\n");
    let serve = site.start(&[]).await;
    requests(&serve).await;
    let log = serve.stop().await.stderr;
    assert!(!log.contains("secret-that-nobody"), "{log}");
    assert!(!log.contains("never-to-be-logged"), "{log}");
    let lines = lines(&log);
    let answered = with(&lines, "answered a request");
    let told: Vec<_> = answered
        .iter()
        .map(|line| &line["fields"])
        .map(|line| {
            (
                line["method"].as_str().unwrap(),
                line["path"].as_str().unwrap(),
                &line["status"],
            )
        })
        .map(|(method, path, status)| (method, path, status.as_u64().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("PUT", "/v1/volume/csi/{volume_id}/create", 200),
            ("GET", "/v1/volume/csi/{volume_id}", 200),
            ("GET", "(none of the document)", 404),
            ("GET", "(none of the document)", 404),
        ]
    );
    let read = &answered[1]["fields"];
    assert_eq!(
        (&answered[1]["level"], &read["asked_index"]),
        (&"DEBUG".into(), &1.into())
    );
    assert!(read["index"].as_u64() > Some(1), "{read}");
    assert!(read["duration_ms"].is_u64(), "{read}");
}

#[tokio::test]
async fn a_request_whose_client_left_has_its_line_too() {
    let site = Site::new();
    site.configure("[log]\nlevel = \"debug\"\n");
    let mut serve = site.start(&[]).await;
    let url = format!("{}/v1/volumes?type=csi&index=1000000&wait=5m", serve.url);
    let client = saddlebag_client::http().build().unwrap().get(url);
    let left = client.timeout(Duration::from_millis(200)).send().await;
    assert!(left.unwrap_err().is_timeout());
    let left = "the client left before its answer";
    let log = serve.stderr.until(left).await;
    let line = log.lines().find(|line| line.contains(left)).unwrap();
    assert!(line.contains("\"asked_index\":1000000"), "{line}");
    serve.stop().await;
}

#[tokio::test]
async fn at_info_there_is_no_line_for_a_request() {
    let site = Site::new();
    site.configure("builtin_driver = true\n");
    let serve = site.start(&[]).await;
    requests(&serve).await;
    let log = serve.stop().await.stderr;
    let lines = lines(&log);
    assert!(with(&lines, "request").is_empty(), "{log}");
    assert!(lines.iter().all(|line| line["level"] != "DEBUG"), "{log}");
    assert_eq!(with(&lines, "answering at http://").len(), 2, "{log}");
}

#[tokio::test]
async fn a_line_about_a_volume_names_volume_plugin_and_node() {
    let driver = ScriptedDriver::start();
    driver.always(
        Call::CreateVolume,
        Reply::refuse(Code::ResourceExhausted, "the disk is full"),
    );
    driver.script(
        Call::CreateVolume,
        Reply::refuse(Code::Unavailable, "in a moment"),
    );
    let site = Site::new();
    site.configure(&format!(
        "[[plugin]]\nid = \"disk\"\nendpoint = \"{}\"\n[log]\nlevel = \"debug\"",
        driver.endpoint()
    ));
    let serve = site.start(&[]).await;
    assert_eq!(serve.create("db", "disk").await.0, 507);
    let log = serve.stop().await.stderr;
    let lines = lines(&log);
    let about: Vec<&Value> = lines
        .iter()
        .filter(|line| line.to_string().contains("\\\"db\\\""))
        .collect();
    for text in ["try 1", "will be tried again", "try 2", "was refused"] {
        let found = about
            .iter()
            .any(|line| line["fields"]["message"].as_str().unwrap().contains(text));
        assert!(found, "{text}: {log}");
    }
    for line in about {
        let fields = &line["fields"];
        assert_eq!(
            (&fields["volume.id"], &fields["plugin.id"]),
            (&"db".into(), &"disk".into()),
            "{line}"
        );
        assert_eq!(fields["volume.namespace"], "default", "{line}");
        assert_eq!(fields["node.id"].as_str().map(str::len), Some(36), "{line}");
    }
}

#[tokio::test]
async fn lines_for_people_are_text_and_have_no_colours_where_there_is_no_terminal() {
    let site = Site::new();
    site.configure("[log]\nformat = \"text\"\n");
    let serve = site.start(&[]).await;
    let log = serve.stop().await.stderr;
    let line = log
        .lines()
        .find(|line| line.contains("ready: answering at"))
        .unwrap();
    assert!(
        line.contains(" INFO saddlebag::cli::serve::ready: ready: "),
        "{line}"
    );
    assert!(!log.contains('\x1b') && !log.contains('{'), "{log}");
}
