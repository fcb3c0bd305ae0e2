//! Blocking queries: woken by exactly the changes of what they show.
//!
//! A read that was woken too early would carry the index of the change that woke it; so the index of
//! the answer tells which change it was. Everything here runs on one thread: who is counted as
//! waiting has looked at the state already.

use crate::rig::{Rig, writer};
use crate::server::{PATIENCE, TestServer};
use crate::wire::Answer;
use saddlebag::id::Namespace;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

impl TestServer {
    /// A read that waits for something newer than `index`.
    pub async fn blocked(&self, path: &str, index: u64) -> Answer {
        let mark = if path.contains('?') { '&' } else { '?' };
        let target = format!("{path}{mark}index={index}&wait=300s");
        let answered = self.ask("GET", &target).send();
        timeout(PATIENCE, answered)
            .await
            .unwrap_or_else(|_| panic!("{target} was never woken"))
    }

    /// Waits until so many reads wait.
    pub async fn waiting(&self, reads: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.control_plane.live.watches() < reads {
            assert!(Instant::now() < deadline, "{reads} reads never waited");
            // That a read began to wait changes no state, so no index tells it.
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// The index that a read tells.
    pub async fn index_of(&self, path: &str) -> u64 {
        self.ask("GET", path).send().await.index()
    }
}

const VOLUMES: &str = "/v1/volumes?type=csi";
const VOLUME: &str = "/v1/volume/csi/db";
const PLUGINS: &str = "/v1/plugins?type=csi";
const PLUGIN: &str = "/v1/plugin/csi/disk";

#[tokio::test]
async fn a_lower_index_answers_at_once_and_tells_the_newest() {
    let rig = Rig::start().await;
    rig.register("db", json!({})).await.unwrap();
    for path in [VOLUMES, VOLUME, PLUGINS, PLUGIN] {
        let newest = rig.server.index_of(path).await;
        assert!(newest > 1);
        let answer = rig.server.blocked(path, newest - 1).await;
        assert_eq!((answer.status, answer.index()), (200, newest), "{path}");
        assert_eq!(answer.header("x-nomad-knownleader"), Some("true"));
        assert_eq!(answer.header("x-nomad-lastcontact"), Some("0"));
    }
    assert!(rig.server.index_of(VOLUMES).await > rig.server.index_of(PLUGINS).await);
}

#[tokio::test]
async fn when_the_wait_is_over_the_same_is_answered_again() {
    let rig = Rig::start().await;
    rig.register("db", json!({})).await.unwrap();
    for path in [
        VOLUMES,
        VOLUME,
        PLUGINS,
        PLUGIN,
        "/v1/volume/csi/nope",
        "/v1/plugin/csi/nope",
    ] {
        let first = rig.server.ask("GET", path).send().await;
        let mark = if path.contains('?') { '&' } else { '?' };
        let again = format!("{path}{mark}index={}&wait=20ms", first.index());
        let begun = Instant::now();
        let answer = rig.server.ask("GET", &again).send().await;
        assert!(begun.elapsed() >= Duration::from_millis(20));
        assert_eq!(
            (answer.status, answer.index(), &answer.body),
            (first.status, first.index(), &first.body)
        );
    }
}

/// For each read: what does not wake it, and what does.
#[tokio::test]
async fn a_read_is_woken_by_changes_of_what_it_shows_and_by_no_others() {
    let rig = Rig::start_with(
        |_| {},
        |config| config.namespaces = vec![Namespace::known("team")],
    )
    .await;
    let server = &rig.server;
    for (id, namespace) in [("db", "default"), ("web", "default"), ("db", "team")] {
        let external = format!("{namespace} {id}");
        rig.register(id, json!({"Namespace": namespace, "ExternalID": external}))
            .await
            .unwrap();
    }
    let touch = async |id: &str, namespace: &str| {
        let body = json!({"Volumes": [crate::rig::sent(id, json!({"Namespace": namespace}))]});
        let answer = server.ask("PUT", "/v1/volumes").json(&body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.index()
    };
    let (db, web, other) = (("db", "default"), ("web", "default"), ("db", "team"));
    for (path, others, own) in [
        (VOLUME, &[web, other][..], db),
        ("/v1/volume/csi/db?namespace=team", &[db, web], other),
        (VOLUMES, &[other], web),
        ("/v1/volumes?type=csi&prefix=d", &[web, other], db),
        ("/v1/volumes?type=csi&namespace=*&prefix=d", &[web], other),
        ("/v1/volumes?type=csi&namespace=team", &[db, web], other),
        (
            "/v1/volumes?type=csi&namespace=*&plugin_id=disk",
            &[],
            other,
        ),
    ] {
        let index = server.index_of(path).await;
        let (answer, (last_other, changed)) = tokio::join!(server.blocked(path, index), async {
            server.waiting(1).await;
            let mut last = index;
            for (id, namespace) in others {
                last = touch(id, namespace).await;
            }
            (last, touch(own.0, own.1).await)
        });
        assert!(changed > last_other || others.is_empty());
        assert_eq!((answer.status, answer.index()), (200, changed), "{path}");
    }
    assert_eq!(
        server.control_plane.live.watches(),
        0,
        "who was answered waits no more"
    );
}

#[tokio::test]
async fn a_claim_wakes_who_looks_at_its_volume() {
    let rig = Rig::start().await;
    rig.register("db", json!({})).await.unwrap();
    for path in [VOLUME, VOLUMES] {
        let index = rig.server.index_of(path).await;
        let claim = writer("db", "alloc-1");
        let (answer, ()) = tokio::join!(rig.server.blocked(path, index), async {
            rig.server.waiting(1).await;
            rig.server.claim(&claim).await;
        });
        assert!(answer.index() > index);
        assert!(
            answer
                .text()
                .contains(r#""AccessMode":"single-node-writer""#)
        );
        rig.server.release(&claim).await;
    }
}

#[tokio::test]
async fn who_waits_for_a_volume_that_is_not_there_is_woken_when_it_is_made() {
    let rig = Rig::start().await;
    let missing = rig.server.ask("GET", VOLUME).send().await;
    assert_eq!((missing.status, missing.text()), (404, "volume not found"));
    let (read, listed, created) = tokio::join!(
        rig.server.blocked(VOLUME, missing.index()),
        rig.server.blocked(VOLUMES, missing.index()),
        async {
            rig.server.waiting(2).await;
            rig.create("db", json!({})).await.unwrap()
        }
    );
    assert_eq!((read.status, read.index()), (200, created.create_index));
    assert_eq!(read.json()["ExternalID"], json!(created.external_id));
    assert_eq!(listed.json()[0]["ID"], "db");
}

/// Nomad answers the old object with the old index.
#[tokio::test]
async fn who_waits_for_a_volume_that_goes_away_is_told_so() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let index = rig.server.index_of(VOLUME).await;
    let (read, listed, gone) = tokio::join!(
        rig.server.blocked(VOLUME, index),
        rig.server.blocked(VOLUMES, index),
        async {
            rig.server.waiting(2).await;
            rig.server.ask("DELETE", VOLUME).send().await.index()
        }
    );
    assert_eq!(
        (read.status, read.text(), read.index()),
        (404, "volume not found", gone)
    );
    assert_eq!((listed.text(), listed.index()), ("[]", gone));
    let left = rig.server.ask("GET", VOLUME).send().await;
    assert_eq!(
        (left.status, left.index()),
        (404, gone),
        "a 404 tells its index"
    );
}

/// On all four routes: a loop of blocking reads misses no change of health.
#[tokio::test]
async fn a_driver_that_dies_and_comes_back_wakes_everybody_who_shows_its_health() {
    let mut rig = Rig::start().await;
    rig.register("db", json!({})).await.unwrap();
    type Seen = fn(&Value) -> &Value;
    let routes: [(&str, Seen); 4] = [
        (VOLUMES, |answer| &answer[0]),
        (VOLUME, |answer| answer),
        (PLUGINS, |answer| &answer[0]),
        (PLUGIN, |answer| answer),
    ];
    for alive in [false, true] {
        let before =
            futures::future::join_all(routes.map(|(path, _)| rig.server.index_of(path))).await;
        let server = &rig.server;
        let driver = &mut rig.driver;
        let follow = |(path, seen): (&'static str, Seen), mut index: u64| async move {
            loop {
                let answer = server.blocked(path, index).await;
                assert!(answer.index() > index, "{path} was woken by nothing");
                index = answer.index();
                let json = answer.json();
                let shown = seen(&json);
                let healthy = (shown["ControllersHealthy"] == 1, shown["NodesHealthy"] == 1);
                if healthy == (alive, alive) {
                    let schedulable = shown.get("Schedulable");
                    assert!(schedulable.is_none_or(|schedulable| schedulable == alive));
                    return;
                }
            }
        };
        let following = routes
            .into_iter()
            .zip(before)
            .map(|(route, index)| follow(route, index));
        tokio::join!(futures::future::join_all(following), async {
            server.waiting(4).await;
            match alive {
                true => driver.come_back(),
                false => driver.leave(),
            }
        });
    }
}

/// A change of health is none of who shows no volume of that plugin.
#[tokio::test]
async fn a_driver_that_dies_wakes_nobody_who_shows_nothing_of_it() {
    let mut rig = Rig::start_with(|_| {}, |config| config.builtin_driver = true).await;
    rig.server.create("db").await;
    for path in [
        VOLUME,
        VOLUMES,
        "/v1/plugin/csi/local",
        "/v1/plugins?type=csi&prefix=loc",
    ] {
        let index = rig.server.index_of(path).await;
        let (server, driver) = (&rig.server, &mut rig.driver);
        let begun = tokio::join!(
            async {
                let wait = format!(
                    "{path}{}index={index}&wait=300s",
                    if path.contains('?') { '&' } else { '?' }
                );
                timeout(Duration::from_millis(300), server.ask("GET", &wait).send()).await
            },
            async {
                server.waiting(1).await;
                driver.leave();
                server
                    .until("the driver to be missed", |state| {
                        state
                            .plugins()
                            .any(|plugin| plugin.health().nodes_healthy == 0)
                    })
                    .await;
            }
        );
        assert!(begun.0.is_err(), "{path} was woken: {:?}", begun.0);
        rig.driver.come_back();
        rig.server.all_healthy().await;
    }
}
