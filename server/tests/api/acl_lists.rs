//! Lists of access control: pages, what narrows them, and reads that wait for a change.

use crate::asker::{client, guarded, policy, token};
use crate::server::{PATIENCE, TestServer};
use saddlebag_client::types;
use serde_json::{Value, json};
use tokio::time::timeout;

const READ: &str = "namespace \"default\" { policy = \"read\" }";

/// An answer, as far as lists are concerned.
struct Listed {
    status: u16,
    index: u64,
    next: Option<String>,
    body: Value,
}

impl Listed {
    fn all(&self, field: &str) -> Vec<&str> {
        let rows = self.body.as_array().unwrap().iter();
        rows.map(|row| row[field].as_str().unwrap()).collect()
    }
}

async fn get(server: &TestServer, secret: &str, path: &str) -> Listed {
    let request = server
        .http
        .get(server.at(path))
        .header("x-nomad-token", secret);
    let answer = timeout(PATIENCE, request.send()).await;
    let answer = answer
        .unwrap_or_else(|_| panic!("{path} was never answered"))
        .unwrap();
    let header = |name: &str| {
        let value = answer.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let (index, next) = (header("x-nomad-index"), header("x-nomad-nexttoken"));
    Listed {
        status: answer.status().as_u16(),
        index: index.map_or(0, |index| index.parse().unwrap()),
        next,
        body: answer.json().await.unwrap(),
    }
}

/// Every page of two, one behind the other.
async fn in_pages(server: &TestServer, secret: &str, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let token = next.map_or(String::new(), |token| format!("&next_token={token}"));
        let path = format!("/v1/acl/tokens?per_page=2{query}{token}");
        let page = get(server, secret, &path).await;
        assert!(page.all("AccessorID").len() <= 2, "{path}");
        found.extend(page.all("AccessorID").into_iter().map(str::to_owned));
        next = page.next;
        if next.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn tokens_come_in_pages_by_age_or_by_accessor_forwards_and_backwards() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    policy(&management, "readers", READ).await;
    for _ in 0..40 {
        token(&management, &["readers"]).await;
    }
    let all = get(&server, &secret, "/v1/acl/tokens").await;
    assert_eq!(
        all.body[0]["Name"], "Bootstrap Token",
        "the oldest is first"
    );
    let by_age = all.all("AccessorID");
    assert_eq!((by_age.len(), &all.next), (41, &None));
    assert_eq!(in_pages(&server, &secret, "").await, by_age);
    let newest_first: Vec<&str> = by_age.iter().rev().copied().collect();
    assert_eq!(
        in_pages(&server, &secret, "&reverse=true").await,
        newest_first
    );

    let prefix = &by_age[1][..1];
    let mut by_accessor = by_age.clone();
    by_accessor.retain(|accessor| accessor.starts_with(prefix));
    by_accessor.sort_unstable();
    let query = format!("&prefix={prefix}");
    assert_eq!(in_pages(&server, &secret, &query).await, by_accessor);
    by_accessor.reverse();
    let query = format!("{query}&reverse=true");
    assert_eq!(in_pages(&server, &secret, &query).await, by_accessor);
}

#[tokio::test]
async fn a_list_of_tokens_is_narrowed_by_region_and_by_what_it_shows_but_not_by_secrets() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    policy(&management, "readers", READ).await;
    token(&management, &["readers"]).await;
    let names = async |query: &str| {
        let listed = get(&server, &secret, &format!("/v1/acl/tokens?{query}")).await;
        assert_eq!(listed.status, 200, "{query}");
        json!(listed.all("Name"))
    };
    assert_eq!(names("global=true").await, json!(["Bootstrap Token"]));
    assert_eq!(names("global=0").await, json!(["Bootstrap Token", "test"]));
    assert_eq!(
        names("filter=readers%20in%20Policies").await,
        json!(["test"])
    );
    let guess = format!("/v1/acl/tokens?filter=SecretID=={secret:?}");
    let refused = get(&server, &secret, &guess).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (400, &json!("malformed_request"))
    );
}

#[tokio::test]
async fn reads_of_access_control_wait_for_a_change_of_what_they_show() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    policy(&management, "readers", READ).await;
    let made = token(&management, &["readers"]).await;
    let role = management
        .create_role()
        .body_map(|body| body.name("team".to_owned()).policies(vec![link("readers")]))
        .send()
        .await
        .unwrap();
    let token_path = format!("/v1/acl/token/{}", made.accessor_id);
    let role_path = format!("/v1/acl/role/{}", role.id);
    let paths = [
        "/v1/acl/tokens",
        &token_path,
        "/v1/acl/policies",
        "/v1/acl/policy/readers",
        "/v1/acl/roles",
        &role_path,
        "/v1/acl/role/name/team",
    ];
    let mut waiting = Vec::new();
    for path in paths {
        let index = get(&server, &secret, path).await.index;
        let blocked = format!("{path}?index={index}&wait=300s");
        let (server, secret) = (&server, &secret);
        waiting.push(async move {
            let answer = get(server, secret, &blocked).await;
            (path, answer.status, answer.index)
        });
    }
    let changes = async {
        server.waiting(paths.len()).await;
        // nothing here shows it
        management
            .create_namespace()
            .body_map(|body| body.name("elsewhere".to_owned()))
            .send()
            .await
            .unwrap();
        let changed = management.apply_policy().policy_name("readers");
        let changed = changed.body_map(|body| {
            body.name("readers".to_owned())
                .rules(READ.to_owned())
                .description("who look".to_owned())
        });
        let policy = index(&changed.send().await.unwrap());
        let changed = management.update_role().role_id(&role.id).body_map(|body| {
            body.id(role.id.clone())
                .name("team".to_owned())
                .description("all of us".to_owned())
                .policies(vec![link("readers")])
        });
        let role = index(&changed.send().await.unwrap());
        let changed = management.update_token().accessor_id(&made.accessor_id);
        let changed = changed.body_map(|body| {
            body.accessor_id(made.accessor_id.clone())
                .name("renamed".to_owned())
                .type_("client".to_owned())
                .policies(vec!["readers".to_owned()])
        });
        let token = index(&changed.send().await.unwrap());
        (policy, role, token)
    };
    let (answers, (policy, role, token)) =
        futures::join!(futures::future::join_all(waiting), changes);
    // the list of tokens shows the names of roles too
    let expected = [role, token, policy, policy, role, role, role];
    for ((path, status, index), expected) in answers.into_iter().zip(expected) {
        assert_eq!((status, index), (200, expected), "{path}");
    }
}

#[tokio::test]
async fn a_token_that_ends_while_it_waits_is_told_nothing_more() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    policy(&management, "readers", READ).await;
    let made = token(&management, &["readers"]).await;
    let own = get(&server, &made.secret_id, "/v1/acl/policies").await;
    assert_eq!(own.all("Name"), ["readers"]);
    let blocked = format!("/v1/acl/policies?index={}", own.index);
    let waits = get(&server, &made.secret_id, &blocked);
    let ends = async {
        server.waiting(1).await;
        let ended = management.delete_token().accessor_id(&made.accessor_id);
        ended.send().await.unwrap();
    };
    let (answer, ()) = futures::join!(waits, ends);
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (403, &json!("permission_denied"))
    );
}

fn link(policy: &str) -> types::PolicyLinkRequest {
    types::PolicyLinkRequest {
        name: Some(policy.to_owned()),
    }
}

fn index<T>(answer: &saddlebag_client::ResponseValue<T>) -> u64 {
    let index = answer.headers()["x-nomad-index"].to_str().unwrap();
    index.parse().unwrap()
}
