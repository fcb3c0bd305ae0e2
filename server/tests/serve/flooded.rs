//! Floods of clients that only cost: others are answered meanwhile, and what the floods took comes back.
//!
//! Ten thousand of each by hand, with times: `benches/floods.rs`.

use crate::floods::{Flood, descriptors, resident};
use crate::process::{Running, soon};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::site::Site;
use saddlebag::csi::Call;
use std::time::Duration;

/// How many clients come at once.
const CLIENTS: usize = 300;

/// What a server may have resident once every flood is over, in bytes. It is not optimised here.
const MOST_RESIDENT: u64 = 256 << 20;

/// Waits until this is so. What another process has open, and how large it is, tells nobody that it changes.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    soon(what, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

async fn others_are_answered(serve: &Running) {
    let (status, plugins) = serve.get("/v1/plugins?type=csi").await;
    assert_eq!((status, plugins[0]["ID"].as_str()), (200, Some("hung")));
    let (status, _) = serve.create("beside", "local").await;
    assert_eq!(status, 200);
    let deleted = serve
        .ask(
            reqwest::Method::DELETE,
            "/v1/volume/csi/beside/delete",
            None,
        )
        .await;
    assert_eq!(deleted.0, 200);
}

#[tokio::test]
async fn others_are_answered_beside_each_flood_and_nothing_is_left_of_it() {
    let driver = ScriptedDriver::start();
    driver.always(Call::CreateVolume, Reply::Hang);
    let site = Site::new();
    let endpoint = driver.endpoint();
    site.configure(&format!(
        "builtin_driver = true\n[[plugin]]\nid = \"hung\"\nendpoint = \"{endpoint}\"\n"
    ));
    let serve = site.start(&[]).await;
    crate::site::healthy(&serve, "hung").await;
    let process = u32::try_from(serve.pid().as_raw_nonzero().get()).unwrap();
    let address = serve.url.strip_prefix("http://").unwrap().parse().unwrap();
    others_are_answered(&serve).await;
    // With what the first requests and the drivers take for good, and perhaps a connection that is ending.
    let before = descriptors(process);

    for flood in Flood::ALL {
        let clients = flood.begin(address, CLIENTS).await;
        until("all to be let in", || descriptors(process) >= clients.len()).await;
        others_are_answered(&serve).await;
        drop(clients);
        until(&format!("what {flood:?} clients took"), || {
            descriptors(process) <= before
        })
        .await;
        others_are_answered(&serve).await;
        println!("after {flood:?} clients {} MB", resident(process) >> 20);
    }
    until("memory to come back", || resident(process) < MOST_RESIDENT).await;
    drop(driver);
    serve.kill().await;
}
