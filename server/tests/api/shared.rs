//! Many who wait for one thing, and those who leave. Told by counters, not by time.

use crate::rig::Rig;
use crate::server::TestServer;
use axum::body::Body;
use axum::http::{Request, Response};
use saddlebag::error::StatusStyle;
use saddlebag::http::{Front, Settings, edge, limits};
use serde_json::json;
use std::convert::Infallible;
use tower::{Service, ServiceExt};

/// The server's front without its sockets, so that nothing but memory bounds how many ask.
fn front(
    server: &TestServer,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ use<> {
    let settings = Settings {
        status: StatusStyle::True,
        region: "global".to_owned(),
        host_names: Vec::new(),
        address: "127.0.0.1:1".to_owned(),
        tls: false,
        body: edge::body::Limits::default(),
        head_bytes: 64 << 10,
        limits: limits::Limits {
            blocked_queries_per_address: usize::MAX,
            ..limits::Limits::default()
        },
        truth: None,
    };
    let front = Front::new(server.control_plane.clone(), settings).unwrap();
    front.into_service()
}

fn get(path: &str) -> Request<Body> {
    let host = "127.0.0.1";
    Request::get(path)
        .header("host", host)
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn ten_thousand_who_wait_for_one_thing_share_one_evaluation() {
    const READERS: usize = 10_000;
    let rig = Rig::start().await;
    let cp = &rig.server.control_plane;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let front = front(&rig.server);
    for path in [
        "/v1/volume/csi/db?",
        "/v1/volumes?type=csi&filter=ID+%3D%3D+db",
    ] {
        let index = cp.state().volumes_index;
        let blocked = format!("{path}&index={index}&wait=5m");
        let readers: Vec<_> = (0..READERS)
            .map(|_| tokio::spawn(front.clone().oneshot(get(&blocked))))
            .collect();
        while cp.live.watches() < READERS {
            tokio::task::yield_now().await;
        }
        assert_eq!(cp.evaluations.queries(), 1);
        let before = cp.evaluations.made();
        let changed = json!({"ExternalID": "e", "Context": {"for": path}});
        rig.register("db", changed).await.unwrap();
        for reader in readers {
            let answer = reader.await.unwrap().unwrap();
            let newer: u64 = answer.headers()["x-nomad-index"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap();
            assert!(answer.status() == 200 && newer > index.0);
        }
        let made = cp.evaluations.made() - before;
        assert!(made <= 2, "{made} evaluations of {path}"); // the register may be two commits
        assert_eq!((cp.evaluations.queries(), cp.live.watches()), (0, 0));
    }
}

#[tokio::test]
async fn a_client_that_leaves_frees_all_that_was_kept_for_it() {
    let rig = Rig::start().await;
    let cp = &rig.server.control_plane;
    let front = front(&rig.server);
    let blocked = "/v1/volumes?type=csi&index=9000000000&wait=5m";
    let readers: Vec<_> = (0..1_000)
        .map(|_| tokio::spawn(front.clone().oneshot(get(blocked))))
        .collect();
    while cp.live.watches() < readers.len() {
        tokio::task::yield_now().await;
    }
    for (left, reader) in readers.iter().enumerate() {
        reader.abort();
        if left + 1 < readers.len() {
            assert!(cp.evaluations.queries() == 1);
        }
    }
    for reader in readers {
        assert!(reader.await.unwrap_err().is_cancelled());
    }
    assert_eq!((cp.evaluations.queries(), cp.live.watches()), (0, 0));
}

/// Who asks with another token, or for something else, is given nothing of what was made for others.
#[tokio::test]
async fn only_equal_queries_of_equal_tokens_share() {
    let rig = Rig::start().await;
    let cp = &rig.server.control_plane;
    let front = front(&rig.server);
    let mut readers = Vec::new();
    for (path, token) in [
        ("/v1/volumes?type=csi&index=9000000000", "one"),
        (
            "/v1/volumes?type=csi&index=9000000001&wait=4m&pretty",
            "one",
        ),
        ("/v1/volumes?type=csi&index=9000000000", "other"),
        ("/v1/volumes?type=csi&index=9000000000&prefix=a", "one"),
        ("/v1/volume/csi/a?index=9000000000", "one"),
        ("/v1/volume/csi/b?index=9000000000", "one"),
    ] {
        let mut request = get(path);
        request
            .headers_mut()
            .insert("x-nomad-token", token.parse().unwrap());
        readers.push(tokio::spawn(front.clone().oneshot(request)));
    }
    while cp.live.watches() < readers.len() {
        tokio::task::yield_now().await;
    }
    assert_eq!(cp.evaluations.queries(), readers.len() - 1);
    for reader in &readers {
        reader.abort();
    }
}
