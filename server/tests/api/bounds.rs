//! What a request may be, and how much may wait: each bound is told, and who keeps within it is answered.

use crate::rig::{Rig, described};
use crate::scripted_driver::Reply;
use crate::server::{TestServer, refusal};
use futures::future::{Either, select};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use saddlebag::csi::Call;
use serde_json::{Value, json};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_url_that_is_too_long_is_414_and_a_head_that_is_too_large_431_with_words() {
    let server = TestServer::start_with(|config| {
        config.requests.url_bytes = 2_000;
        config.connections.head_bytes = 8_000;
    })
    .await;
    let url = |length: usize| format!("/v1/volumes?type=csi&prefix={}", "x".repeat(length - 28));
    let fits = server.ask("GET", &url(2_000)).send().await;
    assert_eq!(fits.status, 200, "{}", fits.text());
    for method in ["GET", "PUT", "BREW"] {
        let long = url(2_001);
        let long = server.ask(method, &long).wanting_json().send().await;
        let error = long.error();
        assert_eq!((long.status, error.code.as_str()), (414, "url_too_long"));
        let text = "the URL has 2001 bytes, and at most 2000 are taken";
        assert_eq!((error.message.as_str(), error.retryable), (text, false));
    }
    let value = "x".repeat(7_000);
    let ask = server.ask("GET", "/v1/regions");
    assert_eq!(ask.header("X-Large", &value).send().await.status, 200);
    for length in [8_000, 12_000] {
        let value = "x".repeat(length);
        let ask = server.ask("GET", "/v1/regions").wanting_json();
        let large = ask.header("X-Large", &value).send().await;
        let error = large.error();
        assert_eq!((large.status, error.code.as_str()), (431, "head_too_large"));
        assert!(error.message.ends_with("and at most 8000 are taken"));
    }
    let beyond = "x".repeat(20_000);
    let ask = server.ask("GET", "/v1/regions").header("X-Large", &beyond);
    let beyond = ask.send().await;
    assert_eq!((beyond.status, beyond.text()), (431, ""));
}

#[tokio::test]
async fn how_deep_a_body_is_and_how_much_it_holds_is_bounded_as_configured() {
    let rig = Rig::start_with(
        |_| {},
        |config| {
            config.requests.json_depth = 10;
            config.requests.items = 2;
        },
    )
    .await;
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!("{{\"text\": \"[[[[[\\\"[[[[[[[[\",\n \"Unknown\": {open}{close}}}")
    };
    let put = async |body: String| {
        let ask = rig.server.ask("PUT", "/v1/volumes").wanting_json();
        let answer = ask.body(body).send().await;
        (answer.status, answer.error().message)
    };
    assert_eq!(
        put(nested(10)).await,
        (400, "missing volume definition".to_owned())
    );
    let text = "the request body is nested deeper than 10 levels (line 2, column 22)";
    assert_eq!(put(nested(11)).await, (400, text.to_owned()));
    // As before, what follows the first value is not looked at.
    let followed = format!("{{}} {}", nested(11));
    let text = "missing volume definition".to_owned();
    assert_eq!(put(followed).await, (400, text));

    let described = |id: &str| described(id, json!({}));
    let two = vec![described("a"), described("b")];
    rig.server.create_all(two).await.unwrap();
    let three = vec![described("c"), described("d"), described("e")];
    let (status, error) = refusal(rig.server.create_all(three).await);
    assert_eq!((status, error.code.as_str()), (400, "invalid_request"));
    assert_eq!(error.message, "the request holds 3 volumes, more than 2");
    let snapshots: Vec<Value> = ["a", "b", "c"]
        .map(|id| json!({"SourceVolumeID": id, "Name": id}))
        .into();
    let body = json!({ "Snapshots": snapshots });
    let ask = rig.server.ask("PUT", "/v1/volumes/snapshot");
    let answer = ask.json(&body).send().await;
    let text = "the request holds 3 snapshots, more than 2";
    assert_eq!((answer.status, answer.text()), (400, text));
    assert_eq!(rig.server.ids().await, ["a", "b"]);
}

/// One connection of HTTP/1.1 that is kept alive.
struct Client(SendRequest<Empty<Bytes>>);

impl Client {
    async fn of(server: &TestServer) -> Self {
        let address = server.url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    /// Asks, and does not wait for the whole body.
    async fn ask(&mut self, target: &str) -> Response<hyper::body::Incoming> {
        let request = Request::get(target)
            .header("Host", "localhost")
            .header("Accept", "application/json")
            .body(Empty::new())
            .unwrap();
        self.0.ready().await.unwrap();
        self.0.send_request(request).await.unwrap()
    }

    /// The status and the body's JSON.
    async fn get(&mut self, target: &str) -> (u16, Value) {
        let answer = self.ask(target).await;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

const BLOCKED: &str = "/v1/volumes?type=csi&index=1000000&wait=300s";
const PLAIN: &str = "/v1/volumes?type=csi";

#[tokio::test]
async fn one_blocked_query_too_many_is_429_and_its_connection_stays() {
    for (of_address, in_all, told) in [
        (
            2,
            16,
            "your address has 2 blocked queries and event streams, ",
        ),
        (
            16,
            2,
            "this server has 2 blocked queries and event streams, ",
        ),
    ] {
        let server = TestServer::start_with(|config| {
            config.builtin_driver = true;
            config.requests.blocked_queries_per_address = of_address;
            config.requests.blocked_queries = in_all;
        })
        .await;
        let mut first = Client::of(&server).await;
        let waiting = tokio::spawn(async move { first.get(BLOCKED).await });
        server.waiting(1).await;
        let mut second = Client::of(&server).await;
        let stream = second.ask("/v1/event/stream").await;
        assert_eq!(stream.status(), 200);

        let mut third = Client::of(&server).await;
        for target in [BLOCKED, "/v1/event/stream", BLOCKED] {
            let (status, error) = third.get(target).await;
            assert_eq!(
                (status, &error["code"]),
                (429, &json!("too_many_requests")),
                "{error}"
            );
            assert!(error["message"].as_str().unwrap().starts_with(told));
            assert_eq!(error["retryable"], true);
            // What does not wait is answered, index or not, over the same connection.
            assert_eq!(third.get(PLAIN).await.0, 200);
            let passed = format!("{PLAIN}&index=1&wait=300s");
            assert_eq!(third.get(&passed).await.0, 200);
        }

        waiting.abort();
        let _ = waiting.await;
        // That a client has left changes no state: asked until its place is free.
        let brief = format!("{PLAIN}&index=1000000&wait=1ms");
        let deadline = tokio::time::Instant::now() + crate::server::PATIENCE;
        while third.get(&brief).await.0 == 429 {
            assert!(tokio::time::Instant::now() < deadline);
        }
        drop(stream);
    }
}

#[tokio::test]
async fn beyond_the_operations_that_a_plugin_may_have_one_more_is_503_and_names_it() {
    let rig = Rig::start_with(
        |driver| driver.always(Call::CreateVolume, Reply::Hang),
        |config| {
            config.queues.of_plugin = 2;
            config.builtin_driver = true;
        },
    )
    .await;
    let create = |id: &'static str, plugin: &'static str| {
        let body = json!({"Volumes": [crate::rig::sent(id, json!({"PluginID": plugin}))]});
        let server = &rig.server;
        async move {
            let target = format!("/v1/volume/csi/{id}/create?wait=1ms");
            let ask = server.ask("PUT", &target).wanting_json();
            ask.json(&body).send().await
        }
    };
    for id in ["a", "b"] {
        assert_eq!(create(id, "disk").await.status, 504);
    }
    let third = create("c", "disk").await;
    let error = third.error();
    assert_eq!((third.status, error.code.as_str()), (503, "plugin_busy"));
    assert_eq!(error.plugin.as_deref(), Some("disk"));
    let text = "2 operations of CSI plugin \"disk\" are under way or wait, and no more may: ask again later";
    assert_eq!(
        (error.message.contains(text), error.retryable),
        (true, true)
    );
    // Whoever asks for what is under way joins it, and another plugin has its own.
    assert_eq!(create("a", "disk").await.status, 504);
    rig.server.create("z").await;

    for operation in rig.client().list_operations().send().await.unwrap().iter() {
        let abandon = rig.client().abandon_operation();
        let abandon = abandon.operation_id(&operation.id).reason("a test's end");
        // Those that ended need no giving up.
        let _ = abandon.send().await;
    }
    assert_eq!(create("c", "disk").await.status, 504);
}

#[tokio::test]
async fn beyond_the_requests_that_may_wait_for_a_volume_one_more_is_503_and_names_it() {
    let rig = Rig::start_with(
        |driver| driver.always(Call::CreateVolume, Reply::Hang),
        |config| config.queues.of_volume = 2,
    )
    .await;
    let body = json!({"Volumes": [crate::rig::sent("a", json!({}))]});
    let create = |wait: &'static str| {
        let (server, body) = (&rig.server, &body);
        async move {
            let target = format!("/v1/volume/csi/a/create?wait={wait}");
            let ask = server.ask("PUT", &target).wanting_json();
            ask.json(body).send().await
        }
    };
    let waiting = async {
        let both = futures::future::join(create("300s"), create("300s"));
        let (one, other) = both.await;
        assert_eq!([one.status, other.status], [409, 409]);
    };
    let refused = async {
        rig.server.waiting(2).await;
        let third = create("1ms").await;
        let error = third.error();
        assert_eq!((third.status, error.code.as_str()), (503, "volume_busy"));
        assert_eq!(error.volume.as_deref(), Some("a"));
        assert!(error.operation.is_some() && error.retryable);
        assert!(
            error.message.contains("2 requests wait for "),
            "{}",
            error.message
        );
        let id = error.operation.unwrap();
        let abandon = rig.client().abandon_operation();
        let abandon = abandon.operation_id(&id).reason("a test's end");
        abandon.send().await.unwrap();
    };
    tokio::join!(waiting, refused);
}

#[tokio::test]
async fn beyond_the_questions_that_may_wait_for_a_plugin_one_more_is_503_and_names_it() {
    let rig = Rig::start_with(
        |driver| driver.always(Call::ListVolumes, Reply::Hang),
        |config| {
            config.calls_at_once = 1;
            config.queues.of_plugin = 1;
        },
    )
    .await;
    let list = || {
        let target = "/v1/volumes/external?plugin_id=disk";
        Box::pin(rig.server.ask("GET", target).wanting_json().send())
    };
    let asked = async {
        rig.driver.asked(Call::ListVolumes, 1).await;
        // Of these two one waits for its turn.
        let (refused, _waits) = select(list(), list()).await.factor_first();
        refused
    };
    let Either::Right((refused, _asks)) = select(list(), Box::pin(asked)).await else {
        panic!("a driver that hangs answered");
    };
    let error = refused.error();
    assert_eq!(
        (refused.status, error.code.as_str()),
        (503, "driver_unavailable")
    );
    assert_eq!(error.plugin.as_deref(), Some("disk"));
    let text = "as many questions wait for their turn at this plugin as may: ask again later";
    assert!(error.message.contains(text), "{}", error.message);
}

#[tokio::test]
async fn a_client_that_sends_all_of_a_body_that_is_too_large_before_it_reads_finds_its_413() {
    let server = TestServer::start_with(|_| {}).await;
    for round in 0..20 {
        // Announced, and in chunks without an end.
        let ask = server.ask("PUT", "/v1/volumes").wanting_json();
        let answer = match round % 2 {
            0 => ask.body(vec![b' '; 16 << 20]).send().await,
            _ => {
                let chunk = [format!("{:x}\r\n", 8 << 20).as_bytes(), &[b' '; 8 << 20]].concat();
                ask.chunked(chunk).send().await
            }
        };
        assert_eq!(
            (answer.status, answer.error().code.as_str()),
            (413, "body_too_large")
        );
    }
}
