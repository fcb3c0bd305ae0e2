//! How others are answered beside floods of clients that only cost, and what is left of them.
//!
//! ```text
//! ulimit -n 20000; cargo bench -p saddlebag --bench floods             10,000 clients of each kind
//! ulimit -n 20000; cargo bench -p saddlebag --bench floods -- 2000     so many
//! ```
//!
//! A `saddlebag serve` with its default bounds, a built-in driver, and a driver that hangs. For each kind of
//! clients: how soon a read is answered over a connection that was open before, beside them and after, and as a
//! ratio to the times before any came; memory and open files at their most and afterwards. The aim is a ratio of
//! at most 2.
//!
//! Of the clients that read nothing there is a tenth: each holds more than a megabyte.
//!
//! The clients run in this process and take their share of the processors while they come; so times are taken
//! once all are there.
#![allow(clippy::unwrap_used, reason = "a measurement may fail")]

#[path = "../tests/support/floods.rs"]
mod floods;
#[path = "../tests/support/scripted_driver/mod.rs"]
mod scripted_driver;

use floods::{Flood, descriptors, resident};
use saddlebag::csi::Call;
use scripted_driver::{Reply, ScriptedDriver};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CLIENTS: usize = 10_000;
const READS: usize = 2_000;
/// How long a server may take to forget a flood.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let count = std::env::args().find_map(|n| n.parse().ok());
    let count = count.unwrap_or(CLIENTS);
    let driver = ScriptedDriver::start();
    driver.always(Call::CreateVolume, Reply::Hang);
    let server = Server::start(&driver);
    let mut observer = TcpStream::connect(server.address).await.unwrap();
    reads(&mut observer).await; // to be warm
    let calm = reads(&mut observer).await;
    let open = descriptors(server.process.id());
    println!(
        "{count} clients; before: read p50 {:?} p99 {:?}, {open} files, {} MB",
        calm.p50,
        calm.p99,
        server.megabytes()
    );
    println!(
        "    clients  read p50  ratio       p99  ratio    files   MB | after p50  ratio  files   MB"
    );
    for flood in Flood::ALL {
        let come = match flood {
            Flood::Deaf => count / 10,
            _ => count,
        };
        let clients = flood.begin(server.address, come).await;
        // Until the server has taken in what waits in the system's queues.
        server.settle(|open| open + 1 >= clients.len()).await;
        let beside = reads(&mut observer).await;
        let (files, memory) = (descriptors(server.process.id()), server.megabytes());
        drop(clients);
        server.settle(|now| now <= open).await;
        let after = reads(&mut observer).await;
        println!(
            "{:>11} {:>9.1?} {:>6.2} {:>9.1?} {:>6.2} {files:>8} {memory:>4} | {:>9.1?} {:>6.2} {:>6} {:>4}",
            format!("{flood:?}"),
            beside.p50,
            ratio(beside.p50, calm.p50),
            beside.p99,
            ratio(beside.p99, calm.p99),
            after.p50,
            ratio(after.p50, calm.p50),
            descriptors(server.process.id()),
            server.megabytes(),
        );
    }
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

struct Times {
    p50: Duration,
    p99: Duration,
}

/// Reads the plugins again and again.
async fn reads(observer: &mut TcpStream) -> Times {
    let asked = b"GET /v1/plugins?type=csi HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut times = Vec::with_capacity(READS);
    let mut answer = vec![0; 64 << 10];
    for _ in 0..READS {
        let began = Instant::now();
        observer.write_all(asked).await.unwrap();
        // The answer is short, and comes at once.
        let read = observer.read(&mut answer).await.unwrap();
        times.push(began.elapsed());
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 "));
    }
    times.sort();
    Times {
        p50: times[READS / 2],
        p99: times[READS * 99 / 100],
    }
}

/// A `saddlebag serve`, killed with this.
struct Server {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(driver: &ScriptedDriver) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let ready = folder.path().join("ready");
        let config = format!(
            "data_dir = \"data\"\nport = 0\nbuiltin_driver = true\n[[plugin]]\nid = \"hung\"\nendpoint = \"{}\"\n",
            driver.endpoint()
        );
        std::fs::write(folder.path().join("saddlebag.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_saddlebag"));
        command
            .args(["serve", "-c", "saddlebag.toml", "--ready-file"])
            .arg(&ready)
            .current_dir(folder.path())
            .stderr(Stdio::null());
        let process = command.spawn().unwrap();
        Self {
            address: address(&ready),
            process,
            _folder: folder,
        }
    }

    fn megabytes(&self) -> u64 {
        resident(self.process.id()) >> 20
    }

    /// Waits until the server has so many files open, and takes no more time of a processor.
    async fn settle(&self, is_so: impl Fn(usize) -> bool) {
        const A_WHILE: Duration = Duration::from_millis(300);
        let began = Instant::now();
        let mut before = None;
        while began.elapsed() < PATIENCE {
            let now = self.ticks();
            if before == Some(now) && is_so(descriptors(self.process.id())) {
                return;
            }
            before = Some(now);
            tokio::time::sleep(A_WHILE).await;
        }
        println!("    (not settled within {} s)", PATIENCE.as_secs());
    }

    /// How long it has run, in ticks of the system.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let times = fields.split(' ').skip(11).take(2);
        times.map(|time| time.parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server's address, once it is ready.
fn address(ready: &Path) -> SocketAddr {
    let began = Instant::now();
    loop {
        if let Ok(url) = std::fs::read_to_string(ready) {
            return url.strip_prefix("http://").unwrap().parse().unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "the server was never ready");
        std::thread::sleep(Duration::from_millis(5));
    }
}
