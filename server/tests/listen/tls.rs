//! Handshakes, and those who come to none.

use crate::{Door, soon};
use jiff::SignedDuration;
use saddlebag::clock::Clock;
use saddlebag::http::listen::Limits;
use saddlebag::tls::authority::{self, Authority, Wanted};
use saddlebag::tls::{Certificates, Files};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// A server's certificate of a new authority.
fn certificates() -> Arc<Certificates> {
    certificates_at(&Clock::default())
}

/// One that is good for a day from now on.
fn certificates_at(clock: &Clock) -> Arc<Certificates> {
    let folder = tempfile::tempdir().unwrap();
    let now = clock.now();
    let wanted = Wanted {
        common_name: "localhost".to_owned(),
        names: vec!["localhost".to_owned()],
        addresses: Vec::new(),
        answers: true,
        days: 1,
    };
    let authority = Authority::open(&authority::create("ours", 1, now).unwrap()).unwrap();
    let pair = authority.issue(&wanted, now).unwrap();
    let files = Files {
        cert: folder.path().join("cert"),
        key: folder.path().join("key"),
        clients: None,
    };
    std::fs::write(&files.cert, &pair.certificate).unwrap();
    std::fs::write(&files.key, &*pair.key).unwrap();
    Arc::new(Certificates::load(files, clock.clone()).unwrap())
}

#[tokio::test]
async fn who_is_slow_at_a_handshake_is_closed_and_holds_up_nobody() {
    let door = Door::open_with(
        Some(certificates()),
        Limits {
            handshake_time: Duration::from_millis(300),
            ..Limits::default()
        },
    )
    .await;
    let mut silent = door.connect().await;
    let mut slow = door.connect().await;
    slow.send([0x16, 0x03, 0x01]).await;
    let mut other = door.connect().await;
    other.ask("/plain").await;
    assert!(other.rest().await.starts_with("HTTP/1.1 400 "));
    assert_eq!(silent.rest().await, "");
    assert_eq!(slow.rest().await, "");
}

#[tokio::test]
async fn at_the_end_a_handshake_is_not_waited_for() {
    let door = Door::open_with(Some(certificates()), Limits::default()).await;
    let mut slow = door.connect().await;
    slow.send([0x16, 0x03, 0x01]).await;
    let mut other = door.connect().await;
    other.ask("/plain").await;
    other.rest().await;
    let began = std::time::Instant::now();
    door.stop.cancel();
    assert_eq!(slow.rest().await, "");
    soon(door.served).await.unwrap();
    assert!(began.elapsed() < Limits::default().drain);
}

#[tokio::test]
async fn over_tls_one_connection_too_many_is_closed_without_a_word() {
    let limits = Limits {
        connections_per_address: 1,
        ..Limits::default()
    };
    let door = Door::open_with(Some(certificates()), limits).await;
    let _first = door.connect().await;
    for _ in 0..3 {
        let mut second = door.connect().await;
        let mut told = Vec::new();
        // Closed, or reset: what matters is that no HTTP stands where TLS is spoken.
        let _ = soon(second.0.read_to_end(&mut told)).await;
        assert_eq!(told, b"", "{}", String::from_utf8_lossy(&told));
    }
}

#[tokio::test]
async fn a_certificate_that_expires_while_it_is_used_is_noticed() {
    let clock = Clock::stopped();
    let certificates = certificates_at(&clock);
    assert_eq!(certificates.problem(), None);
    clock.advance(SignedDuration::from_hours(25));
    let problem = certificates.problem().unwrap();
    assert!(
        problem.contains("the certificate has expired, at "),
        "{problem}"
    );
    clock.advance(SignedDuration::from_hours(-26));
    let problem = certificates.problem().unwrap();
    assert!(
        problem.contains("the certificate is not good before "),
        "{problem}"
    );
}
