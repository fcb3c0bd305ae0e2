//! Somebody who asks a server with a token, or without one.

use crate::server::TestServer;
use reqwest::header::{HeaderMap, HeaderValue};
use saddlebag_client::{Client, types};
use serde_json::Value;

/// A server with access control and the built-in driver, and the secret of its first token.
pub async fn guarded() -> (TestServer, String) {
    let server = TestServer::start_with(|config| {
        config.builtin_driver = true;
        config.acl_enabled = true;
    })
    .await;
    let token = server.client.bootstrap_acl().send().await.unwrap();
    (server, token.into_inner().secret_id)
}

/// A client that sends this token.
pub fn client(server: &TestServer, secret: &str) -> Client {
    let mut headers = HeaderMap::new();
    headers.insert("x-nomad-token", HeaderValue::from_str(secret).unwrap());
    let http = saddlebag_client::http()
        .default_headers(headers)
        .build()
        .unwrap();
    Client::new_with_client(&server.url, http)
}

/// Makes or changes a policy.
pub async fn policy(management: &Client, name: &str, rules: &str) {
    let made = management
        .apply_policy()
        .policy_name(name)
        .body_map(|body| body.name(name.to_owned()).rules(rules.to_owned()));
    made.send().await.unwrap();
}

/// Makes a token of these policies.
pub async fn token(management: &Client, policies: &[&str]) -> types::Token {
    let policies: Vec<String> = policies.iter().map(|name| (*name).to_owned()).collect();
    let made = management.create_token().body_map(|body| {
        body.name("test".to_owned())
            .type_("client".to_owned())
            .policies(policies)
    });
    made.send().await.unwrap().into_inner()
}

/// Asks as any client would. The status, and the body if it is JSON.
pub async fn ask(
    server: &TestServer,
    method: &str,
    path: &str,
    secret: Option<&str>,
    body: Option<&Value>,
) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = server.http.request(method, server.at(path));
    if let Some(secret) = secret {
        request = request.header("x-nomad-token", secret);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default(),
    )
}
