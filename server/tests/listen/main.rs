//! Connections as clients see them, on real sockets.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod parting;
mod tls;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, Response};
use saddlebag::http::listen::{Limits, serve};
use saddlebag::tls::Certificates;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A listener whose service answers at once with the request's path, except for `/held`: that waits for
/// [`Door::release`], and `/long`: that is an answer without end. It reads no bodies.
struct Door {
    address: SocketAddr,
    stop: CancellationToken,
    release: watch::Sender<bool>,
    held: mpsc::UnboundedReceiver<()>,
    /// Cancelled when an answer without end was given up.
    given_up: CancellationToken,
    served: JoinHandle<()>,
}

impl Door {
    async fn open(limits: Limits) -> Self {
        Self::open_with(None, limits).await
    }

    /// With TLS, if there are certificates.
    async fn open_with(certificates: Option<Arc<Certificates>>, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (release, released) = watch::channel(false);
        let (arrived, held) = mpsc::unbounded_channel();
        let given_up = CancellationToken::new();
        let ending = given_up.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (mut released, arrived) = (released.clone(), arrived.clone());
            let ending = ending.clone();
            async move {
                if request.uri().path() == "/held" {
                    let _ = arrived.send(());
                    let _ = released.wait_for(|released| *released).await;
                }
                if request.uri().path() == "/long" {
                    return Ok(Response::new(endless(ending)));
                }
                let mut response = Response::new(Body::from(request.uri().path().to_owned()));
                let name = HeaderName::from_static("x-nomad-index");
                response.headers_mut().insert(name, HeaderValue::from(7));
                Ok::<_, Infallible>(response)
            }
        });
        let stopped = stop.clone().cancelled_owned();
        let served = tokio::spawn(serve(listener, certificates, service, limits, stopped));
        Self {
            address,
            stop,
            release,
            held,
            given_up,
            served,
        }
    }

    async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }
}

/// A body without end, which cancels this when it is dropped.
fn endless(given_up: CancellationToken) -> Body {
    let chunk = bytes::Bytes::from(vec![b'x'; 1 << 20]);
    let chunks = futures::stream::unfold(given_up.drop_guard(), move |guard| {
        let chunk = chunk.clone();
        async move { Some((Ok::<_, Infallible>(chunk), guard)) }
    });
    Body::from_stream(chunks)
}

struct Client(TcpStream);

impl Client {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    async fn ask(&mut self, path: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            .await;
    }

    /// The next response, whose body is known.
    async fn until(&mut self, body: &str) -> String {
        let mut seen = Vec::new();
        let read = async {
            while !seen.ends_with(format!("\r\n\r\n{body}").as_bytes()) {
                let more = self.0.read_buf(&mut seen).await.unwrap();
                assert_ne!(more, 0, "closed after {:?}", String::from_utf8_lossy(&seen));
            }
        };
        soon(read).await;
        String::from_utf8(seen).unwrap()
    }

    /// Everything up to the end of the connection.
    async fn rest(&mut self) -> String {
        let mut seen = Vec::new();
        soon(self.0.read_to_end(&mut seen)).await.unwrap();
        String::from_utf8(seen).unwrap()
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap()
}

#[tokio::test]
async fn one_connection_takes_many_requests_and_header_names_are_spelt_as_nomads() {
    let door = Door::open(Limits::default()).await;
    let mut client = door.connect().await;
    for path in ["/a", "/b", "/c"] {
        client.ask(path).await;
        let answer = client.until(path).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\r\nX-Nomad-Index: 7\r\n"), "{answer}");
        assert!(answer.contains("\r\nContent-Length: 2\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn requests_that_are_sent_ahead_are_answered_in_order() {
    let door = Door::open(Limits::default()).await;
    let mut client = door.connect().await;
    let ahead = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let last = "GET /b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client.send([ahead, last].concat()).await;
    let answers = client.rest().await;
    let bodies: Vec<_> = answers
        .split("\r\n\r\n")
        .filter(|part| part.starts_with('/'))
        .map(|part| &part[..2])
        .collect();
    assert_eq!(bodies, ["/a", "/b"], "{answers}");
}

#[tokio::test]
async fn at_the_end_a_request_under_way_is_answered_and_idle_connections_are_closed() {
    let mut door = Door::open(Limits::default()).await;
    let (mut held, mut idle, mut silent) = (
        door.connect().await,
        door.connect().await,
        door.connect().await,
    );
    idle.ask("/idle").await;
    idle.until("/idle").await;
    held.ask("/held").await;
    soon(door.held.recv()).await.unwrap();

    door.stop.cancel();
    assert_eq!(idle.rest().await, "");
    assert_eq!(silent.rest().await, "");
    assert!(!door.served.is_finished());
    door.release.send_replace(true);
    let answer = held.until("/held").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(held.rest().await, "");
    soon(door.served).await.unwrap();
    assert!(TcpStream::connect(door.address).await.is_err());
}

#[tokio::test]
async fn at_the_end_what_takes_too_long_is_cut() {
    let mut door = Door::open(Limits {
        drain: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let mut held = door.connect().await;
    held.ask("/held").await;
    soon(door.held.recv()).await.unwrap();
    door.stop.cancel();
    soon(door.served).await.unwrap();
    assert_eq!(held.rest().await, "");
}

#[tokio::test]
async fn who_sends_a_head_too_slowly_is_closed_and_others_are_served() {
    let door = Door::open(Limits {
        head_time: Duration::from_millis(100),
        ..Limits::default()
    })
    .await;
    let mut slow = door.connect().await;
    slow.send("GET / HTTP/1.1\r\nHost: loc").await;
    assert!(!slow.rest().await.contains(" 200 "));
    let mut prompt = door.connect().await;
    prompt.ask("/a").await;
    prompt.until("/a").await;
}

#[tokio::test]
async fn the_time_for_a_head_does_not_count_while_a_request_is_answered() {
    let mut door = Door::open(Limits {
        head_time: Duration::from_millis(100),
        ..Limits::default()
    })
    .await;
    let mut held = door.connect().await;
    held.ask("/held").await;
    soon(door.held.recv()).await.unwrap();
    // A second connection that came later runs out of time first.
    let mut slow = door.connect().await;
    slow.send("GET").await;
    slow.rest().await;
    door.release.send_replace(true);
    held.until("/held").await;
}

#[tokio::test]
async fn beyond_the_most_connections_nobody_is_let_in_until_somebody_leaves() {
    let door = Door::open(Limits {
        connections: 2,
        ..Limits::default()
    })
    .await;
    let (mut first, mut second) = (door.connect().await, door.connect().await);
    for client in [&mut first, &mut second] {
        client.ask("/a").await;
        client.until("/a").await;
    }
    let mut third = door.connect().await;
    third.ask("/b").await;
    let early = tokio::time::timeout(Duration::from_millis(200), third.until("/b")).await;
    assert!(early.is_err(), "{early:?}");
    drop(first);
    third.until("/b").await;
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_one_more_is_told_what_nomad_tells() {
    let door = Door::open(Limits {
        connections_per_address: 2,
        ..Limits::default()
    })
    .await;
    let (mut first, mut second) = (door.connect().await, door.connect().await);
    for client in [&mut first, &mut second] {
        client.ask("/a").await;
        client.until("/a").await;
    }
    let mut third = door.connect().await;
    third.ask("/b").await;
    let told = third.rest().await;
    assert!(
        told.starts_with("HTTP/1.1 429 Too Many Requests\r\n"),
        "{told}"
    );
    assert!(told.contains("\r\nContent-Type: text/plain\r\n"), "{told}");
    let text = "Your IP is issuing too many concurrent connections, please rate limit your calls\n";
    assert!(told.ends_with(&format!("\r\n\r\n{text}")), "{told}");

    drop(first);
    soon(async {
        loop {
            let mut client = door.connect().await;
            client.ask("/c").await;
            let mut answer = [0; 12];
            client.0.read_exact(&mut answer).await.unwrap();
            if &answer == b"HTTP/1.1 200" {
                return;
            }
        }
    })
    .await;
    second.ask("/d").await;
    second.until("/d").await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_431_and_one_that_is_no_http_is_400() {
    let door = Door::open(Limits::default()).await;
    let large = format!("X-Large: {}\r\n", "x".repeat(Limits::default().most_head()));
    let many = "X-Many: x\r\n".repeat(200);
    for (headers, status) in [
        (large.as_str(), "431"),
        (many.as_str(), "431"),
        ("no colon\r\n", "400"),
        ("Content-Length: x\r\n", "400"),
    ] {
        let mut client = door.connect().await;
        let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        client.send(head).await;
        let answer = client.rest().await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_client_that_goes_away_harms_nobody() {
    let door = Door::open(Limits::default()).await;
    for sent in [
        "",
        "GET / HT",
        "GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let mut client = door.connect().await;
        client.send(sent).await;
    }
    let mut client = door.connect().await;
    client.ask("/a").await;
    client.until("/a").await;
    door.stop.cancel();
    soon(door.served).await.unwrap();
}
