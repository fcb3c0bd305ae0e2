//! The front as a whole: methods, redirects, compression, and the headers of answers.

use crate::rig::{Rig, sent};
use serde_json::json;
use std::io::Read as _;

#[tokio::test]
async fn methods_that_a_route_has_not_are_405_and_say_which_it_has() {
    let rig = Rig::start().await;
    for (method, path, allow) in [
        ("PUT", "/v1/plugins", "GET"),
        ("OPTIONS", "/v1/plugins", "GET"),
        ("POST", "/v1/plugin/csi/disk", "GET"),
        ("DELETE", "/v1/volumes", "GET, POST, PUT"),
        ("OPTIONS", "/v1/volumes?type=csi", "GET, POST, PUT"),
        ("POST", "/v1/volume/csi/x", "DELETE, GET, PUT"),
        ("PATCH", "/v1/volumes/snapshot", "DELETE, GET, POST, PUT"),
        ("POST", "/v1/volume/csi/x/create", "PUT"),
        ("GET", "/v1/volume/csi/x/delete", "DELETE"),
    ] {
        let answer = rig.server.ask(method, path).send().await;
        assert_eq!(
            (answer.status, answer.text()),
            (405, "Invalid method"),
            "{method} {path}"
        );
        let mut allowed: Vec<_> = answer.header("allow").unwrap().split(", ").collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(", "), allow, "{method} {path}");
    }
    for (path, status) in [
        ("/v1/volumes", 200),
        ("/v1/volumes?type=csi", 405),
        ("/v1/volume/csi/x", 405),
        ("/v1/plugins", 405),
    ] {
        let answer = rig.server.ask("HEAD", path).send().await;
        assert_eq!((answer.status, answer.text()), (status, ""), "HEAD {path}");
    }
    for (method, path) in [
        ("PUT", "/v1/volume/csi/x/delete"),
        ("DELETE", "/v1/volume/csi/x/create"),
        ("GET", "/v1/volume/csi/x/y/z"),
    ] {
        let answer = rig.server.ask(method, path).send().await;
        assert_eq!(
            (answer.status, answer.text()),
            (404, "resource not found"),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn paths_that_lead_elsewhere_are_redirected_and_those_that_lead_nowhere_are_404() {
    let rig = Rig::start().await;
    for (method, path, location, body) in [
        (
            "GET",
            "/v1/volume/csi",
            "/v1/volume/csi/",
            "<a href=\"/v1/volume/csi/\">Temporary Redirect</a>.\n\n",
        ),
        (
            "GET",
            "/v1/plugin/csi?a=b",
            "/v1/plugin/csi/?a=b",
            "<a href=\"/v1/plugin/csi/?a=b\">Temporary Redirect</a>.\n\n",
        ),
        ("PUT", "/v1/volume/csi", "/v1/volume/csi/", ""),
        (
            "GET",
            "/v1//volumes?type=csi",
            "/v1/volumes?type=csi",
            "<a href=\"/v1/volumes?type=csi\">Temporary Redirect</a>.\n\n",
        ),
        ("DELETE", "/v1/x/../volume/csi/db", "/v1/volume/csi/db", ""),
    ] {
        let answer = rig.server.ask(method, path).send().await;
        assert_eq!(
            (answer.status, answer.header("location"), answer.text()),
            (307, Some(location), body),
            "{method} {path}"
        );
    }
    for path in [
        "/v1/nonsense",
        "/v1/volumes/",
        "/v1/plugins/",
        "/v1/volumes/snapshot/",
        "/nowhere",
    ] {
        let answer = rig
            .server
            .ask("GET", path)
            .header("Accept", "*/*")
            .send()
            .await;
        assert_eq!(
            (answer.status, answer.text(), answer.header("content-type")),
            (404, "", None),
            "{path}"
        );
    }
    let home = rig.server.ask("GET", "/").send().await;
    assert_eq!(
        (home.status, home.header("location")),
        (307, Some("/docs/"))
    );
}

#[tokio::test]
async fn answers_of_every_kind_are_compressed_for_who_asks_for_it() {
    let rig = Rig::start().await;
    rig.register("db", json!({})).await.unwrap();
    for (method, path, status) in [
        ("GET", "/v1/volume/csi/db", 200),
        ("GET", "/v1/volume/csi/nope", 404),
        ("GET", "/openapi.yaml", 200),
        ("DELETE", "/v1/volume/csi/db", 200),
    ] {
        let plain = match method {
            "GET" => rig.server.ask(method, path).send().await.body,
            _ => Vec::new(),
        };
        for encoding in ["gzip", "gzip, deflate"] {
            if method == "DELETE" && encoding != "gzip" {
                continue;
            }
            let answer = rig
                .server
                .ask(method, path)
                .header("Accept-Encoding", encoding)
                .send()
                .await;
            assert_eq!(
                (answer.status, answer.header("content-encoding")),
                (status, Some("gzip")),
                "{path}"
            );
            let mut unzipped = Vec::new();
            flate2::read::GzDecoder::new(&answer.body[..])
                .read_to_end(&mut unzipped)
                .unwrap();
            assert_eq!(unzipped, plain, "{path}");
        }
        let plainly = rig
            .server
            .ask("GET", path)
            .header("Accept-Encoding", "gzip;q=1.0")
            .send()
            .await;
        assert_eq!(
            (plainly.header("content-encoding"), plainly.header("vary")),
            (None, Some("Accept-Encoding"))
        );
    }
}

/// Every change tells the commit that it is, in the header and, where there is one, in the body.
#[tokio::test]
async fn a_change_tells_the_index_of_its_commit() {
    let rig = Rig::start().await;
    let body = json!({"Volumes": [sent("db", json!({"ExternalID": "e"}))]});
    let mut last = rig.server.control_plane.state().index.0;
    for (method, path) in [
        ("PUT", "/v1/volume/csi/db"),
        ("POST", "/v1/volumes"),
        ("DELETE", "/v1/volume/csi/db"),
        ("PUT", "/v1/volume/csi/db/create"),
        ("DELETE", "/v1/volume/csi/db/delete"),
    ] {
        let answer = rig.server.ask(method, path).json(&body).send().await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.index() > last, "{method} {path}");
        last = answer.index();
        assert_eq!(answer.header("x-nomad-knownleader"), Some("true"));
        match method {
            "DELETE" => assert_eq!((answer.text(), answer.header("content-type")), ("", None)),
            _ => {
                let answer = answer.json();
                assert_eq!(answer["Index"], last);
                assert_eq!(answer["Volumes"][0]["ModifyIndex"], last);
            }
        }
        assert_eq!(
            rig.server
                .ask("GET", "/v1/volumes?type=csi")
                .send()
                .await
                .index(),
            last
        );
    }
}
