//! `kill -9` at any moment of a load of changes: what was answered is there, nothing is stuck, and the
//! driver has nothing that nobody knows.

use crate::process::Process;
use crate::server::folder::Folder;
use crate::server::{PATIENCE, create, register, volume};
use saddlebag_client::{Client, Error, types};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How often the process is killed.
const ROUNDS: usize = 4;
/// How many clients work at once.
const CLIENTS: usize = 8;

#[tokio::test]
async fn what_was_answered_survives_kill_9_and_nothing_is_stuck_or_orphaned() {
    let folder = Folder::new();
    let world = Arc::new(Mutex::new(World::default()));
    for round in 0..=ROUNDS {
        let mut process = Process::start(folder.path()).await;
        nothing_is_stuck(&process.client).await;
        let seen = see(&process.client).await;
        world.lock().unwrap().compare(&seen);
        if round == ROUNDS {
            break;
        }
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let (server, world) = (process.client.clone(), Arc::clone(&world));
            let name = format!("{round}-{client}");
            clients.spawn(async move { work(&server, &world, &name).await });
        }
        // Any moment of the load will do, so there is none to await.
        let a_moment = rand::random_range(100..1_000);
        sleep(Duration::from_millis(a_moment)).await;
        process.kill();
        while let Some(client) = clients.join_next().await {
            client.unwrap();
        }
    }
    let answered = world.lock().unwrap().answered;
    assert!(
        answered > ROUNDS * CLIENTS,
        "only {answered} answers in all"
    );
}

/// Changes one volume after the other until the server is gone.
async fn work(server: &Client, world: &Mutex<World>, name: &str) {
    for n in 0.. {
        if change(server, world, &format!("{name}-{n}"))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Creates a volume; deletes it, or deregisters it and registers it again, or leaves it. Before each
/// change the world knows what may come of it, afterwards what did. `None`: the server is gone.
async fn change(server: &Client, world: &Mutex<World>, id: &str) -> Option<()> {
    let know = |known: Known| world.lock().unwrap().volumes.insert(id.to_owned(), known);
    know(Known::PerhapsMade);
    let mut created = answered(world, create(server, volume(id)).await)?;
    let external = created.volumes.remove(0).external_id;
    know(Known::There(external.clone()));
    match rand::random_range(0..3) {
        0 => {
            know(Known::PerhapsDeleted(external));
            let delete = server.delete_volume().volume_id(id).send().await;
            answered(world, delete)?;
            know(Known::Gone);
        }
        1 => {
            know(Known::PerhapsRegistered(external.clone()));
            let deregister = server.deregister_volume().volume_id(id).send().await;
            answered(world, deregister)?;
            know(Known::LeftAtTheDriver(external.clone()));
            know(Known::PerhapsRegistered(external.clone()));
            let again = types::VolumeRequest {
                external_id: Some(external.clone()),
                ..volume(id)
            };
            answered(world, register(server, again).await)?;
            know(Known::There(external));
        }
        _ => {}
    }
    Some(())
}

/// The answer, if there is one. A server that is killed answers nothing, and a living one no failure.
#[track_caller]
fn answered<T>(world: &Mutex<World>, answer: Result<T, Error<types::Error>>) -> Option<T> {
    match answer {
        Ok(answer) => {
            world.lock().unwrap().answered += 1;
            Some(answer)
        }
        Err(Error::CommunicationError(_) | Error::ResponseBodyError(_)) => None,
        Err(other) => panic!("{other}"),
    }
}

/// What the clients know of the volumes.
#[derive(Default)]
struct World {
    volumes: BTreeMap<String, Known>,
    /// How many changes were answered.
    answered: usize,
}

/// What is known of a volume, and of its backing store by the driver's id.
#[derive(Clone, Debug)]
enum Known {
    There(String),
    Gone,
    LeftAtTheDriver(String),
    /// Its creation was not answered.
    PerhapsMade,
    /// Its deletion was not answered.
    PerhapsDeleted(String),
    /// It is at the driver, but whether it is registered was not answered.
    PerhapsRegistered(String),
}

/// What a server and its driver have.
struct Seen {
    rows: BTreeMap<String, String>,
    at_driver: BTreeSet<String>,
}

impl World {
    /// Compares what was answered with what is there, and believes the latter where nothing was.
    fn compare(&mut self, seen: &Seen) {
        let mut accounted_for = BTreeSet::new();
        for (id, known) in &mut self.volumes {
            let row = seen.rows.get(id).cloned();
            *known = match (known.clone(), row) {
                (Known::There(external), Some(row)) if row == external => Known::There(row),
                (Known::Gone, None) => Known::Gone,
                (Known::LeftAtTheDriver(external), None) => Known::LeftAtTheDriver(external),
                (Known::PerhapsMade, Some(row)) => Known::There(row),
                (Known::PerhapsMade | Known::PerhapsDeleted(_), None) => Known::Gone,
                (
                    Known::PerhapsDeleted(external) | Known::PerhapsRegistered(external),
                    Some(row),
                ) if row == external => Known::There(row),
                (Known::PerhapsRegistered(external), None) => Known::LeftAtTheDriver(external),
                (known, row) => panic!("{id} was {known:?}, and its row is of {row:?}"),
            };
            if let Known::There(external) | Known::LeftAtTheDriver(external) = known {
                accounted_for.insert(external.clone());
            }
        }
        assert_eq!(
            seen.rows.len(),
            self.volumes
                .values()
                .filter(|known| matches!(known, Known::There(_)))
                .count()
        );
        assert_eq!(
            seen.at_driver, accounted_for,
            "the driver has what is known, and no more"
        );
    }
}

async fn see(server: &Client) -> Seen {
    let list = server.list_volumes().type_("csi").send().await.unwrap();
    let row = |volume: &types::VolumeStub| (volume.id.clone(), volume.external_id.clone());
    let rows: BTreeMap<String, String> = list.iter().map(row).collect();
    for (id, external) in &rows {
        let read = server.read_volume().volume_id(id).send().await.unwrap();
        assert_eq!(&read.external_id, external);
        assert!(read.schedulable, "{id}");
    }
    let mut at_driver = BTreeSet::new();
    let mut token = String::new();
    loop {
        let page = server
            .list_external_volumes()
            .plugin_id("local")
            .next_token(token);
        let page = page.per_page(50).send().await.unwrap().into_inner();
        let volumes = page.volumes.unwrap_or_default();
        at_driver.extend(volumes.into_iter().map(|volume| volume.external_id));
        token = page.next_token;
        if token.is_empty() {
            return Seen { rows, at_driver };
        }
    }
}

/// Waits until nothing is under way.
async fn nothing_is_stuck(server: &Client) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let operations = server.list_operations().send().await.unwrap().into_inner();
        let under_way = |operation: &&types::Operation| operation.end_time.is_none();
        let Some(stuck) = operations.iter().find(under_way) else {
            return;
        };
        assert!(Instant::now() < deadline, "{stuck:?}");
        // The process is another: its state cannot be followed, and lists of operations do not block.
        sleep(Duration::from_millis(20)).await;
    }
}
