//! Web pages: while there is no access control, none of another origin may drive the server.

use crate::rig::{Rig, sent};
use crate::server::TestServer;
use serde_json::json;

#[tokio::test]
async fn a_page_of_another_origin_reaches_nothing() {
    let rig = Rig::start().await;
    let body = json!({"Volumes": [sent("db", json!({}))]});
    let before = rig.server.control_plane.state().index;
    let own = rig.server.url.clone();
    let port = own.rsplit(':').next().unwrap();
    let rebound = format!("rebound.example:{port}");
    let other_port = "http://127.0.0.1:1".to_owned();
    let foreign: [(Option<&str>, &str, &str); 8] = [
        (Some("evil.example"), "X-Nothing", "x"),
        (Some(&rebound), "X-Nothing", "x"),
        (Some(&rebound), "Sec-Fetch-Site", "same-origin"),
        (None, "Origin", "http://evil.example"),
        (None, "Origin", "null"),
        (None, "Origin", &other_port),
        (None, "Sec-Fetch-Site", "cross-site"),
        (None, "Sec-Fetch-Site", "same-site"),
    ];
    for (host, name, value) in foreign {
        for (method, path) in [
            ("GET", "/v1/volumes?type=csi"),
            ("PUT", "/v1/volume/csi/db/create"),
            ("DELETE", "/v1/volume/csi/db"),
            ("GET", "/v1/plugins?type=csi"),
            ("GET", "/openapi.yaml"),
            ("GET", "/docs/"),
            ("GET", "/nowhere"),
        ] {
            let mut ask = rig
                .server
                .ask(method, path)
                .header(name, value)
                .wanting_json();
            if let Some(host) = host {
                ask = ask.host(host);
            }
            if method == "PUT" {
                ask = ask.json(&body);
            }
            let answer = ask.send().await;
            assert_eq!(answer.status, 403, "{method} {path} {name}: {value}");
            assert_eq!(answer.error().code, "foreign_origin");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    assert_eq!(rig.server.control_plane.state().index, before);
}

#[tokio::test]
async fn the_servers_own_page_works_under_each_of_its_names() {
    let server = TestServer::start_with(|config| {
        config.builtin_driver = true;
        config.host_names = vec!["storage.example".to_owned()];
    })
    .await;
    let port = server.url.rsplit(':').next().unwrap().to_owned();
    for name in [
        "127.0.0.1",
        "localhost",
        "storage.example",
        "[::1]",
        "192.0.2.7",
    ] {
        let host = format!("{name}:{port}");
        let origin = format!("http://{host}");
        let body = json!({"Volumes": [sent("db", json!({"PluginID": "local", "RequestedCapacityMin": 1 << 20}))]});
        for (method, path) in [
            ("GET", "/docs/"),
            ("GET", "/openapi.json"),
            ("PUT", "/v1/volume/csi/db/create"),
            ("GET", "/v1/volume/csi/db"),
            ("DELETE", "/v1/volume/csi/db/delete"),
        ] {
            let ask = server
                .ask(method, path)
                .host(&host)
                .header("Origin", &origin);
            let answer = ask
                .header("Sec-Fetch-Site", "same-origin")
                .json(&body)
                .send()
                .await;
            assert_eq!(
                answer.status,
                200,
                "{method} {path} as {name}: {}",
                answer.text()
            );
        }
        let typed = server
            .ask("GET", "/docs/")
            .host(&host)
            .header("Sec-Fetch-Site", "none")
            .send()
            .await;
        assert_eq!(typed.status, 200);
    }
    let preflight = server
        .ask("OPTIONS", "/v1/volumes")
        .header("Origin", "http://evil.example")
        .header("Access-Control-Request-Method", "PUT")
        .send()
        .await;
    assert_eq!(preflight.status, 403);
}
