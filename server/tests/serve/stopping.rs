//! How a server ends.

use crate::process::{Running, soon, volume};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::site::Site;
use rustix::process::Signal;
use saddlebag::csi::Call;
use std::time::{Duration, Instant};

/// A server with a driver that hangs in every create, and a create that waits for it.
async fn hanging(
    site: &Site,
    driver: &ScriptedDriver,
    more: &str,
) -> (
    Running,
    tokio::task::JoinHandle<reqwest::Result<reqwest::Response>>,
) {
    driver.always(Call::CreateVolume, Reply::Hang);
    site.configure(&format!(
        "{more}\n[[plugin]]\nid = \"hanging\"\nendpoint = \"{}\"\n",
        driver.endpoint()
    ));
    let serve = site.start(&[]).await;
    let request = saddlebag_client::http()
        .build()
        .unwrap()
        .put(format!("{}/v1/volume/csi/db/create", serve.url))
        .header("Accept", "application/json")
        .json(&volume("db", "hanging"));
    let waiting = tokio::spawn(request.send());
    soon("a create", driver.asked(Call::CreateVolume, 1)).await;
    (serve, waiting)
}

#[tokio::test]
async fn who_waits_is_answered_and_the_call_is_left_to_be_taken_up() {
    let (site, driver) = (Site::new(), ScriptedDriver::start());
    let (serve, waiting) = hanging(&site, &driver, "shutdown_timeout = \"8s\"").await;
    let url = format!("{}/v1/volumes?type=csi&index=1000000&wait=5m", serve.url);
    let blocked = tokio::spawn(saddlebag_client::http().build().unwrap().get(url).send());
    assert_eq!(serve.get("/v1/agent/health").await.0, 200);
    let began = Instant::now();
    serve.signal(Signal::TERM);
    let ended = serve.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let took = began.elapsed();
    // A quarter of that time is for calls under way; without it they would have five seconds.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(waiting.await.unwrap().unwrap().status(), 504);
    match blocked.await.unwrap() {
        Ok(answer) => assert_eq!(answer.status(), 200),
        // One that had not come in yet finds nobody.
        Err(error) => assert!(error.is_request(), "{error}"),
    }

    driver.as_usual(Call::CreateVolume);
    let serve = site.start(&[]).await;
    soon("the volume", async {
        while serve.get("/v1/volume/csi/db").await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    serve.stop().await;
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (site, driver) = (Site::new(), ScriptedDriver::start());
    let (mut serve, waiting) = hanging(&site, &driver, "shutdown_timeout = \"10m\"").await;
    serve.signal(Signal::TERM);
    serve.stderr.until("a second signal ends it at once").await;
    serve.signal(Signal::TERM);
    let ended = serve.ended().await;
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopped at once"), "{}", ended.stderr);
    let _ = waiting.await;
}
