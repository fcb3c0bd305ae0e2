//! Failed logins: the address that they come from has to wait, and nobody else.

use crate::asker::{ask, client};
use crate::server::TestServer;
use jiff::SignedDuration;
use saddlebag::acl::Limits;
use saddlebag::clock::Clock;
use std::time::Duration;

const FOREIGN: &str = "bbbbbbbb-9999-4222-8333-bbbbbbbbbbbb";
const FREE: usize = 3;

/// A server where time stands, and the secret of its first token, which was let in.
async fn slow() -> (TestServer, String) {
    let server = TestServer::start_at(Clock::stopped(), |config| {
        config.acl_enabled = true;
        config.failed_logins = Limits {
            free: FREE,
            longest_pause: Duration::from_secs(4),
            forgotten_after: Duration::from_secs(60),
        };
    })
    .await;
    let first = server.client.bootstrap_acl().send().await.unwrap();
    let secret = first.into_inner().secret_id;
    (server, secret)
}

/// What a request with this secret is answered: the status and, of a refusal, its code.
async fn answered(server: &TestServer, secret: &str) -> (u16, String) {
    let (status, body) = ask(server, "GET", "/v1/acl/tokens", Some(secret), None).await;
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

fn denied() -> (u16, String) {
    (403, "permission_denied".to_owned())
}

fn slowed() -> (u16, String) {
    (403, "too_many_failed_logins".to_owned())
}

fn let_in() -> (u16, String) {
    (200, String::new())
}

#[tokio::test]
async fn after_a_few_failed_logins_the_next_is_looked_at_after_a_pause_that_grows() {
    let (server, secret) = slow().await;
    for _ in 0..FREE {
        assert_eq!(answered(&server, FOREIGN).await, denied());
    }
    for pause in [1, 2, 4, 4] {
        assert_eq!(answered(&server, FOREIGN).await, denied());
        let almost = SignedDuration::from_millis(pause * 1000 - 1);
        for step in [SignedDuration::ZERO, almost] {
            server.clock.advance(step);
            assert_eq!(answered(&server, FOREIGN).await, slowed());
            // A right one is told as little, unless it was let in before.
            assert_eq!(answered(&server, &secret).await, slowed());
        }
        server.clock.advance(SignedDuration::from_millis(1));
    }
    assert_eq!(answered(&server, &secret).await, let_in());
    let (_, told) = ask(&server, "GET", "/v1/acl/token/self", Some("no-uuid"), None).await;
    assert_eq!(told["code"], "permission_denied");
    let (status, told) = ask(&server, "GET", "/v1/acl/token/self", Some(FOREIGN), None).await;
    assert_eq!(
        (status, &told["code"]),
        (403, &"too_many_failed_logins".into())
    );
    let text = "Permission denied: too many requests came from this address with what is no token; \
                the next one is looked at in 4 s";
    assert_eq!(
        (&told["message"], &told["retryable"]),
        (&text.into(), &true.into())
    );
}

#[tokio::test]
async fn who_was_let_in_before_goes_on_and_so_does_who_sends_nothing() {
    let (server, secret) = slow().await;
    assert_eq!(answered(&server, &secret).await, let_in());
    while answered(&server, FOREIGN).await != slowed() {}
    let management = client(&server, &secret);
    let another = management
        .create_token()
        .body_map(|body| body.type_("management".to_owned()));
    let another = another.send().await.unwrap().into_inner().secret_id;
    assert_eq!(answered(&server, &another).await, slowed());
    let (status, _) = ask(&server, "GET", "/v1/acl/token/self", None, None).await;
    assert_eq!(status, 200);
    // What needs no token is answered, whatever is sent.
    let (status, _) = ask(&server, "GET", "/v1/agent/health", Some(FOREIGN), None).await;
    assert_eq!(status, 200);
    server.clock.advance(SignedDuration::from_secs(4));
    assert_eq!(answered(&server, &another).await, let_in());
}

#[tokio::test]
async fn an_address_is_forgotten_some_time_after_its_last_failure() {
    let (server, _) = slow().await;
    while answered(&server, FOREIGN).await != slowed() {}
    server.clock.advance(SignedDuration::from_secs(60));
    for _ in 0..FREE + 1 {
        assert_eq!(answered(&server, FOREIGN).await, denied());
    }
    assert_eq!(answered(&server, FOREIGN).await, slowed());
}
