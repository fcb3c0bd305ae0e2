//! Following what happens.

use crate::asker::{client, guarded, policy, token};
use crate::claimed::{Claimed, named};
use crate::server::{PATIENCE, TestServer, create, volume};
use futures::StreamExt;
use futures::stream::BoxStream;
use saddlebag_client::types;
use serde_json::{Value, json};
use tokio::time::timeout;

/// A client that follows.
struct Follower {
    bytes: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    read: Vec<u8>,
}

impl Follower {
    async fn of(server: &TestServer, query: &str) -> Self {
        Self::with_token(server, query, "").await
    }

    async fn with_token(server: &TestServer, query: &str, secret: &str) -> Self {
        let url = server.at(&format!("/v1/event/stream?{query}"));
        let request = server.http.get(url).header("x-nomad-token", secret);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["cache-control"], "no-cache");
        let mut follower = Self {
            bytes: answer.bytes_stream().boxed(),
            read: Vec::new(),
        };
        assert_eq!(
            follower.line().await,
            Some(json!({})),
            "the first line is sent at once"
        );
        follower
    }

    /// The next line; none at the end.
    async fn line(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let more = timeout(PATIENCE, self.bytes.next()).await.unwrap()?;
            self.read.extend_from_slice(&more.ok()?);
        }
    }

    /// The type, key and index of the next event.
    async fn event(&mut self) -> (String, String, u64) {
        let line = self.line().await.unwrap();
        let events = line["Events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{line}");
        let text = |name: &str| events[0][name].as_str().unwrap().to_owned();
        assert_eq!(events[0]["Index"], line["Index"]);
        (text("Type"), text("Key"), line["Index"].as_u64().unwrap())
    }
}

#[tokio::test]
async fn a_volume_s_life_is_told_line_by_line_and_again_from_an_index() {
    let rig = Claimed::start().await;
    let server = rig.server();
    let mut volumes = Follower::of(server, "topic=CSIVolume&index=0").await;
    rig.register("db").await;
    let (kind, key, registered) = volumes.event().await;
    assert_eq!((kind.as_str(), key.as_str()), ("CSIVolumeRegistered", "db"));
    let read = server.read("db").await.unwrap();
    assert_eq!(read.create_index, registered);

    rig.take("db", "a", json!({})).await.unwrap();
    let (kind, ..) = volumes.event().await;
    assert_eq!(kind, "CSIVolumeClaim");
    rig.give_back("db", "a").await.unwrap();
    server
        .client
        .deregister_volume()
        .volume_id("db")
        .send()
        .await
        .unwrap();
    let gone = loop {
        let line = volumes.line().await.unwrap();
        if line["Events"][0]["Type"] == "CSIVolumeDeregistered" {
            break line;
        }
        assert_eq!(line["Events"][0]["Type"], "CSIVolumeClaim");
    };
    let last = &gone["Events"][0]["Payload"]["Volume"];
    assert_eq!(
        (&last["ID"], &last["CreateIndex"]),
        (&json!("db"), &json!(registered))
    );

    let mut again = Follower::of(server, &format!("topic=CSIVolume&index={registered}")).await;
    assert_eq!(again.event().await.2, registered);
    let index = gone["Index"].as_u64().unwrap();
    let mut last = Follower::of(server, &format!("topic=CSIVolume&index={index}")).await;
    assert_eq!(last.line().await.unwrap(), gone);
}

#[tokio::test]
async fn topics_keys_and_namespaces_choose_what_is_told() {
    let rig = Claimed::start().await;
    let server = rig.server();
    rig.register("a").await;
    rig.register("b").await;
    rig.take("a", "one", json!({})).await.unwrap();
    let (_, claim) = named("a", "one");
    for (query, topic, key) in [
        ("topic=CSIVolume:b", "CSIVolume", "b"),
        ("topic=CSIPlugin", "CSIPlugin", "disk"),
        (
            "topic=CSIVolume:nobody&topic=CSIPlugin:disk",
            "CSIPlugin",
            "disk",
        ),
        ("topic=CSIClaim:a", "CSIClaim", claim.as_str()),
        ("topic=*:b", "CSIVolume", "b"),
        ("topic=CSIPlugin&namespace=nobody", "CSIPlugin", "disk"),
    ] {
        let line = Follower::of(server, query).await.line().await.unwrap();
        let event = &line["Events"][0];
        assert_eq!(
            (event["Topic"].as_str(), event["Key"].as_str()),
            (Some(topic), Some(key)),
            "{query}"
        );
    }
    let query = "topic=CSIVolume&namespace=nobody&wait=100ms";
    assert_eq!(
        Follower::of(server, query).await.line().await,
        None,
        "the time is over"
    );
}

#[tokio::test]
async fn no_event_tells_a_secret_and_a_server_that_stops_ends_the_stream() {
    let mut rig = Claimed::start().await;
    let kept = json!({
        "ExternalID": "e",
        "Secrets": {"password": "hunter2"},
        "MountOptions": {"FSType": "cifs", "MountFlags": ["password=hunter2"]},
    });
    rig.rig.register("db", kept).await.unwrap();
    let mut all = Follower::of(rig.server(), "namespace=*").await;
    rig.take("db", "a", json!({})).await.unwrap();
    rig.rig.server.stop().await;
    let mut told = 0;
    while let Some(line) = all.line().await {
        assert!(!line.to_string().contains("hunter2"), "{line}");
        told += 1;
    }
    assert!(told > 3, "{told}");
}

#[tokio::test]
async fn who_follows_hears_of_what_the_token_may_read_and_of_nothing_once_it_is_gone() {
    let (server, secret) = guarded().await;
    let management = client(&server, &secret);
    let made = management
        .create_namespace()
        .body_map(|body| body.name("team".to_owned()));
    made.send().await.unwrap();
    policy(
        &management,
        "team",
        r#"namespace "team" { policy = "read" }"#,
    )
    .await;
    let token = token(&management, &["team"]).await;
    let mut follower = Follower::with_token(&server, "namespace=*", &token.secret_id).await;
    let made_in = |namespace: &str, id: &str| types::VolumeRequest {
        namespace: Some(namespace.to_owned()),
        ..volume(id)
    };
    create(&management, made_in("default", "theirs"))
        .await
        .unwrap();
    create(&management, made_in("team", "ours")).await.unwrap();
    let (kind, key, _) = follower.event().await;
    assert_eq!((&*kind, &*key), ("CSIVolumeRegistered", "ours"));
    let deleted = management.delete_token().accessor_id(token.accessor_id);
    deleted.send().await.unwrap();
    create(&management, made_in("team", "later")).await.unwrap();
    assert_eq!(follower.line().await, None);
}

#[tokio::test]
async fn a_malformed_wait_is_refused_before_anything_is_told() {
    let server = TestServer::start().await;
    let url = server.at("/v1/event/stream?wait=10");
    let answer = server.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let error: Value = answer.json().await.unwrap();
    assert_eq!(error["message"], "Invalid wait time");
}
