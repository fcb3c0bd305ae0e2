//! Many reads that wait for one volume.

use crate::load::{Connection, get};
use crate::site::{Site, registration};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What was measured.
pub struct Waited {
    /// Resident memory of the server, for each.
    pub kilobytes: f64,
    /// From the change to the last answer.
    pub woken: Duration,
}

/// As many as asked for, or as this process and those that it starts may have open files: it raises what it
/// may.
pub fn allowed(waiting: u64) -> u64 {
    const OTHERS: u64 = 500;
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let wanted = (waiting + OTHERS).max(limit.current.unwrap_or(0)).min(most);
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let allowed = waiting.min(wanted.saturating_sub(OTHERS));
    if allowed < waiting {
        println!(
            "no more than {allowed} reads can wait: raise the limit of open files (ulimit -n)"
        );
    }
    allowed
}

/// Lets so many reads of a volume wait for its change, and changes it.
pub async fn measure(site: &Site, path: &str, waiting: u64) -> Waited {
    let mut first = Connection::open(&site.address).await;
    first.send(&get(&site.address, path)).await;
    first.answer().await;
    let index = first.header("x-nomad-index");
    let request = get(&site.address, &format!("{path}?index={index}&wait=300s"));
    let before = resident(site.process);
    let mut readers = JoinSet::new();
    for _ in 0..waiting {
        let mut reader = Connection::open(&site.address).await;
        reader.send(&request).await;
        readers.spawn(async move {
            reader.answer().await;
            Instant::now()
        });
    }
    rest(site.process).await;
    let after = resident(site.process);
    let id = path.rsplit('/').next().unwrap();
    let change = registration(&site.address, id, "changed");
    let began = Instant::now();
    first.send(&change).await;
    first.answer().await;
    let mut last = began;
    while let Some(woken) = readers.join_next().await {
        last = last.max(woken.unwrap());
    }
    Waited {
        kilobytes: after.saturating_sub(before) as f64 / 1e3 / waiting as f64,
        woken: last - began,
    }
}

/// Waits until a process has nothing to do: it took no time of a processor for a while.
async fn rest(process: u32) {
    const WHILE: Duration = Duration::from_millis(300);
    let mut before = None;
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let times = fields.split(' ').skip(11).take(2);
        let ticks: u64 = times.map(|time| time.parse::<u64>().unwrap()).sum();
        if before == Some(ticks) {
            return;
        }
        before = Some(ticks);
        tokio::time::sleep(WHILE).await;
    }
}

/// Resident memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes << 10
}
