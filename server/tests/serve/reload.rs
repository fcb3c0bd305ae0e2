//! Reading the configuration again while the server runs.

use crate::process::{Running, names, soon};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::site::{Site, healthy, reload};
use saddlebag::csi::Call;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tokio::sync::watch;

const READ: &str = "the configuration was read again";

/// The numbers of the driver processes that a server started for a plugin, in order, from its log.
fn drivers(log: &str, plugin: &str) -> Vec<u64> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|line| line["fields"].clone())
        .filter(|fields| fields["message"] == "started the driver" && fields["plugin.id"] == plugin)
        .map(|fields| fields["pid"].as_u64().unwrap())
        .collect()
}

async fn gone(serve: &Running, path: &str) {
    soon(&format!("{path} to be gone"), async {
        while serve.get(path).await.0 != 404 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Conformance case 15; weakness W22.
#[tokio::test]
async fn plugins_come_change_and_go_and_the_others_are_not_disturbed() {
    let site = Site::new();
    let (kept, second) = (site.started("kept"), site.started("second"));
    site.configure(&kept);
    let mut serve = site.start(&[]).await;
    healthy(&serve, "kept").await;
    assert_eq!(serve.create("db", "kept").await.0, 200);
    let before = serve.get("/v1/plugin/csi/kept").await;

    site.configure(&format!("{kept}{second}"));
    reload(&mut serve, "added plugin jobs second").await;
    healthy(&serve, "second").await;
    assert_eq!(serve.create("other", "second").await.0, 200);

    let changed = second.replace(
        "\"driver\",",
        "\"driver\", \"--max-volume-bytes\", \"4096\",",
    );
    site.configure(&format!("{kept}{changed}"));
    let log = reload(&mut serve, "changed plugin jobs second").await;
    assert_eq!(drivers(&log, "kept").len(), 1);
    healthy(&serve, "second").await;
    let (status, refused) = serve.create("large", "second").await;
    assert_eq!(status, 400, "the driver is the changed one: {refused}");
    assert_eq!(serve.get("/v1/volume/csi/other").await.0, 200);

    site.configure(&kept);
    reload(&mut serve, "removed plugin jobs second").await;
    gone(&serve, "/v1/job/second").await;
    let (_, plugins) = serve.get("/v1/plugins?type=csi").await;
    let ids: Vec<_> = plugins
        .as_array()
        .unwrap()
        .iter()
        .map(|plugin| &plugin["ID"])
        .collect();
    assert_eq!(ids, ["kept"], "{plugins}");

    assert_eq!(serve.get("/v1/plugin/csi/kept").await, before);
    let log = serve.stop().await.stderr;
    assert_eq!(drivers(&log, "kept").len(), 1, "{log}");
    assert_eq!(drivers(&log, "second").len(), 2, "{log}");
    assert_eq!(names(&site.at("data/run")), Vec::<String>::new());
}

#[tokio::test]
async fn a_call_under_way_goes_on_while_other_plugins_change_and_while_its_own_goes() {
    let (site, driver) = (Site::new(), ScriptedDriver::start());
    let (go_on, told) = watch::channel(false);
    driver.always(
        Call::CreateVolume,
        Reply::Once(told, Box::new(Reply::Usual)),
    );
    let busy = format!(
        "[[plugin]]\nid = \"busy\"\nendpoint = \"{}\"\n",
        driver.endpoint()
    );
    site.configure(&busy);
    let mut serve = site.start(&[]).await;
    let create = saddlebag_client::http()
        .build()
        .unwrap()
        .put(format!("{}/v1/volume/csi/db/create", serve.url))
        .json(&crate::process::volume("db", "busy"))
        .send();
    let create = tokio::spawn(create);
    soon("a create", driver.asked(Call::CreateVolume, 1)).await;

    site.configure(&format!("{busy}{}", site.started("other")));
    reload(&mut serve, "added plugin jobs other").await;
    site.configure("");
    reload(&mut serve, "removed plugin jobs busy, other").await;
    gone(&serve, "/v1/job/busy").await;
    go_on.send_replace(true);
    assert_eq!(
        soon("the volume", create).await.unwrap().unwrap().status(),
        200
    );
    let asked = driver
        .calls()
        .into_iter()
        .filter(|call| *call == Call::CreateVolume);
    assert_eq!(asked.count(), 1);
    serve.stop().await;
}

#[tokio::test]
async fn a_file_that_is_wrong_changes_nothing_and_says_why() {
    let site = Site::new();
    let kept = site.started("kept");
    site.configure(&kept);
    let mut serve = site.start(&[]).await;
    healthy(&serve, "kept").await;
    let before = serve.get("/v1/plugin/csi/kept").await;
    for (more, why) in [
        ("prot = 1\n", "saddlebag.toml:3:1: unknown key `prot`"),
        (
            "region =\n",
            "saddlebag.toml:3:9: string values must be quoted",
        ),
        ("bind = \"0.0.0.0\"\n", "listen_unprotected_on_the_network"),
        (
            "[[plugin]]\nid = \"x\"\ncommand = \"x\"\nsecrets = \"none.json\"\n",
            "none.json",
        ),
    ] {
        site.configure(more);
        let log = reload(&mut serve, why).await;
        let line = log.lines().find(|line| line.contains(why)).unwrap();
        assert!(
            line.contains("the old configuration stays in use"),
            "{line}"
        );
        assert_eq!(serve.get("/v1/plugin/csi/kept").await, before);
    }
    site.configure(&kept);
    reload(&mut serve, "plugins stay as they are").await;
    assert_eq!(serve.create("db", "kept").await.0, 200);
    serve.stop().await;
}

#[tokio::test]
async fn what_cannot_change_is_named_each_time_until_it_is_taken_back() {
    let site = Site::new();
    site.configure("");
    let mut serve = site.start(&[]).await;
    site.configure("region = \"mars\"\n[deadlines]\nlist = \"2m\"\n[log]\nlevel = \"debug\"");
    let unused = "used from the next start on: deadlines.list, region";
    reload(&mut serve, unused).await;
    serve.get("/v1/agent/health").await;
    serve.stderr.until("answered a request").await;
    site.configure("[log]\nlevel = \"info\"");
    reload(&mut serve, READ).await;
    let log = serve.stop().await.stderr;
    assert_eq!(log.matches(unused).count(), 1, "{log}");
}

#[tokio::test]
async fn the_log_level_changes_at_once() {
    let site = Site::new();
    site.configure("");
    let mut serve = site.start(&[]).await;
    serve.get("/v1/agent/health").await;
    site.configure("[log]\nlevel = \"debug\"");
    let log = reload(&mut serve, READ).await;
    assert!(!log.contains("answered a request"), "{log}");
    serve.get("/v1/agent/health").await;
    serve.stderr.until("answered a request").await;
    serve.stop().await;
}

#[tokio::test]
async fn a_namespace_that_is_named_is_there_at_once() {
    let site = Site::new();
    site.configure("builtin_driver = true");
    let mut serve = site.start(&[]).await;
    let path = "/v1/volume/csi/db/create?namespace=team";
    let body = || Some(crate::process::volume("db", "local"));
    let refused = serve.ask(reqwest::Method::PUT, path, body()).await;
    assert_ne!(refused.0, 200, "{}", refused.1);
    site.configure("builtin_driver = true\nnamespaces = [\"team\"]");
    reload(&mut serve, READ).await;
    let made = serve.ask(reqwest::Method::PUT, path, body()).await;
    assert_eq!(made.0, 200, "{}", made.1);
    serve.stop().await;
}

#[tokio::test]
async fn secrets_that_were_changed_in_their_file_are_used() {
    let site = Site::new();
    let secrets = site.at("secrets.json");
    let write = |text: &str| {
        std::fs::write(&secrets, text).unwrap();
        std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(r#"{"key": "first"}"#);
    site.configure(&format!(
        "{}secrets = \"secrets.json\"\n",
        site.started("disk")
    ));
    let mut serve = site.start(&[]).await;
    reload(&mut serve, "plugins stay as they are").await;
    write(r#"{"key": "second"}"#);
    reload(&mut serve, "changed plugin jobs disk").await;
    healthy(&serve, "disk").await;
    serve.stop().await;
}
