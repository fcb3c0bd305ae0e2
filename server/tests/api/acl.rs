//! Tokens: the first one, what becomes of them, and what is kept of them.

use crate::asker::{ask, client, guarded, policy, token};
use crate::server::{TestServer, refusal};
use jiff::SignedDuration;
use saddlebag::clock::Clock;
use serde_json::json;

const READ: &str = "namespace \"default\" { policy = \"read\" }";

#[tokio::test]
async fn the_first_token_is_made_once_and_may_do_everything() {
    let (mut server, secret) = guarded().await;
    let management = client(&server, &secret);
    let own = management.read_own_token().send().await.unwrap();
    let index = own.headers()["x-nomad-index"].to_str().unwrap().to_owned();
    assert_eq!((own.type_.as_str(), own.global), ("management", true));
    let again = || server.client.bootstrap_acl().send();
    let (status, error) = refusal(again().await);
    let text = format!("ACL bootstrap already done (reset index: {index})");
    assert_eq!((status, error.message), (400, text.clone()));
    management
        .delete_token()
        .accessor_id(&own.accessor_id)
        .send()
        .await
        .unwrap();
    let (status, error) = refusal(again().await);
    assert_eq!(
        (status, error.message),
        (400, text),
        "it was made, whatever became of it"
    );
    let (status, _) = refusal(management.list_tokens().send().await);
    assert_eq!(status, 403);

    // Whoever may write into the data folder may begin anew.
    std::fs::write(server.data().join("acl-bootstrap-reset"), &index).unwrap();
    let token = again().await.unwrap().into_inner();
    let (status, _) = refusal(again().await);
    assert_eq!(status, 400, "once for each index");
    server.restart().await;
    let management = client(&server, &token.secret_id);
    assert_eq!(management.list_tokens().send().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_is_told_once_and_kept_nowhere() {
    let (mut server, secret) = guarded().await;
    let management = client(&server, &secret);
    policy(&management, "readers", READ).await;
    let made = token(&management, &["readers"]).await;
    assert!(!made.secret_id.is_empty());
    let read = management
        .read_token()
        .accessor_id(&made.accessor_id)
        .send()
        .await
        .unwrap();
    assert_eq!((read.secret_id.as_str(), read.name.as_str()), ("", "test"));
    let own = client(&server, &made.secret_id);
    let read = own.read_own_token().send().await.unwrap();
    assert_eq!(read.secret_id, made.secret_id);
    let renamed = management
        .update_token()
        .accessor_id(&made.accessor_id)
        .body_map(|body| {
            body.accessor_id(made.accessor_id.clone())
                .name("renamed".to_owned())
                .type_("client".to_owned())
                .policies(vec!["readers".to_owned()])
        });
    assert_eq!(renamed.send().await.unwrap().secret_id, "");
    let read = own.read_own_token().send().await.unwrap();
    assert_eq!(
        (read.name.as_str(), read.create_index),
        ("renamed", made.create_index)
    );
    server.stop().await;
    let stored = std::fs::read(server.data().join("store.redb")).unwrap();
    let holds = |text: &str| {
        stored
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(holds(&made.accessor_id));
    assert!(!holds(&made.secret_id) && !holds(&secret));
}

#[tokio::test]
async fn a_token_ends_when_it_expires_and_is_forgotten_within_a_minute() {
    let clock = Clock::stopped();
    let server = TestServer::start_at(clock.clone(), |config| config.acl_enabled = true).await;
    let first = server
        .client
        .bootstrap_acl()
        .send()
        .await
        .unwrap()
        .into_inner();
    let management = client(&server, &first.secret_id);
    let made = management
        .create_token()
        .body_map(|body| {
            body.type_("management".to_owned())
                .expiration_ttl(json!("2m"))
        })
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.expiration_ttl, "2m0s");
    let life = made
        .expiration_time
        .unwrap()
        .duration_since(made.create_time);
    assert_eq!(life, SignedDuration::from_mins(2));
    let own = client(&server, &made.secret_id);
    own.list_tokens().send().await.unwrap();

    clock.advance(SignedDuration::from_mins(2));
    let (status, error) = refusal(own.list_tokens().send().await);
    assert_eq!((status, error.message.as_str()), (403, "Permission denied"));
    clock.advance(SignedDuration::from_mins(1));
    server
        .until("the token to be forgotten", |state| {
            state.tokens().count() == 1
        })
        .await;
}

#[tokio::test]
async fn nobody_is_given_a_token_for_one_use() {
    let (server, secret) = guarded().await;
    for (path, body, expected) in [
        ("/v1/acl/token/onetime", None, 400),
        ("/v1/acl/token/onetime", Some(json!({})), 400),
        (
            "/v1/acl/token/onetime/exchange",
            Some(json!({"OneTimeSecretID": secret})),
            404,
        ),
    ] {
        let (status, answer) = ask(&server, "POST", path, Some(&secret), body.as_ref()).await;
        assert_eq!(status, expected, "{path}: {answer}");
    }
}

#[tokio::test]
async fn an_expired_token_is_told_so_when_it_asks_who_it_is() {
    let clock = Clock::stopped();
    let server = TestServer::start_at(clock.clone(), |config| config.acl_enabled = true).await;
    let first = server
        .client
        .bootstrap_acl()
        .send()
        .await
        .unwrap()
        .into_inner();
    let made = client(&server, &first.secret_id)
        .create_token()
        .body_map(|body| {
            body.type_("management".to_owned())
                .expiration_ttl(json!(60_000_000_000_u64))
        })
        .send()
        .await
        .unwrap()
        .into_inner();
    clock.advance(SignedDuration::from_secs(60));
    let (status, answer) = ask(
        &server,
        "GET",
        "/v1/acl/token/self",
        Some(&made.secret_id),
        None,
    )
    .await;
    // Whichever comes first: it has expired, or it is forgotten.
    assert_eq!(status, 403);
    assert!(
        ["ACL token expired", "Permission denied"].contains(&answer["message"].as_str().unwrap()),
        "{answer}"
    );
}

#[tokio::test]
async fn whoever_has_no_token_may_do_what_the_policy_anonymous_says() {
    let (server, secret) = guarded().await;
    let list = || server.client.list_volumes().type_("csi").send();
    assert_eq!(refusal(list().await).0, 403);
    let management = client(&server, &secret);
    policy(&management, "anonymous", READ).await;
    list().await.unwrap();
    let own = server.client.list_own_policies().send().await.unwrap();
    assert_eq!(own[0].name, "anonymous");
    assert_eq!(
        refusal(
            server
                .client
                .deregister_volume()
                .volume_id("v")
                .send()
                .await
        )
        .0,
        403
    );
    management
        .delete_policy()
        .policy_name("anonymous")
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(list().await).0, 403);
}

#[tokio::test]
async fn a_token_may_do_what_its_roles_say_as_long_as_they_say_so() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    policy(&management, "readers", READ).await;
    let readers = saddlebag_client::types::PolicyLinkRequest {
        name: Some("readers".to_owned()),
    };
    let role = management
        .create_role()
        .body_map(|body| body.name("lookers".to_owned()).policies(vec![readers]))
        .send()
        .await
        .unwrap()
        .into_inner();
    let link = saddlebag_client::types::RoleLinkRequest {
        id: None,
        name: Some("lookers".to_owned()),
    };
    let made = management
        .create_token()
        .body_map(|body| body.type_("client".to_owned()).roles(vec![link]))
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.roles.unwrap()[0].id, role.id);
    let own = client(&server, &made.secret_id);
    own.list_volumes().type_("csi").send().await.unwrap();
    assert_eq!(own.list_roles().send().await.unwrap().len(), 1);
    assert_eq!(
        own.read_role().role_id(&role.id).send().await.unwrap().name,
        "lookers"
    );
    assert_eq!(
        own.read_policy()
            .policy_name("readers")
            .send()
            .await
            .unwrap()
            .name,
        "readers"
    );
    management
        .delete_role()
        .role_id(&role.id)
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(own.list_volumes().type_("csi").send().await).0, 403);
    let left = own
        .read_own_token()
        .send()
        .await
        .unwrap()
        .into_inner()
        .roles
        .unwrap();
    assert_eq!(
        (left[0].id.as_str(), left[0].name.as_str()),
        (role.id.as_str(), "")
    );
}

#[tokio::test]
async fn a_token_may_stand_in_the_body_where_no_header_has_one() {
    let (server, secret) = guarded().await;
    let body = |secret: &str| json!({ "Volumes": [], "AuthToken": secret });
    let (status, answer) = ask(&server, "PUT", "/v1/volumes", None, Some(&body(&secret))).await;
    assert_eq!(
        (status, answer["message"].as_str()),
        (400, Some("missing volume definition"))
    );
    let unknown = "11111111-2222-3333-4444-555555555555";
    let (status, _) = ask(
        &server,
        "PUT",
        "/v1/volumes",
        Some(unknown),
        Some(&body(&secret)),
    )
    .await;
    assert_eq!(status, 403, "the header counts");
}

#[tokio::test]
async fn while_access_control_is_on_web_pages_may_ask_for_all_but_the_first_token() {
    let server = TestServer::start_with(|config| config.acl_enabled = true).await;
    let asked = |path: &'static str, method: reqwest::Method| {
        let request = server.http.request(method, server.at(path));
        request.header("origin", "https://example.com").send()
    };
    let bootstrap = asked("/v1/acl/bootstrap", reqwest::Method::PUT)
        .await
        .unwrap();
    assert_eq!(bootstrap.status(), 403);
    assert!(bootstrap.text().await.unwrap().contains("foreign_origin"));
    let own = asked("/v1/acl/token/self", reqwest::Method::GET)
        .await
        .unwrap();
    assert_eq!(own.status(), 200);
}

#[tokio::test]
async fn a_policy_whose_name_no_policy_can_have_is_forgotten_already() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    for name in ["a".repeat(5_000), "no name".to_owned()] {
        let forgotten = management.delete_policy().policy_name(name).send().await;
        assert!(forgotten.unwrap().headers().contains_key("x-nomad-index"));
    }
}
