//! A rotation of the keys of secrets, killed at every point that it passes.

use crate::points::{Deadly, is_of_work};
use crate::world::{PATIENCE, World, volume};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// So many that their rows take several commits.
const VOLUMES: usize = 90;
/// How many points there are, at least: two of each commit (the keys, twice; the volumes), and the answer.
const POINTS: usize = 9;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_point_of_a_rotation_loses_no_secret() {
    let mut world = World::start().await;
    register(&world).await;
    let options = json!({"MountOptions": {"MountFlags": ["noatime", "password=hush"]}});
    world.create("claimed", options).await;
    world.claim("claimed", "user").await;

    let mut points = 0;
    loop {
        let before = world.points.killed();
        let deadly = Deadly::Nth(points + 1);
        world.points.begin(is_of_a_rotation, Some(deadly));
        let _ = world.ask("PUT", "/v1/operator/keyring/rotate", None).await;
        if is_done(&world).await.is_none() {
            world.points.begin(is_of_a_rotation, None);
            world.start_again().await.unwrap();
            is_done(&world).await.unwrap();
        }
        remove_all_but_the_active_one(&world).await;
        if world.points.killed() == before {
            break;
        }
        points += 1;
    }
    assert!(points >= POINTS, "killed at {points} points only");

    // Each secret still opens, and is the one that the driver was told before. A second claim is taken only
    // where the mount flags of the first one can be read, and are the volume's.
    world.claim("claimed", "second").await;
    let claim = "/v1/volume/csi/claimed/claim/";
    let second = format!("{claim}{}", crate::world::allocation("second"));
    world.done("DELETE", &second, None).await;
    let claim = format!("{claim}{}", crate::world::allocation("user"));
    world.done("DELETE", &claim, None).await;
    let all = (0..VOLUMES).map(name).chain(["claimed".to_owned()]);
    for id in all {
        let path = format!("/v1/volume/csi/{id}/delete");
        world.done("DELETE", &path, None).await;
    }
    let breaches = world.driver.take_breaches();
    assert!(breaches.is_empty(), "{breaches:?}");
    world.stop().await;
}

fn name(number: usize) -> String {
    format!("v{number}")
}

/// Registers the volumes, which the driver has already.
async fn register(world: &World) {
    let described = |number: usize| {
        let id = name(number);
        world.driver.bring(&id);
        volume(&id, json!({"ExternalID": id}))["Volumes"][0].clone()
    };
    let all: Vec<Value> = (0..VOLUMES).map(described).collect();
    for some in all.chunks(30) {
        let body = json!({"Volumes": some});
        world.done("PUT", "/v1/volumes", Some(&body)).await;
    }
}

fn is_of_a_rotation(point: &str) -> bool {
    is_of_work(point) && !point.ends_with(" commit instance") && !is_a_call(point)
}

fn is_a_call(point: &str) -> bool {
    let is_between_calls = ["commit", "reply"].iter().any(|word| point.contains(word));
    !is_between_calls
}

/// The keys, once none is being replaced. `None`: the server is gone.
async fn is_done(world: &World) -> Option<Vec<Value>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (_, keys) = world.get("/v1/operator/keyring/keys").await?;
        let keys = keys.as_array().unwrap().clone();
        let active = keys.iter().filter(|key| key["State"] == "active").count();
        assert_eq!(active, 1, "{keys:?}");
        if keys.iter().all(|key| key["State"] != "rekeying") {
            return Some(keys);
        }
        assert!(Instant::now() < deadline, "not done: {keys:?}");
        // Keys are listed at once, whatever the index.
        sleep(Duration::from_millis(15)).await;
    }
}

async fn remove_all_but_the_active_one(world: &World) {
    world.points.begin(|_| false, None);
    for key in is_done(world).await.unwrap() {
        let path = format!(
            "/v1/operator/keyring/key/{}",
            key["KeyID"].as_str().unwrap()
        );
        let (status, answer) = world.ask("DELETE", &path, None).await.unwrap();
        let expected = match key["State"].as_str() {
            Some("active") => 409,
            _ => 200,
        };
        assert_eq!(status, expected, "{key}: {answer}");
    }
    assert_eq!(is_done(world).await.unwrap().len(), 1);
}
