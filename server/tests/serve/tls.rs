//! Over TLS: who is answered, by which protocol, and what the others are told.

use crate::locked::{AUTHORITY, Locked, address, connect};
use crate::process::{Running, soon};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Uri, body::Bytes};
use hyper_util::rt::{TokioExecutor, TokioIo};
use saddlebag_client::{ClientInfo, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn request(running: &Running, path: &str) -> Request<Empty<Bytes>> {
    let uri: Uri = format!("{}{path}", running.url).parse().unwrap();
    Request::get(uri).body(Empty::new()).unwrap()
}

#[tokio::test]
async fn the_api_and_swagger_ui_are_answered_with_certificates_of_our_own_making() {
    let locked = Locked::new().await;
    let serve = locked.start().await;
    let client = locked.client(&serve, &[("NOMAD_CACERT", AUTHORITY)]);
    let plugins = client.list_plugins().type_("csi").send().await.unwrap();
    assert_eq!(plugins[0].id, "local");
    let read = async |path: String| -> serde_json::Value {
        let read = client.client().get(format!("{}{path}", serve.url));
        read.send().await.unwrap().json().await.unwrap()
    };
    let agent = read("/v1/agent/self".to_owned()).await;
    assert_eq!(agent["config"]["TLSConfig"]["EnableHTTP"], true);
    let nodes = read("/v1/nodes".to_owned()).await;
    let node = read(format!("/v1/node/{}", nodes[0]["ID"].as_str().unwrap())).await;
    assert_eq!(node["TLSEnabled"], true);
    for page in ["/docs/", "/openapi.yaml"] {
        let page = client.client().get(format!("{}{page}", serve.url));
        assert_eq!(page.send().await.unwrap().status(), 200);
    }
    let args = [
        "plugin", "list", "-address", &serve.url, "-ca-cert", AUTHORITY,
    ];
    let (code, said) = locked.command(&args).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("local"), "{said}");
    serve.stop().await;
}

#[tokio::test]
async fn one_connection_of_http_2_carries_many_requests_at_once_and_one_that_waits_holds_up_none() {
    let locked = Locked::new().await;
    let serve = locked.start().await;
    let stream = locked.connect(&serve, "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let waiting = "/v1/volumes?type=csi&index=1000000&wait=1m";
    let blocked = tokio::spawn(sender.send_request(request(&serve, waiting)));
    let asked = (0..20).map(|_| sender.send_request(request(&serve, "/v1/plugins?type=csi")));
    for answer in futures::future::join_all(asked).await {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key("x-nomad-index"));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(b"["));
    }
    assert!(!blocked.is_finished());
    // At the end who waits is answered, and the connection is closed in order.
    serve.stop().await;
    assert_eq!(
        soon("the answer", blocked).await.unwrap().unwrap().status(),
        200
    );
    soon("the end", connection).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_over_http_2_is_closed() {
    let locked = Locked::new().await;
    locked.configure("[http]\nuntaken_time = \"1s\"");
    let serve = locked.start().await;
    let stream = locked.connect(&serve, "h2").await.unwrap();
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(16 << 10)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let unread = sender.send_request(request(&serve, "/openapi.json"));
    let unread = unread.await.unwrap();
    assert_eq!(unread.status(), 200);
    // Ended in order or not: it is over, though the answer was never read.
    let _ = soon("the end", connection).await.unwrap();
    drop(unread);
    serve.stop().await;
}

#[tokio::test]
async fn http_1_1_is_spoken_with_header_names_as_nomads_and_kept_alive() {
    let locked = Locked::new().await;
    let serve = locked.start().await;
    let stream = locked.connect(&serve, "http/1.1").await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    for _ in 0..3 {
        let mut asked = request(&serve, "/v1/plugins?type=csi");
        *asked.uri_mut() = "/v1/plugins?type=csi".parse().unwrap();
        asked
            .headers_mut()
            .insert("host", "localhost".parse().unwrap());
        let answer = sender.send_request(asked).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.unwrap();
    }
    serve.stop().await;
    soon("the end", connection).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_speaks_plain_http_is_told_so() {
    let locked = Locked::new().await;
    let serve = locked.start().await;
    let mut plain = TcpStream::connect(address(&serve)).await.unwrap();
    let body = "x".repeat(100_000);
    let asked = format!(
        "PUT /v1/volumes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{body}"
    );
    plain.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon("a refusal", plain.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    let told = "\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    assert!(answer.ends_with(told), "{answer}");
    serve.stop().await;
}

/// The beginning of a handshake of TLS 1.1, which no library here speaks: a ClientHello with one cipher
/// suite of that time.
fn hello_of_tls_1_1() -> Vec<u8> {
    let mut hello = vec![0x03, 0x02];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
    let mut handshake = vec![1, 0, 0, u8::try_from(hello.len()).unwrap()];
    handshake.extend(hello);
    let mut record = vec![0x16, 0x03, 0x01, 0, u8::try_from(handshake.len()).unwrap()];
    record.extend(handshake);
    record
}

#[tokio::test]
async fn tls_1_1_is_refused_and_later_versions_are_spoken() {
    let locked = Locked::new().await;
    let serve = locked.start().await;
    let mut old = TcpStream::connect(address(&serve)).await.unwrap();
    old.write_all(&hello_of_tls_1_1()).await.unwrap();
    let mut answer = Vec::new();
    soon("an alert", old.read_to_end(&mut answer))
        .await
        .unwrap();
    // An alert and nothing else: fatal, and handshake_failure or protocol_version.
    assert!(
        matches!(answer[..], [0x15, 3, _, 0, 2, 2, 40 | 70]),
        "{answer:?}"
    );
    for version in rustls::ALL_VERSIONS {
        let stream = connect(&serve, locked.trusting(&[version])).await.unwrap();
        let spoken = stream.get_ref().1.protocol_version();
        assert_eq!(spoken, Some(version.version));
    }
    serve.stop().await;
}

#[tokio::test]
async fn only_clients_with_a_certificate_of_the_authority_are_let_in_if_that_is_asked() {
    let locked = Locked::new().await;
    locked.configure(&format!(
        "ca_file = \"{AUTHORITY}\"\nverify_https_client = true"
    ));
    let serve = locked.start().await;
    let other = ["-domain", "other"];
    locked.make(&[&["ca", "create"][..], &other].concat()).await;
    locked
        .make(&[&["cert", "create", "-cli"][..], &other].concat())
        .await;
    let ask = async |cert: &str, key: &str| {
        let client = locked.client(
            &serve,
            &[
                ("NOMAD_CACERT", AUTHORITY),
                ("NOMAD_CLIENT_CERT", cert),
                ("NOMAD_CLIENT_KEY", key),
            ],
        );
        let asked = client.list_plugins().type_("csi").send().await;
        asked.map_err(Failure::from)
    };
    let ours = ask("global-cli-saddlebag.pem", "global-cli-saddlebag-key.pem").await;
    assert_eq!(ours.unwrap()[0].id, "local");
    let told = soon("the client to be told why", async {
        loop {
            let others = ask("global-cli-other.pem", "global-cli-other-key.pem").await;
            let told = others.unwrap_err();
            if told.to_string().contains("certificate") {
                break told;
            }
        }
    })
    .await;
    assert!(
        told.to_string()
            .contains("does not take the client certificate"),
        "{told}"
    );
    assert!(!told.is_retryable());
    let args = [
        "plugin", "list", "-address", &serve.url, "-ca-cert", AUTHORITY,
    ];
    let (code, said) = locked.refused(&args).await;
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("--client-cert and --client-key"), "{said}");
    serve.stop().await;
}

#[tokio::test]
async fn a_command_says_what_is_wrong_with_a_certificate_and_which_option_helps() {
    let locked = Locked::new().await;
    let serve = locked.start().await;
    let plain = Locked::new().await;
    plain.0.configure("");
    let plain = plain.0.start(&[]).await;
    let tls = &serve.url;
    let not_https = serve.url.replace("https://", "http://");
    let not_tls = plain.url.replace("http://", "https://");
    for (args, says) in [
        (&["-address", tls][..], "--ca-cert"),
        (
            &[
                "-address",
                tls,
                "-ca-cert",
                AUTHORITY,
                "-tls-server-name",
                "other.example.org",
            ],
            "of another host",
        ),
        (
            &["-address", &not_tls, "-ca-cert", AUTHORITY],
            "use http://",
        ),
        (&["-address", &not_https], "Use https://"),
        (
            &["-address", tls, "-ca-cert", "none.pem"],
            "none.pem: No such file",
        ),
    ] {
        let (code, said) = locked.command(&[&["plugin", "list"], args].concat()).await;
        assert_ne!(code, Some(0), "{said}");
        assert!(said.contains(says), "{says}: {said}");
    }
    for args in [
        &["-address", tls, "-ca-path", "trusted"][..],
        &[
            "-address",
            tls,
            "-ca-cert",
            AUTHORITY,
            "-tls-server-name",
            "server.global.saddlebag",
        ],
        &["-address", tls, "-tls-skip-verify"],
    ] {
        std::fs::create_dir_all(locked.0.at("trusted")).unwrap();
        std::fs::copy(locked.0.at(AUTHORITY), locked.0.at("trusted/ca.pem")).unwrap();
        let (code, said) = locked.command(&[&["plugin", "list"], args].concat()).await;
        assert_eq!(code, Some(0), "{said}");
    }
    plain.stop().await;
    serve.stop().await;
}
