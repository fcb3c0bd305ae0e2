//! What random requests found, each by itself.

use crate::server::TestServer;
use crate::wire::{Answer, Connection, Framing, Request};

fn request(method: &str, target: &str, server: &TestServer) -> Request {
    let host = server.url.trim_start_matches("http://");
    Request {
        operation: String::new(),
        method: method.to_owned(),
        target: target.as_bytes().to_vec(),
        headers: vec![(b"Host".to_vec(), host.as_bytes().to_vec())],
        body: Vec::new(),
        framing: Framing::Length,
        is_garbled: false,
    }
}

fn connection(server: &TestServer) -> Connection {
    Connection::to(server.url.trim_start_matches("http://"))
}

async fn answer(connection: &mut Connection, request: &Request) -> Answer {
    connection.exchange(request).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_body_that_nobody_asked_for_does_not_cost_the_connection() {
    let server = TestServer::start().await;
    for (method, target, status) in [
        ("PUT", "/v1/nonsense", 404),
        ("PUT", "/v1/plugins", 405),
        ("GET", "/v1/plugins?type=csi", 200),
        ("DELETE", "/v1/volume/csi/nope", 404),
    ] {
        let mut connection = connection(&server);
        let mut with_body = request(method, target, &server);
        with_body.body = vec![b' '; 900_000];
        for _ in 0..3 {
            assert_eq!(answer(&mut connection, &with_body).await.status, status);
            assert!(connection.is_open(), "{method} {target}");
        }
    }
}

#[tokio::test]
async fn an_oversized_body_is_refused_where_it_counts_and_ends_the_connection() {
    let server = TestServer::start().await;
    for (method, target, status) in [
        ("PUT", "/v1/volumes", 413),
        ("PUT", "/v1/volumes/snapshot", 413),
        ("DELETE", "/v1/volume/csi/nope", 404),
        ("GET", "/v1/plugins?type=csi", 200),
        ("PUT", "/v1/nonsense", 404),
    ] {
        for framing in [Framing::Length, Framing::Chunked] {
            let mut oversized = request(method, target, &server);
            oversized.body = vec![b' '; (1 << 20) + 1];
            oversized.framing = framing;
            let answer = answer(&mut connection(&server), &oversized).await;
            assert_eq!(answer.status, status, "{method} {target}");
            assert_eq!(answer.header("connection"), Some("close"));
        }
    }
}

#[tokio::test]
async fn whatever_is_compressed_has_the_length_of_what_is_sent() {
    let server = TestServer::start().await;
    for target in [
        "no-slash",
        "*",
        "/v1/volume/csi/x%g1",
        "/v1/plugins?type=csi",
    ] {
        for encoding in ["gzip", "deflate"] {
            for method in ["GET", "HEAD", "OPTIONS"] {
                let mut request = request(method, target, &server);
                let encoding = encoding.as_bytes().to_vec();
                request
                    .headers
                    .push((b"Accept-Encoding".to_vec(), encoding));
                let mut connection = connection(&server);
                let status = answer(&mut connection, &request).await.status;
                assert!(status < 500, "{method} {target}: {status}");
            }
        }
    }
}
