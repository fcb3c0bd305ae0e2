//! `kill -9` at any moment: what was answered is there, what was not leaves no trace.
//!
//! Workers make, copy, grow, publish and delete until the driver dies under them. Each knows what
//! was answered and the one call that was not. The next driver must hold exactly what was
//! answered; the call in doubt is made again and must succeed, whichever way it had ended.

use super::{requests::*, rig::*};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use saddlebag::csi::v1::*;
use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};
use tonic::Status;

const ROUNDS: usize = 20;
const WORKERS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_killed_at_any_moment_loses_nothing_that_it_answered() {
    let work = Workdir::new();
    let alloc = PathBuf::from(work.directory("alloc"));
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|_| Worker::new(rng.random(), &work))
        .collect();
    for _ in 0..ROUNDS {
        let (mut process, clients) = start(&work).await;
        for worker in &mut workers {
            worker.settle(clients.clone()).await;
        }
        verify(&workers, clients.clone(), &work).await;

        let mut working = vec![];
        for worker in workers.drain(..) {
            working.push(tokio::spawn(worker.work_until_killed(clients.clone())));
        }
        sleep(Duration::from_millis(rng.random_range(1..200))).await;
        process.kill().await.unwrap();
        for worker in working {
            workers.push(worker.await.unwrap());
        }
    }

    let (mut process, clients) = start(&work).await;
    let calls: usize = workers.iter().map(|worker| worker.answered).sum();
    assert!(calls > ROUNDS * WORKERS, "only {calls} calls were answered");
    for worker in &mut workers {
        worker.settle(clients.clone()).await;
        worker.delete_everything(clients.clone()).await;
    }
    verify(&workers, clients, &work).await;
    assert_eq!(entries(&alloc), Vec::<String>::new());
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(work.path().to_str().unwrap()), "{mounts}");
    process.kill().await.unwrap();
}

async fn start(work: &Workdir) -> (Child, Clients) {
    let socket = work.path().join("csi.sock");
    let process = Command::new(env!("CARGO_BIN_EXE_saddlebag"))
        .arg("driver")
        .arg(format!("--endpoint=unix://{}", socket.display()))
        .arg(format!("--root={}", work.path().join("root").display()))
        .arg(format!("--node-id={NODE}"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    (process, Clients::of_process(&socket).await)
}

/// The driver holds what the workers were told, and its directory nothing more.
async fn verify(workers: &[Worker], mut clients: Clients, work: &Workdir) {
    let root = work.path().join("root");
    let volumes: BTreeMap<_, _> = workers.iter().flat_map(|worker| &worker.volumes).collect();
    let snapshots: BTreeMap<_, _> = workers
        .iter()
        .flat_map(|worker| &worker.snapshots)
        .collect();
    let ids: Vec<_> = volumes.keys().copied().collect();
    assert_eq!(clients.volume_ids().await.iter().collect::<Vec<_>>(), ids);
    assert_eq!(
        entries(&root.join("volumes")).iter().collect::<Vec<_>>(),
        ids
    );
    let ids: Vec<_> = snapshots.keys().copied().collect();
    let listed = clients.snapshot_ids(ListSnapshotsRequest::default()).await;
    assert_eq!(listed.iter().collect::<Vec<_>>(), ids);
    assert_eq!(
        entries(&root.join("snapshots")).iter().collect::<Vec<_>>(),
        ids
    );

    for (id, expected) in volumes {
        let request = ControllerGetVolumeRequest {
            volume_id: id.clone(),
        };
        let answer = clients
            .controller
            .controller_get_volume(request)
            .await
            .unwrap()
            .into_inner();
        let status = answer.status.unwrap();
        assert_eq!(
            answer.volume.unwrap().capacity_bytes,
            expected.bytes,
            "{id}"
        );
        assert_eq!(
            status.published_node_ids.is_empty(),
            expected.level == 0,
            "{id}"
        );
        assert!(!status.volume_condition.unwrap().abnormal, "{id}");
        assert!(clients.node_health(id).await.is_empty(), "{id}");
        assert_eq!(mark_in(&root.join("volumes").join(id)), *id);
        assert_eq!(expected.target.exists(), expected.level == 3, "{id}");
    }
    for (id, source) in snapshots {
        assert_eq!(mark_in(&root.join("snapshots").join(id)), *source);
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while !entries(&root.join("unfinished")).is_empty() {
        assert!(Instant::now() < deadline, "something is still unfinished");
        sleep(Duration::from_millis(5)).await;
    }
}

fn entries(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Whose data this is: each volume's own id is written into it.
fn mark_in(place: &Path) -> String {
    fs::read_to_string(place.join("directory/mark")).unwrap()
}

/// A volume as far as was answered.
struct Known {
    bytes: i64,
    /// 0 made, 1 attached, 2 staged, 3 published.
    level: u8,
    staging: String,
    target: PathBuf,
}

#[derive(Clone)]
enum Call {
    Create(Box<CreateVolumeRequest>),
    Expand(String, i64),
    Up(String),
    Down(String),
    Delete(String),
    Snapshot(String, String),
    DeleteSnapshot(String),
}

struct Worker {
    rng: StdRng,
    work: PathBuf,
    volumes: BTreeMap<String, Known>,
    /// Snapshots and the volumes that they are of.
    snapshots: BTreeMap<String, String>,
    doubt: Option<Call>,
    answered: usize,
}

impl Worker {
    fn new(seed: u64, work: &Workdir) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            work: work.path().into(),
            volumes: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            doubt: None,
            answered: 0,
        }
    }

    async fn work_until_killed(mut self, mut clients: Clients) -> Self {
        loop {
            let call = self.think();
            self.doubt = Some(call.clone());
            if let Err(status) = self.make(call, &mut clients).await {
                assert!(status.source().is_some(), "the driver refused: {status:?}");
                return self;
            }
            self.doubt = None;
            self.answered += 1;
        }
    }

    /// Makes the call again of which nobody knows how it ended.
    async fn settle(&mut self, mut clients: Clients) {
        if let Some(call) = self.doubt.take() {
            self.make(call, &mut clients).await.unwrap();
        }
    }

    async fn delete_everything(&mut self, mut clients: Clients) {
        for id in self.volumes.keys().cloned().collect::<Vec<_>>() {
            while self.volumes[&id].level > 0 {
                self.make(Call::Down(id.clone()), &mut clients)
                    .await
                    .unwrap();
            }
            self.make(Call::Delete(id), &mut clients).await.unwrap();
        }
        for id in self.snapshots.keys().cloned().collect::<Vec<_>>() {
            self.make(Call::DeleteSnapshot(id), &mut clients)
                .await
                .unwrap();
        }
    }

    /// What to do next.
    fn think(&mut self) -> Call {
        let volumes: Vec<_> = self.volumes.keys().cloned().collect();
        let snapshots: Vec<_> = self.snapshots.keys().cloned().collect();
        let name = format!("{:x}", self.rng.random::<u64>());
        let volume = volumes.choose(&mut self.rng).cloned();
        let snapshot = snapshots.choose(&mut self.rng).cloned();
        match (self.rng.random_range(0..10), volume, snapshot) {
            (1, Some(id), _) => Call::Snapshot(id, name),
            (2, _, Some(id)) => Call::DeleteSnapshot(id),
            (3, Some(id), _) => {
                let bytes = self.volumes[&id].bytes + MIB;
                Call::Expand(id, bytes)
            }
            (4..=6, Some(id), _) if self.volumes[&id].level < 3 => Call::Up(id),
            (7..=8, Some(id), _) if self.volumes[&id].level > 0 => Call::Down(id),
            (7..=9, Some(id), _) if self.volumes[&id].level == 0 => Call::Delete(id),
            (source, volume, snapshot) => {
                let mut request = wanting(&name, 16 * MIB, directory());
                request.volume_capabilities.push(raw());
                let from = match (source % 3, &volume, &snapshot) {
                    (1, Some(id), _) if self.volumes[id].bytes <= 16 * MIB => from_volume(id),
                    _ => None,
                };
                request.volume_content_source = from;
                Call::Create(Box::new(request))
            }
        }
    }

    /// Makes a call and notes its answer.
    async fn make(&mut self, call: Call, clients: &mut Clients) -> Result<(), Status> {
        match call {
            Call::Create(request) => {
                let volume = clients.create(*request).await?;
                let id = volume.volume_id;
                let place = self.work.join("root/volumes").join(&id);
                fs::write(place.join("directory/mark"), &id).unwrap();
                let staging = self.work.join("staging").join(&id);
                fs::create_dir_all(&staging).unwrap();
                let known = Known {
                    bytes: volume.capacity_bytes,
                    level: 0,
                    staging: staging.to_str().unwrap().into(),
                    target: self.work.join("alloc").join(&id),
                };
                self.volumes.insert(id, known);
            }
            Call::Expand(id, bytes) => {
                let bytes = clients.expand(&id, at_least(bytes)).await?;
                self.known(&id).bytes = bytes;
            }
            Call::Up(id) => {
                let known = self.known(&id);
                let target = known.target.to_str().unwrap();
                match known.level {
                    0 => clients.attach(attaching(&id, directory())).await?,
                    1 => {
                        clients
                            .stage(staging_at(&id, &known.staging, directory()))
                            .await?
                    }
                    _ => {
                        let publish = publishing_at(&id, &known.staging, target, directory());
                        clients.publish(publish).await?;
                    }
                }
                known.level += 1;
            }
            Call::Down(id) => {
                let known = self.known(&id);
                match known.level {
                    1 => clients.detach(&id).await?,
                    2 => clients.unstage(&id, &known.staging).await?,
                    _ => {
                        clients
                            .unpublish(&id, known.target.to_str().unwrap())
                            .await?
                    }
                }
                known.level -= 1;
            }
            Call::Delete(id) => {
                clients.delete(&id).await?;
                self.volumes.remove(&id);
            }
            Call::Snapshot(source, name) => {
                let snapshot = clients.snapshot(&source, &name).await?;
                self.snapshots.insert(snapshot.snapshot_id, source);
            }
            Call::DeleteSnapshot(id) => {
                let request = DeleteSnapshotRequest {
                    snapshot_id: id.clone(),
                    ..Default::default()
                };
                clients.controller.delete_snapshot(request).await?;
                self.snapshots.remove(&id);
            }
        }
        Ok(())
    }

    fn known(&mut self, id: &str) -> &mut Known {
        self.volumes.get_mut(id).unwrap()
    }
}
