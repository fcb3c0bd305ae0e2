//! Certificates as files: made by the command, and changed while a server uses them.

use crate::locked::{AUTHORITY, CERTIFICATE, KEY, Locked};
use crate::process::{PATIENCE, Running, soon};
use crate::site::reload;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use saddlebag::clock::Clock;
use saddlebag::tls::authority::{self, Authority, Wanted};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

impl Locked {
    /// Puts another pair of the same authority in the place of the server's.
    async fn renew(&self) {
        for file in [CERTIFICATE, KEY] {
            std::fs::remove_file(self.0.at(file)).unwrap();
        }
        self.make(&["cert", "create", "-server"]).await;
    }

    /// The certificate that a server shows now.
    async fn shown(&self, serve: &Running) -> Vec<u8> {
        let stream = self.connect(serve, "http/1.1").await.unwrap();
        let chain = stream.get_ref().1.peer_certificates().unwrap();
        chain[0].to_vec()
    }

    async fn until_shown_is_not(&self, serve: &Running, old: &[u8]) -> Vec<u8> {
        let changed = async {
            loop {
                let shown = self.shown(serve).await;
                if shown != old {
                    return shown;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        soon("another certificate", changed).await
    }
}

#[tokio::test]
async fn keys_are_for_their_owner_alone_and_nothing_is_overwritten() {
    let locked = Locked::new().await;
    for (file, mode) in [
        (KEY, 0o600),
        ("saddlebag-agent-ca-key.pem", 0o600),
        ("global-cli-saddlebag-key.pem", 0o600),
        (CERTIFICATE, 0o644),
    ] {
        let seen = std::fs::metadata(locked.0.at(file)).unwrap();
        assert_eq!(
            seen.permissions().mode() & 0o777 & !0o044,
            mode & !0o044,
            "{file}"
        );
    }
    for args in [&["ca", "create"][..], &["cert", "create", "-server"]] {
        let before = crate::process::names(locked.0.path());
        let read = |file: &str| std::fs::read(locked.0.at(file)).unwrap();
        let bytes = [read(AUTHORITY), read(KEY), read(CERTIFICATE)];
        let (code, said) = locked.command(&[&["tls"], args].concat()).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("Nothing was overwritten"), "{said}");
        assert_eq!(crate::process::names(locked.0.path()), before);
        assert_eq!([read(AUTHORITY), read(KEY), read(CERTIFICATE)], bytes);
    }
    // One of the two is there: the other is not made either.
    std::fs::remove_file(locked.0.at(KEY)).unwrap();
    let (code, _) = locked.command(&["tls", "cert", "create", "-server"]).await;
    assert_eq!(code, Some(1));
    assert!(!locked.0.at(KEY).exists());
}

#[tokio::test]
async fn a_certificate_says_what_was_asked_for_and_the_authority_has_to_be_a_pair() {
    let locked = Locked::new().await;
    let said = locked
        .make(&[
            "cert",
            "create",
            "-server",
            "-region",
            "mars",
            "-days",
            "2",
            "-additional-dnsname",
            "storage.example.org",
            "-additional-ipaddress",
            "10.0.0.7",
        ])
        .await;
    assert_eq!(
        said,
        "mars-server-saddlebag.pem\nmars-server-saddlebag-key.pem\n"
    );
    locked.make(&["ca", "create", "-domain", "other"]).await;
    for (args, says) in [
        (&["-ca", "other-agent-ca.pem"][..], "do not belong together"),
        (&["-ca", CERTIFICATE, "-key", KEY], "do not belong together"),
        (&["-ca", KEY], "certificate is not readable"),
        (&["-key", AUTHORITY], "key is not readable"),
        (&["-ca", "none.pem"], "saddlebag tls ca create"),
        (&["-additional-dnsname", "a b"], "a b"),
    ] {
        let args = [&["tls", "cert", "create", "-node"], args].concat();
        let (code, said) = locked.command(&args).await;
        assert_ne!(code, Some(0), "{args:?}: {said}");
        assert!(said.contains(says), "{args:?}: {said}");
        assert!(!locked.0.at("global-node-saddlebag.pem").exists());
    }
    locked.make(&["cert", "create", "-node"]).await;
}

#[tokio::test]
async fn new_certificates_are_used_under_load_and_no_connection_is_dropped() {
    let locked = Arc::new(Locked::new().await);
    let serve = Arc::new(locked.start().await);
    let (over, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let mut clients = tokio::task::JoinSet::new();
    for lasts in [true, true, true, true, false, false] {
        let (locked, serve) = (Arc::clone(&locked), Arc::clone(&serve));
        let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
        clients.spawn(async move {
            // Who lasts keeps one connection for all its requests; the others make one for each.
            while !over.load(Ordering::Relaxed) {
                let stream = locked.connect(&serve, "http/1.1").await.unwrap();
                let (mut sender, connection) =
                    http1::handshake(TokioIo::new(stream)).await.unwrap();
                let connection = tokio::spawn(connection);
                loop {
                    let asked =
                        hyper::Request::get("/v1/plugins?type=csi").header("Host", "localhost");
                    let asked = asked.body(Empty::<Bytes>::new()).unwrap();
                    let answer = sender.send_request(asked).await.unwrap();
                    assert_eq!(answer.status(), 200);
                    answer.into_body().collect().await.unwrap();
                    answered.fetch_add(1, Ordering::Relaxed);
                    if !lasts || over.load(Ordering::Relaxed) {
                        break;
                    }
                }
                drop(sender);
                connection.await.unwrap().unwrap();
            }
        });
    }
    let mut shown = locked.shown(&serve).await;
    for _ in 0..3 {
        locked.renew().await;
        shown = locked.until_shown_is_not(&serve, &shown).await;
    }
    let so_far = answered.load(Ordering::Relaxed);
    soon("more answers", async {
        while answered.load(Ordering::Relaxed) < so_far + 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    over.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    Arc::into_inner(serve).unwrap().stop().await;
}

#[tokio::test]
async fn a_pair_that_cannot_be_used_is_told_once_and_the_old_one_stays_until_it_is_mended() {
    let locked = Locked::new().await;
    let mut serve = locked.start().await;
    let shown = locked.shown(&serve).await;
    let client_key = locked.0.at("global-cli-saddlebag-key.pem");
    std::fs::copy(client_key, locked.0.at(KEY)).unwrap();
    let told =
        format!("the old certificates stay in use: {KEY}: this is not the key of {CERTIFICATE}");
    let log = async {
        loop {
            assert_eq!(locked.shown(&serve).await, shown);
            let so_far = serve.stderr.so_far();
            if so_far.contains(&told) {
                return so_far;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, log).await.unwrap();
    // Looked at again, and not told again.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(locked.shown(&serve).await, shown);
    let log = reload(&mut serve, "the configuration was read again").await;
    let at_looks = log.matches(&told).count();
    assert_eq!(at_looks, 2, "once by itself, once at SIGHUP: {log}");
    locked.renew().await;
    reload(&mut serve, "the certificates were read again").await;
    assert_ne!(locked.shown(&serve).await, shown);
    serve.stop().await;
}

#[tokio::test]
async fn a_key_that_others_can_read_is_warned_of() {
    let locked = Locked::new().await;
    let key = locked.0.at(KEY);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let warned = locked.start().await.stop().await.stderr;
    assert!(warned.contains("set its mode to 0600"), "{warned}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let log = locked.start().await.stop().await.stderr;
    assert!(!log.contains("0600"), "{log}");
}

#[tokio::test]
async fn certificates_that_cannot_be_used_stop_the_start_and_are_told_by_check() {
    let locked = Locked::new().await;
    for (config, says) in [
        (
            "[tls]\nhttp = true",
            "tls.cert_file: the server's certificate is needed",
        ),
        (
            "[tls]\nhttp = true\ncert_file = \"none.pem\"",
            "tls.key_file: its private key is needed",
        ),
        (
            "[tls]\nhttp = true\ncert_file = \"none.pem\"\nkey_file = \"k\"",
            "none.pem: No such file",
        ),
        (
            "[tls]\nhttp = true\ncert_file = \"saddlebag.toml\"\nkey_file = \"k\"",
            "saddlebag.toml: it holds no certificate",
        ),
        ("[tls]\ncert_file = \"none.pem\"", "nothing is encrypted"),
        ("[tls]\nverify_https_client = true", "nothing is encrypted"),
        (
            "[tls]\nhttp = true\ncert_file = \"c\"\nkey_file = \"k\"\nverify_https_client = true",
            "tls.ca_file: the certificate of the clients' authority is needed",
        ),
    ] {
        locked.0.configure(config);
        let checked = locked
            .command(&["config", "check", "-c", "saddlebag.toml"])
            .await;
        for (code, said) in [checked, locked.0.refused(&[]).await] {
            assert_eq!(code, Some(1), "{config}: {said}");
            assert!(said.contains(says), "{config}: {said}");
        }
    }
}

impl Locked {
    /// Puts certificates that were good for one of the last ten days in the places of the server's and of a
    /// client's, with the authority that signed them.
    fn expire(&self) {
        let then = Clock::default().now() - SignedDuration::from_hours(240);
        let authority = authority::create("of then", 100, then).unwrap();
        let signing = Authority::open(&authority).unwrap();
        std::fs::write(self.0.at(AUTHORITY), &authority.certificate).unwrap();
        for (cert, key, answers) in [(CERTIFICATE, KEY, true), (CLIENT, CLIENT_KEY, false)] {
            let wanted = Wanted {
                common_name: "localhost".to_owned(),
                names: vec!["localhost".to_owned()],
                addresses: vec![[127, 0, 0, 1].into()],
                answers,
                days: 1,
            };
            let pair = signing.issue(&wanted, then).unwrap();
            std::fs::write(self.0.at(cert), &pair.certificate).unwrap();
            std::fs::write(self.0.at(key), &*pair.key).unwrap();
        }
    }
}

const CLIENT: &str = "global-cli-saddlebag.pem";
const CLIENT_KEY: &str = "global-cli-saddlebag-key.pem";

#[tokio::test]
async fn an_expired_certificate_is_told_by_the_server_by_check_and_by_commands() {
    let locked = Locked::new().await;
    let good = Locked::new().await;
    locked.expire();
    let expired = format!("{CERTIFICATE}: the certificate has expired, at 20");
    let checked = locked
        .command(&["config", "check", "-c", "saddlebag.toml"])
        .await;
    assert_eq!(checked.0, Some(0), "{}", checked.1);
    assert!(checked.1.contains(&expired), "{}", checked.1);

    let mut serve = locked.start().await;
    serve.stderr.until(&expired).await;
    let url = serve.url.clone();
    let list = ["plugin", "list", "-address", &url, "-ca-cert", AUTHORITY];
    let (code, said) = locked.command(&list).await;
    assert_ne!(code, Some(0), "{said}");
    assert!(
        said.contains("the server's certificate has expired"),
        "{said}"
    );

    for file in [AUTHORITY, CERTIFICATE, KEY] {
        std::fs::copy(good.0.at(file), locked.0.at(file)).unwrap();
    }
    reload(&mut serve, "the certificates were read again").await;
    let (code, said) = locked.command(&list).await;
    assert_eq!(code, Some(0), "{said}");
    serve.stop().await;
}

#[tokio::test]
async fn an_expired_certificate_of_a_client_is_refused_and_the_command_says_why() {
    let locked = Locked::new().await;
    let good = Locked::new().await;
    locked.expire();
    std::fs::copy(locked.0.at(AUTHORITY), locked.0.at("clients.pem")).unwrap();
    for file in [AUTHORITY, CERTIFICATE, KEY] {
        std::fs::copy(good.0.at(file), locked.0.at(file)).unwrap();
    }
    locked.configure("ca_file = \"clients.pem\"\nverify_https_client = true");
    let serve = locked.start().await;
    let list = [
        "plugin", "list", "-address", &serve.url, "-ca-cert", AUTHORITY,
    ];
    let shown = ["-client-cert", CLIENT, "-client-key", CLIENT_KEY];
    let (_, said) = locked.refused(&[&list[..], &shown].concat()).await;
    assert!(
        said.contains("CertificateExpired") && said.contains("be good now"),
        "{said}"
    );
    serve.stop().await;
}
