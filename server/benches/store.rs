//! How the number of volumes shows: in the time of a start, in memory, in the latency of one read
//! and one register over HTTP.
//!
//! ```text
//! cargo bench -p saddlebag --bench store                  1,000, 100,000 and 1,000,000 volumes
//! cargo bench -p saddlebag --bench store -- 1000 20000    these many
//! ```
//!
//! `start` is by the clock; `CPU` is what it took of all processors together, which on a busy machine
//! tells more. Each number is measured in a process of its own, on a store file made for it: the whole server
//! starts, with the built-in driver, and is asked by the generated client. Memory is what a start
//! adds to the resident memory of the process, over what it adds with 1,000 volumes; `shown` is the same
//! after every volume was shown once, and `list` how long that took: a volume is encoded when it is
//! first shown. So each read of a store larger than the number of reads is a first one.
#![allow(clippy::unwrap_used, reason = "a measurement may fail")]

use futures::future::try_join_all;
use jiff::Timestamp;
use saddlebag::clock::Clock;
use saddlebag::config::Config;
use saddlebag::csi::{AccessMode, AttachmentMode, Topology};
use saddlebag::id::{ExternalId, Namespace, PluginId, VolumeId, VolumeKey};
use saddlebag::server::{STORE, Server};
use saddlebag::state::{Order, State, VolumeQuery};
use saddlebag::store::{Embedded, Store, Transaction, keys};
use saddlebag::volume::{Backing, Capability, SealedMountOptions, Volume};
use saddlebag_client::{Client, types};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Tells a process to measure the store in this folder.
const FOLDER: &str = "SADDLEBAG_BENCH_FOLDER";
/// How many volumes a transaction of the making of a store holds.
const VOLUMES_AT_ONCE: u64 = 60;
const READS: usize = 5_000;
const REGISTERS: usize = 500;

#[tokio::main]
async fn main() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        measure(Path::new(&folder)).await;
        return;
    }
    let asked: Vec<u64> = std::env::args().filter_map(|n| n.parse().ok()).collect();
    let sizes = match asked.is_empty() {
        true => vec![1_000, 100_000, 1_000_000],
        false => asked,
    };
    println!(
        "{:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "volumes",
        "file",
        "start",
        "CPU",
        "memory",
        "a volume",
        "shown",
        "list",
        "read p50",
        "p99",
        "register",
        "p99"
    );
    let mut least: Option<Measured> = None;
    for volumes in sizes {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), volumes).await;
        let file = std::fs::metadata(folder.path().join(STORE)).unwrap().len();
        let measured = in_a_process(folder.path(), volumes);
        let more = least.as_ref().filter(|least| least.volumes < volumes);
        let each = |memory: fn(&Measured) -> f64| match more {
            Some(least) => {
                let bytes = memory(&measured) - memory(least);
                format!("{:.0} B", bytes / (volumes - least.volumes) as f64)
            }
            None => String::new(),
        };
        let microseconds = |n: f64| format!("{:.0} us", n * 1e6);
        println!(
            "{volumes:>10} {:>6} MB {:>7.2} s {:>7.2} s {:>6.0} MB {:>9} {:>9} {:>7.2} s {:>9} {:>9} {:>9} {:>9}",
            file / 1_000_000,
            measured.start,
            measured.processor,
            measured.memory / 1e6,
            each(|measured| measured.memory),
            each(|measured| measured.shown),
            measured.list,
            microseconds(measured.read[0]),
            microseconds(measured.read[1]),
            microseconds(measured.register[0]),
            microseconds(measured.register[1]),
        );
        let _ = std::io::stdout().flush();
        least.get_or_insert(measured);
    }
}

/// Seconds, and bytes.
struct Measured {
    volumes: u64,
    start: f64,
    processor: f64,
    memory: f64,
    shown: f64,
    list: f64,
    read: [f64; 2],
    register: [f64; 2],
}

fn in_a_process(folder: &Path, volumes: u64) -> Measured {
    let output = Command::new(std::env::current_exe().unwrap())
        .env(FOLDER, folder)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|n| n.parse().unwrap());
    let mut next = || numbers.next().unwrap();
    Measured {
        volumes,
        start: next(),
        processor: next(),
        memory: next(),
        shown: next(),
        list: next(),
        read: [next(), next()],
        register: [next(), next()],
    }
}

/// Starts a server on the store in this folder, asks it, and prints what was measured.
async fn measure(folder: &Path) {
    let before = resident();
    let began = Instant::now();
    let mut config = Config::new(folder);
    config.builtin_driver = true;
    let server = Server::start(config, Clock::default(), None).await.unwrap();
    let start = began.elapsed();
    let processor = processor_time();
    let memory = resident() - before;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()));
    let watcher = server.watcher();
    let serving = tokio::spawn(server.serve(listener, std::future::pending()));
    watcher.all_healthy().await;
    let volumes = watcher.state().volume_count();

    let mut reads = Vec::new();
    for n in 0..READS + READS / 10 {
        let id = id((n * 7_919 % volumes) as u64);
        let began = Instant::now();
        client.read_volume().volume_id(id).send().await.unwrap();
        reads.push(began.elapsed());
    }
    let mut registers = Vec::new();
    let created = client.create_volume().volume_id("mine");
    let created = created.body_map(|body| body.volumes([mine(None)]));
    let external = created.send().await.unwrap().volumes.remove(0).external_id;
    for _ in 0..REGISTERS + REGISTERS / 10 {
        let gone = client.deregister_volume().volume_id("mine").send().await;
        gone.unwrap();
        let volume = mine(Some(external.clone()));
        let register = client.register_volume().volume_id("mine");
        let began = Instant::now();
        let registered = register
            .body_map(|body| body.volumes([volume]))
            .send()
            .await;
        registered.unwrap();
        registers.push(began.elapsed());
    }
    let [read, read_p99] = percentiles(reads.split_off(READS / 10));
    let [register, register_p99] = percentiles(registers.split_off(REGISTERS / 10));
    let (list, shown) = show_all(&watcher.state());
    let shown = shown - before;
    println!(
        "{} {processor} {memory} {shown} {list} {read} {read_p99} {register} {register_p99}",
        start.as_secs_f64()
    );
    serving.abort();
}

/// Shows every volume as lists do: how long that takes, and the resident memory afterwards.
fn show_all(state: &State) -> (f64, f64) {
    let began = Instant::now();
    let mut stub = Vec::new();
    for (_, entry) in state.select(&VolumeQuery::default(), Order::Ascending, None) {
        stub.clear();
        entry.write_stub(state.fragments(&entry.plugin).map(AsRef::as_ref), &mut stub);
        black_box(&stub);
    }
    (began.elapsed().as_secs_f64(), resident())
}

/// The median and the 99th percentile, in seconds.
fn percentiles(mut of: Vec<Duration>) -> [f64; 2] {
    of.sort_unstable();
    [50, 99].map(|percent| of[of.len() * percent / 100].as_secs_f64())
}

/// The resident memory of this process, in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line.unwrap().trim_end_matches("kB").trim().parse().unwrap();
    kib * 1_024.0
}

/// The time that processors spent on this process, in seconds.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.map(|n| n.parse::<f64>().unwrap()).sum();
    ticks / 100.0 // the kernel tells it in hundredths
}

/// Makes a store with so many volumes.
async fn fill(folder: &Path, volumes: u64) {
    let store = Embedded::open(&folder.join(STORE)).unwrap();
    let numbers: Vec<u64> = (0..volumes).collect();
    let transactions: Vec<&[u64]> = numbers.chunks(VOLUMES_AT_ONCE as usize).collect();
    for some in transactions.chunks(200) {
        let commits = some.iter().map(|numbers| store.commit(rows(numbers)));
        try_join_all(commits).await.unwrap();
    }
    store.close().await.unwrap();
}

fn rows(numbers: &[u64]) -> Transaction {
    let mut transaction = Transaction::default();
    for n in numbers {
        let volume = volume(*n);
        let backing = Backing {
            volumes: vec![volume.key.clone()],
            shared: false,
        };
        let backed = keys::backing(&volume.plugin, &volume.external_id);
        transaction.put(keys::volume(&volume.key), &volume).unwrap();
        transaction.put(backed, &backing).unwrap();
    }
    transaction
}

fn id(n: u64) -> String {
    format!("volume-{n:07}")
}

/// A volume as Ceph's or EBS's drivers make them.
fn volume(n: u64) -> Volume {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    };
    let now: Timestamp = "2026-11-21T17:00:00.123456789Z".parse().unwrap();
    Volume {
        key: VolumeKey {
            namespace: Namespace::default_namespace(),
            id: VolumeId::known(id(n)),
        },
        name: id(n),
        plugin: PluginId::known("local"),
        external_id: ExternalId::known(format!("0001-0024-{n:032x}")),
        provider: "rbd.csi.ceph.com".into(),
        provider_version: "v3.12.0".into(),
        controller_required: true,
        capacity: 10 << 30,
        capacity_min: 10 << 30,
        capacity_max: 20 << 30,
        capabilities: [
            AccessMode::SingleNodeWriter,
            AccessMode::SingleNodeReaderOnly,
        ]
        .map(|access_mode| Capability {
            access_mode,
            attachment_mode: AttachmentMode::FileSystem,
        })
        .to_vec(),
        mount_options: SealedMountOptions {
            fs_type: "ext4".into(),
            mount_flags: None,
        },
        parameters: map(&[("clusterID", "ceph-1"), ("pool", "volumes")]),
        context: map(&[
            ("imageName", &format!("csi-vol-{n:x}")),
            ("pool", "volumes"),
        ]),
        clone_id: String::new(),
        snapshot_id: String::new(),
        topologies: vec![Topology {
            segments: map(&[("topology.rbd.csi.ceph.com/zone", "zone-a")]),
        }],
        requested_topologies: None,
        secrets: None,
        node_expansion_pending: false,
        delete_given_up: None,
        created_at: now,
        modified_at: now,
    }
}

fn mine(external_id: Option<String>) -> types::VolumeRequest {
    types::VolumeRequest::builder()
        .id("mine".to_owned())
        .name("mine".to_owned())
        .plugin_id("local".to_owned())
        .external_id(external_id)
        .requested_capacity_min(1 << 20)
        .requested_capabilities([types::CapabilityRequest {
            access_mode: types::CapabilityRequestAccessMode::SingleNodeWriter,
            attachment_mode: types::CapabilityRequestAttachmentMode::FileSystem,
        }])
        .try_into()
        .unwrap()
}
