//! What a caller sees, and what is recorded of them.

use crate::asker::{ask, client, guarded, policy, token};
use crate::server::{create, refusal, volume};
use saddlebag::id::{Namespace, VolumeId, VolumeKey};
use saddlebag_client::types;
use serde_json::json;

/// Conformance case 3.
#[tokio::test]
async fn who_may_only_list_plugins_may_not_read_one() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    policy(&management, "lister", r#"plugin { policy = "list" }"#).await;
    let lister = client(&server, &token(&management, &["lister"]).await.secret_id);
    let listed = lister.list_plugins().type_("csi").send().await.unwrap();
    assert_eq!(listed[0].id, "local");
    let (status, error) = refusal(lister.read_plugin().plugin_id("local").send().await);
    assert_eq!((status, error.message.as_str()), (403, "Permission denied"));
}

#[tokio::test]
async fn an_agent_says_whether_access_control_is_on() {
    let (server, secret) = guarded().await;
    let agent = client(&server, &secret).read_agent().send().await.unwrap();
    assert_eq!(agent.config["ACL"], json!({ "Enabled": true }));
}

#[tokio::test]
async fn lists_of_every_namespace_show_what_the_caller_may_see_and_no_more() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    for namespace in ["team", "teapot", "other"] {
        let made = management
            .create_namespace()
            .body_map(|body| body.name(namespace.to_owned()));
        made.send().await.unwrap();
        let inside = types::VolumeRequest {
            namespace: Some(namespace.to_owned()),
            ..volume("v")
        };
        create(&management, inside).await.unwrap();
    }
    policy(
        &management,
        "glob",
        r#"namespace "te*" { policy = "read" } namespace "teapot" { policy = "deny" }"#,
    )
    .await;
    let limited = client(&server, &token(&management, &["glob"]).await.secret_id);
    let volumes = limited
        .list_volumes()
        .type_("csi")
        .namespace("*")
        .send()
        .await
        .unwrap();
    let seen: Vec<&str> = volumes
        .iter()
        .map(|volume| volume.namespace.as_str())
        .collect();
    assert_eq!(seen, ["team"]);
    let operations = limited.list_operations().send().await.unwrap();
    assert!(!operations.is_empty() && operations.iter().all(|it| it.namespace == "team"));
    let namespaces = limited.list_namespaces().send().await.unwrap();
    let seen: Vec<&str> = namespaces
        .iter()
        .map(|namespace| namespace.name.as_str())
        .collect();
    assert_eq!(seen, ["team"]);
    let all = management.list_operations().send().await.unwrap();
    let other = all.iter().find(|it| it.namespace == "other").unwrap();
    let (status, _) = refusal(
        limited
            .read_operation()
            .operation_id(other.id.clone())
            .send()
            .await,
    );
    assert_eq!(status, 403);
    assert_eq!(
        refusal(
            limited
                .read_namespace()
                .namespace_name("other")
                .send()
                .await
        )
        .0,
        403
    );

    // What is asked in one namespace counts there, wherever the body says a volume is to be.
    let path = "/v1/volumes?namespace=team";
    let body = json!({ "Volumes": [{ "ID": "x", "Namespace": "other" }] });
    let own = token(&management, &["glob", "writers"]).await;
    policy(
        &management,
        "writers",
        r#"namespace "team" { policy = "write" } plugin { policy = "read" }"#,
    )
    .await;
    assert_eq!(
        ask(&server, "PUT", path, Some(&own.secret_id), Some(&body))
            .await
            .0,
        403
    );
    let here = json!({ "Volumes": [{ "ID": "x" }] });
    let (status, answer) = ask(&server, "PUT", path, Some(&own.secret_id), Some(&here)).await;
    assert_eq!(
        (status, answer["code"].as_str()),
        (400, Some("invalid_request"))
    );
    let overridden = json!({ "Volumes": [{ "ID": "x" }], "PolicyOverride": true });
    assert_eq!(
        ask(
            &server,
            "PUT",
            path,
            Some(&own.secret_id),
            Some(&overridden)
        )
        .await
        .0,
        403
    );
}

#[tokio::test]
async fn what_is_done_is_recorded_with_the_token_that_asked_for_it() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    let own = management
        .read_own_token()
        .send()
        .await
        .unwrap()
        .into_inner();
    create(&management, volume("v")).await.unwrap();
    let operations = management.list_operations().send().await.unwrap();
    assert_eq!(operations[0].by, own.accessor_id);
    let claimed = management
        .claim_volume()
        .volume_id("v")
        .body_map(|body| body)
        .send();
    let claim = claimed.await.unwrap().into_inner();
    let stored = server.control_plane.state();
    let key = VolumeKey {
        namespace: Namespace::default_namespace(),
        id: VolumeId::known("v"),
    };
    assert_eq!(stored.claims(&key).next().unwrap().by, own.accessor_id);
    let released = management
        .release_claim()
        .volume_id("v")
        .alloc_id(claim.allocation_id)
        .send();
    released.await.unwrap();
    let node = management.list_nodes().send().await.unwrap()[0].id.clone();
    let fenced = management
        .fence_node()
        .node_id(node)
        .reason("a test")
        .send()
        .await
        .unwrap();
    assert_eq!(fenced.fence.as_ref().unwrap().by, own.accessor_id);
}

#[tokio::test]
async fn a_request_that_cannot_be_understood_is_refused_as_such_whoever_sends_it() {
    let (server, _) = guarded().await;
    for (method, path, status, message) in [
        ("PUT", "/v1/volumes", 400, "Request body is empty"),
        (
            "DELETE",
            "/v1/volume/csi/v?force=x",
            400,
            "invalid force value",
        ),
        (
            "DELETE",
            "/v1/volume/csi/v/detach",
            400,
            "detach requires node ID",
        ),
        ("POST", "/v1/volume/csi/v", 405, "Invalid method"),
        (
            "GET",
            "/v1/plugins?type=csi&region=mars",
            400,
            "No path to region",
        ),
        (
            "GET",
            "/v1/volumes?type=csi&wait=10",
            400,
            "Invalid wait time",
        ),
        ("PUT", "/v1/acl/token", 400, "Request body is empty"),
        ("GET", "/v1/volumes?type=csi", 403, "Permission denied"),
    ] {
        let (answered, answer) = ask(&server, method, path, None, None).await;
        assert_eq!(
            (answered, answer["message"].as_str()),
            (status, Some(message)),
            "{path}"
        );
    }
    for path in ["/v1/plugins", "/v1/volumes", "/v1/volumes?type=host"] {
        assert_eq!(
            ask(&server, "GET", path, None, None).await,
            (200, json!([])),
            "{path}"
        );
    }
}

/// Conformance case 17.
#[tokio::test]
async fn a_plugin_shows_its_allocations_in_namespaces_whose_jobs_may_be_read_alone() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    let plugin_read = r#"plugin { policy = "read" } namespace "team" { policy = "read" }"#;
    policy(&management, "elsewhere", plugin_read).await;
    let job_read =
        r#"plugin { policy = "read" } namespace "default" { capabilities = ["read-job"] }"#;
    policy(&management, "here", job_read).await;
    let seen = async |name: &str, namespace: &str| {
        let own = client(&server, &token(&management, &[name]).await.secret_id);
        let read = own
            .read_plugin()
            .plugin_id("local")
            .namespace(namespace)
            .send();
        read.await
            .unwrap()
            .into_inner()
            .allocations
            .unwrap_or_default()
            .len()
    };
    for namespace in ["default", "*"] {
        assert_eq!(seen("elsewhere", namespace).await, 0, "{namespace}");
        assert!(seen("here", namespace).await > 0, "{namespace}");
    }
    assert_eq!(seen("here", "team").await, 0);
}

#[tokio::test]
async fn a_search_looks_through_what_the_caller_may_list_and_no_more() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    for namespace in ["team", "other"] {
        let made = management
            .create_namespace()
            .body_map(|body| body.name(namespace.to_owned()));
        made.send().await.unwrap();
        let inside = types::VolumeRequest {
            namespace: Some(namespace.to_owned()),
            ..volume(&format!("v-{namespace}"))
        };
        create(&management, inside).await.unwrap();
    }
    policy(
        &management,
        "team",
        r#"namespace "team" { policy = "read" }"#,
    )
    .await;
    let own = token(&management, &["team"]).await.secret_id;
    let volumes = json!({ "Prefix": "v", "Context": "volumes" });
    let path = "/v1/search?namespace=*";
    let (status, answer) = ask(&server, "POST", path, Some(&own), Some(&volumes)).await;
    assert_eq!(
        (status, &answer["Matches"]),
        (200, &json!({ "volumes": ["v-team"] }))
    );
    let fuzzy = json!({ "Text": "v-", "Context": "volumes" });
    let path = "/v1/search/fuzzy?namespace=*";
    let (status, answer) = ask(&server, "POST", path, Some(&own), Some(&fuzzy)).await;
    assert_eq!(status, 200);
    assert_eq!(
        answer["Matches"]["volumes"].as_array().unwrap().len(),
        1,
        "{answer}"
    );
    let plugins = json!({ "Prefix": "", "Context": "plugins" });
    assert_eq!(
        ask(&server, "POST", "/v1/search", Some(&own), Some(&plugins))
            .await
            .0,
        403
    );
    assert_eq!(
        ask(&server, "POST", "/v1/search", None, Some(&volumes))
            .await
            .0,
        403
    );
}
