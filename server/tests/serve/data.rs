//! What is there after a restart, and who may have the data.

use crate::process::{Running, text};
use crate::site::{Site, healthy};
use serde_json::Value;

/// A volume as it has to be after a restart.
async fn kept(serve: &Running, id: &str) -> Vec<Value> {
    let (status, volume) = serve.get(&format!("/v1/volume/csi/{id}")).await;
    assert_eq!(status, 200, "{volume}");
    [
        "ID",
        "ExternalID",
        "Capacity",
        "CreateIndex",
        "ModifyIndex",
        "CreateTime",
    ]
    .map(|field| volume[field].clone())
    .into()
}

#[tokio::test]
async fn volumes_survive_a_stop_and_a_kill_and_their_drivers_serve_them_again() {
    let site = Site::new();
    site.configure(&format!("builtin_driver = true\n{}", site.started("two")));
    let serve = site.start(&[]).await;
    for (id, plugin) in [("one", "local"), ("other", "two")] {
        healthy(&serve, plugin).await;
        let (status, created) = serve.create(id, plugin).await;
        assert_eq!(status, 200, "{created}");
    }
    let before = (kept(&serve, "one").await, kept(&serve, "other").await);
    serve.stop().await;

    let serve = site.start(&[]).await;
    assert_eq!(
        (kept(&serve, "one").await, kept(&serve, "other").await),
        before
    );
    let (status, created) = serve.create("third", "two").await;
    assert_eq!(status, 200, "{created}");
    serve.kill().await;

    // The driver of the one that was killed is still there, on the folder that the next one wants.
    let mut serve = site.start(&[]).await;
    serve
        .stderr
        .until("an earlier run started is still there")
        .await;
    assert_eq!(
        (kept(&serve, "one").await, kept(&serve, "other").await),
        before
    );
    healthy(&serve, "two").await;
    let (_, external) = serve.get("/v1/volumes/external?plugin_id=two").await;
    assert_eq!(
        external["Volumes"].as_array().map(Vec::len),
        Some(2),
        "{external}"
    );
    assert_eq!(serve.create("fourth", "two").await.0, 200);
    serve.stop().await;
}

#[tokio::test]
async fn there_is_no_driver_that_was_not_asked_for() {
    let site = Site::new();
    site.configure("");
    let serve = site.start(&[]).await;
    let (status, plugins) = serve.get("/v1/plugins?type=csi").await;
    assert_eq!((status, plugins), (200, serde_json::json!([])));
    assert!(!site.at("data/local").exists());
    serve.stop().await;
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_told_who_has_it() {
    let site = Site::new();
    site.configure("builtin_driver = true");
    let serve = site.start(&[]).await;
    let (code, told) = site.refused(&[]).await;
    assert_eq!(code, Some(1));
    let holder = format!("process {}", serve.pid().as_raw_nonzero());
    let data = site.at("data");
    assert!(
        told.contains(text(&data)) && told.contains(&holder),
        "{told}"
    );
    assert_eq!(serve.create("db", "local").await.0, 200);
    serve.stop().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_what_to_try() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let site = Site::new();
    site.configure("");
    let (code, told) = site.refused(&["--port", &address.port().to_string()]).await;
    assert_eq!(code, Some(1));
    let first = format!("saddlebag serve: {address} cannot be listened on: ");
    assert!(
        told.starts_with(&first) && told.contains("Set another port"),
        "{told}"
    );
    assert!(!site.at("data").exists());
}
