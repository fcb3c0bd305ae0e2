//! The edge put together behind a real socket, against answers recorded from a real Nomad.

use crate::routes::router;
use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use flate2::read::{DeflateDecoder, GzDecoder};
use saddlebag::http::edge::{Answer, Asked, Guard, Query, Refusal, Routed, Router, finish, plain};
use std::{io::Read as _, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A front door that answers `[]` for every operation, and a long list for `list_external`.
async fn front_door() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Arc::new(router());
    let door =
        axum::Router::new().fallback(move |request: Request| answer(router.clone(), request));
    tokio::spawn(async move { axum::serve(listener, door).await });
    address
}

async fn answer(router: Arc<Router<&'static str>>, request: Request) -> Response {
    let (uri, headers) = (request.uri(), request.headers());
    let asked = Asked::of(headers, &Query::parse(uri.query()));
    let answer = match Guard::default().admit(uri, headers) {
        Err(refusal) => refused(&refusal),
        Ok(()) => routed(&router, request.method(), uri.path(), uri.query()),
    };
    finish(plain(answer), asked).await
}

fn refused(refusal: &Refusal) -> Answer {
    Answer::text(refusal.status(), refusal.to_string())
}

fn routed(
    router: &Router<&'static str>,
    method: &Method,
    path: &str,
    query: Option<&str>,
) -> Answer {
    match router.route(method, path, query) {
        Routed::Found {
            value: &"list_external",
            ..
        } => Answer::json(StatusCode::OK, long_list()),
        Routed::Found {
            value: &"deregister",
            ..
        } => Answer::empty(StatusCode::OK),
        Routed::Found { .. } => Answer::json(StatusCode::OK, "[]"),
        Routed::Redirect(redirect) => redirect.answer(method),
        Routed::NotFound { text: "" } => Answer::empty(StatusCode::NOT_FOUND),
        Routed::NotFound { text } => Answer::text(StatusCode::NOT_FOUND, text),
        Routed::MethodNotAllowed { allow } => {
            let mut answer = Answer::text(StatusCode::METHOD_NOT_ALLOWED, "Invalid method");
            let allow = HeaderValue::from_str(
                &allow
                    .iter()
                    .map(Method::as_str)
                    .collect::<Vec<_>>()
                    .join(", "),
            );
            answer.headers.insert(header::ALLOW, allow.unwrap());
            answer
        }
        Routed::Malformed(refusal) => refused(&refusal),
    }
}

/// Over 64 KiB, so that it is compressed beside the runtime's threads.
fn long_list() -> String {
    let rows: Vec<String> = (0..4000)
        .map(|row| format!("{{\"ID\":\"vol-{row}\",\"Tags\":[]}}"))
        .collect();
    format!("[{}]", rows.join(","))
}

/// A response as it came over the socket.
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

async fn ask(address: SocketAddr, method: &str, target: &str, headers: &str) -> Reply {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    socket.read_to_end(&mut reply).await.unwrap();
    let end = reply
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(reply[..end].to_vec()).unwrap();
    Reply {
        status: head[9..12].parse().unwrap(),
        head,
        body: reply[end + 4..].to_vec(),
    }
}

const TEXT: Option<&str> = Some("text/plain; charset=utf-8");
const HTML: Option<&str> = Some("text/html; charset=utf-8");
const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn odd_requests_are_answered_as_a_real_nomad_answers_them() {
    let address = front_door().await;
    for (method, target, status, content_type, body) in [
        (
            "GET",
            "/v1/plugin/csi",
            307,
            HTML,
            "<a href=\"/v1/plugin/csi/\">Temporary Redirect</a>.\n\n",
        ),
        (
            "GET",
            "/v1/volume/csi",
            307,
            HTML,
            "<a href=\"/v1/volume/csi/\">Temporary Redirect</a>.\n\n",
        ),
        ("GET", "/v1/plugin/csi/hp0/x", 200, JSON, "[]"),
        (
            "GET",
            "/v1/plugin/csi/hp0/x/y",
            404,
            TEXT,
            "resource not found",
        ),
        ("GET", "/v1/plugin/csi/h%70%30", 200, JSON, "[]"),
        ("PUT", "/v1/plugins?type=csi", 405, TEXT, "Invalid method"),
        (
            "OPTIONS",
            "/v1/plugins?type=csi",
            405,
            TEXT,
            "Invalid method",
        ),
        ("PATCH", "/v1/plugin/csi/hp0", 405, TEXT, "Invalid method"),
        ("GET", "/v1/nonsense", 404, None, ""),
        ("GET", "/v1/plugins/", 404, None, ""),
        ("GET", "/v1/volumes/", 404, None, ""),
        ("GET", "/v1/volumes/snapshot/", 404, None, ""),
        ("POST", "/v1/volume/csi/x", 405, TEXT, "Invalid method"),
        (
            "GET",
            "/v1/volume/csi/x/create",
            405,
            TEXT,
            "Invalid method",
        ),
        (
            "DELETE",
            "/v1/volume/csi/x/create",
            404,
            TEXT,
            "resource not found",
        ),
        (
            "PUT",
            "/v1/volume/csi/x/delete",
            404,
            TEXT,
            "resource not found",
        ),
        ("GET", "/v1/volume/csi/x/", 405, TEXT, "Invalid method"),
        ("PUT", "/v1/volume/csi/x/", 404, TEXT, "resource not found"),
        (
            "GET",
            "/v1/volume/csi/x/y/z",
            404,
            TEXT,
            "resource not found",
        ),
        (
            "PUT",
            "/v1/volume/csi/a%2Fb/create",
            404,
            TEXT,
            "resource not found",
        ),
        ("GET", "/v1/volume/csi/web[0]", 200, JSON, "[]"),
        ("GET", "/v1/volume/csi/v-%C3%A9", 200, JSON, "[]"),
        ("DELETE", "/v1/volume/csi/x", 200, None, ""),
    ] {
        let reply = ask(address, method, target, "").await;
        let place = format!("{method} {target}");
        assert_eq!(reply.status, status, "{place}");
        assert_eq!(reply.header("content-type"), content_type, "{place}");
        assert_eq!(reply.text(), body, "{place}");
        assert_eq!(
            reply.header("content-length"),
            Some(body.len().to_string().as_str()),
            "{place}"
        );
        assert_eq!(reply.header("vary"), Some("Accept-Encoding"), "{place}");
    }
}

#[tokio::test]
async fn head_has_a_length_and_no_body() {
    let address = front_door().await;
    for (target, status, length) in [
        ("/v1/plugins?type=csi", 405, "14"),
        ("/v1/volumes?type=csi", 405, "14"),
        ("/v1/volumes", 200, "2"),
    ] {
        let reply = ask(address, "HEAD", target, "").await;
        assert_eq!(reply.status, status, "{target}");
        assert_eq!(reply.header("content-length"), Some(length), "{target}");
        assert!(reply.body.is_empty(), "{target}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let address = front_door().await;
    let reply = ask(address, "PATCH", "/v1/volumes", "").await;
    assert_eq!(reply.header("allow"), Some("GET, PUT, POST"));
    let reply = ask(address, "GET", "/v1/volume/csi/x/y", "").await;
    assert_eq!(reply.header("allow").map(str::trim), Some(""));
}

#[tokio::test]
async fn a_web_page_of_another_origin_is_turned_away() {
    let address = front_door().await;
    let foreign = "Origin: http://evil.example\r\n";
    assert_eq!(
        ask(address, "GET", "/v1/volumes", foreign).await.status,
        403
    );
    let own = format!("Origin: http://{address}\r\nSec-Fetch-Site: same-origin\r\n");
    assert_eq!(ask(address, "GET", "/v1/volumes", &own).await.status, 200);
}

#[tokio::test]
async fn the_first_encoding_that_nomad_knows_is_used() {
    let address = front_door().await;
    for (accepted, encoding) in [
        ("gzip", Some("gzip")),
        ("gzip, deflate", Some("gzip")),
        (" deflate ,gzip", Some("deflate")),
        ("br, gzip;q=1.0, deflate", Some("deflate")),
        ("gzip;q=1.0", None),
        ("GZIP", None),
        ("identity", None),
        ("*", None),
    ] {
        let headers = format!("Accept-Encoding: {accepted}\r\n");
        for (target, expected) in [
            ("/v1/volumes/external", long_list()),
            ("/v1/plugins", "[]".to_owned()),
            ("/v1/volume/csi/x/y/z", "resource not found".to_owned()),
        ] {
            let reply = ask(address, "GET", target, &headers).await;
            assert_eq!(reply.header("content-encoding"), encoding, "{accepted}");
            assert_eq!(reply.header("vary"), Some("Accept-Encoding"));
            let mut body = String::new();
            match encoding {
                Some("gzip") => GzDecoder::new(&*reply.body)
                    .read_to_string(&mut body)
                    .unwrap(),
                Some(_) => DeflateDecoder::new(&*reply.body)
                    .read_to_string(&mut body)
                    .unwrap(),
                None => std::io::Read::read_to_string(&mut &*reply.body, &mut body).unwrap(),
            };
            assert_eq!(body, expected, "{accepted} {target}");
        }
    }
}

#[tokio::test]
async fn an_empty_body_in_gzip_is_gos_23_bytes() {
    let address = front_door().await;
    let reply = ask(
        address,
        "DELETE",
        "/v1/volume/csi/x",
        "Accept-Encoding: gzip\r\n",
    )
    .await;
    assert_eq!(reply.header("content-length"), Some("23"));
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!(reply.header("content-type"), None);
    let mut body = Vec::new();
    GzDecoder::new(&*reply.body).read_to_end(&mut body).unwrap();
    assert!(body.is_empty());
    let reply = ask(
        address,
        "DELETE",
        "/v1/volume/csi/x",
        "Accept-Encoding: deflate\r\n",
    )
    .await;
    DeflateDecoder::new(&*reply.body)
        .read_to_end(&mut body)
        .unwrap();
    assert!(body.is_empty() && !reply.body.is_empty());
}

#[tokio::test]
async fn who_accepts_json_gets_an_empty_body_uncompressed() {
    let address = front_door().await;
    for encoding in ["gzip", "deflate"] {
        let headers = format!("Accept: application/json\r\nAccept-Encoding: {encoding}\r\n");
        let reply = ask(address, "DELETE", "/v1/volume/csi/x", &headers).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-length"), Some("0"));
        assert_eq!(reply.header("content-encoding"), None);
    }
}

#[tokio::test]
async fn pretty_indents_json_and_nothing_else() {
    let address = front_door().await;
    let reply = ask(address, "GET", "/v1/volumes/external?pretty", "").await;
    let parsed: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(
        parsed,
        serde_json::from_str::<serde_json::Value>(&long_list()).unwrap()
    );
    assert!(
        reply
            .text()
            .starts_with("[\n    {\n        \"ID\": \"vol-0\",\n        \"Tags\": []\n    },\n")
    );
    assert!(reply.text().ends_with("\n    }\n]\n"));
    assert_eq!(
        ask(address, "GET", "/v1/plugins?pretty", "").await.text(),
        "[]\n"
    );
    assert_eq!(
        ask(address, "GET", "/v1/plugins?pretty=0", "").await.text(),
        "[]"
    );
    assert_eq!(
        ask(address, "PUT", "/v1/plugins?pretty", "").await.text(),
        "Invalid method"
    );
}

#[tokio::test]
async fn strings_and_empty_containers_keep_their_shape_when_indented() {
    let json = r#"{"a":"[{,:}]\"\\","b":{},"c":[[],{"d":[1,-2.5e3,null]}]}"#;
    let asked = Asked::of(&Default::default(), &Query::parse(Some("pretty")));
    let response = finish(plain(Answer::json(StatusCode::OK, json)), asked).await;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    let expected = r#"{
    "a": "[{,:}]\"\\",
    "b": {},
    "c": [
        [],
        {
            "d": [
                1,
                -2.5e3,
                null
            ]
        }
    ]
}
"#;
    assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
}
