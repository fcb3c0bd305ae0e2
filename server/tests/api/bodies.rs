//! Bodies that no client should send, as a real Nomad was sent them: `bodies.jsonl` holds each with the
//! status that it deserves, the one that Nomad answers, and Nomad's text where it is not that of Go's
//! decoder. Nomad drops the connection of one of them (a null volume); that one is 400 here. Fields that only the
//! server sets may hold anything (design: accepted and ignored), where Nomad's decoder refuses some.

use crate::rig::{Rig, plugin};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::server::TestServer;
use saddlebag::csi::Call;
use saddlebag::error::StatusStyle;
use saddlebag::plugin::PluginType;
use serde::Deserialize;
use serde_json::json;
use tonic::Code;

/// One row of the table.
#[derive(Deserialize)]
struct Sent {
    name: String,
    /// One byte a character; none for no body at all.
    body: Option<String>,
    status: u16,
    nomad: u16,
    /// The whole text, up to what the driver says.
    text: Option<String>,
}

fn table() -> Vec<Sent> {
    let rows = include_str!("bodies.jsonl").lines();
    rows.map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// A server whose plugin `hp0` has none of the volumes that the bodies name.
async fn server(style: StatusStyle) -> (TestServer, ScriptedDriver) {
    let driver = ScriptedDriver::start();
    let no_such_volume = Reply::refuse(Code::NotFound, "no such volume");
    driver.always(Call::ValidateVolumeCapabilities, no_such_volume);
    let server = TestServer::start_with(|config| {
        config.plugins = vec![plugin("hp0", PluginType::Monolith, &driver)];
        config.status = style;
    })
    .await;
    (server, driver)
}

#[tokio::test]
async fn each_is_refused_as_it_deserves_and_nothing_is_stored() {
    for style in [StatusStyle::True, StatusStyle::Nomad] {
        let (server, _driver) = server(style).await;
        let before = server.control_plane.state().index;
        for Sent {
            name,
            body,
            status,
            nomad,
            text,
        } in table()
        {
            let mut ask = server.ask("PUT", "/v1/volume/csi/v1");
            if let Some(body) = body {
                let bytes: Vec<u8> = body.chars().map(|c| u8::try_from(c).unwrap()).collect();
                ask = ask.body(bytes);
            }
            let answer = ask.send().await;
            let expected = match style {
                StatusStyle::True => status,
                StatusStyle::Nomad => nomad,
            };
            assert_eq!(answer.status, expected, "{name}: {}", answer.text());
            assert_eq!(
                answer.header("content-type"),
                Some("text/plain; charset=utf-8")
            );
            let said = answer.text().split("rpc error").next().unwrap();
            assert!(!said.is_empty(), "{name}");
            if let Some(text) = text {
                assert_eq!(said, text, "{name}");
            }
        }
        assert_eq!(
            server.control_plane.state().index,
            before,
            "something was stored"
        );
    }
}

/// The other routes that take bodies read them with the same eyes.
#[tokio::test]
async fn no_route_answers_500_to_any_of_them() {
    let (server, driver) = server(StatusStyle::True).await;
    let no = Reply::refuse(Code::InvalidArgument, "no");
    driver.always(Call::CreateVolume, no.clone());
    driver.always(Call::CreateSnapshot, no);
    for Sent { name, body, .. } in table() {
        let body: Vec<u8> = body
            .unwrap_or_default()
            .chars()
            .map(|c| u8::try_from(c).unwrap())
            .collect();
        for (method, path) in [
            ("PUT", "/v1/volume/csi/v1/create"),
            ("PUT", "/v1/volumes"),
            ("POST", "/v1/volumes"),
            ("PUT", "/v1/volumes/snapshot"),
            ("POST", "/v1/volumes/snapshot"),
            ("PUT", "/v1/volumes/snapshot/v1"),
            ("PUT", "/v1/volume/csi/v1/snapshot"),
        ] {
            let answer = server.ask(method, path).body(body.clone()).send().await;
            let no_snapshots = path.contains("snapshot") && answer.status == 200;
            assert!(
                no_snapshots || (400..500).contains(&answer.status),
                "{name}: {path}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
    assert_eq!(server.ids().await, [""; 0]);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413_and_the_server_goes_on() {
    let rig = Rig::start().await;
    let mut body = br#"{"Volumes":[{"ID":""#.to_vec();
    body.resize(64 * 1024 * 1024, b'x');
    let answer = rig
        .server
        .http
        .put(rig.server.at("/v1/volumes"))
        .body(body)
        .send()
        .await;
    assert_eq!(answer.unwrap().status().as_u16(), 413);
    let huge = json!({"Parameters": {"novel": "x".repeat(300 * 1024)}});
    let created = rig.create("db", huge).await;
    let (status, error) = crate::server::refusal(created);
    assert_eq!((status, error.code.as_str()), (413, "body_too_large"));
    rig.create("db", json!({})).await.unwrap();
}
