//! How fast requests are answered, beside a minimal axum server that sends the same bytes.
//!
//! ```text
//! cargo bench -p saddlebag --bench http                       10,000 volumes, 10,000 waiting reads, 1 s a round
//! cargo bench -p saddlebag --bench http -- 500 200 100        500 volumes, 200 waiting reads, 100 ms a round
//! ```
//!
//! Both servers are processes of their own; the client is this one. Each pair is measured in turns, round by
//! round, and what is told is the middle round of each: on a busy machine both suffer alike. So the ratios tell
//! more than the numbers. `aim` is what a ratio or number has to reach.
//!
//! - One volume, and the list of all of them: answers a second, beside axum's.
//! - A page of 50 from the middle of all volumes, another each time, beside a page of 50 of a server that has
//!   no more.
//! - Registers a second by 64 clients, each durable, beside the `fdatasync`s a second that the disk below
//!   `target` does for one writer. The plugin has no controller, so no driver is asked.
//! - A filter that one of all volumes fits, another each time: answers a second.
//! - Reads of one volume that wait for its change: what each adds to the resident memory of the server, and how
//!   long after the change was sent the last of them has its answer.
#![allow(clippy::unwrap_used, reason = "a measurement may fail")]

mod disk;
mod load;
#[path = "../../tests/support/scripted_driver/mod.rs"]
mod scripted_driver;
mod site;
mod waiters;

use load::{Until, get, run};
use site::{Site, register};
use std::sync::Arc;
use std::time::Duration;

const CONNECTIONS: usize = 16;
const WRITERS: usize = 64;
const ROUNDS: usize = 5;
const PAGE: u64 = 50;
const ONE: &str = "/v1/volume/csi/v-000007";
const LIST: &str = "/v1/volumes?type=csi";

#[tokio::main]
async fn main() {
    if site::is_one() {
        return site::serve().await;
    }
    let asked: Vec<u64> = std::env::args().filter_map(|n| n.parse().ok()).collect();
    let [volumes, waiting, milliseconds] = asked[..].try_into().unwrap_or([10_000, 10_000, 1_000]);
    let round = Duration::from_millis(milliseconds);
    let waiting = waiters::allowed(waiting);

    let many = Site::saddlebag().await;
    let few = Site::saddlebag().await;
    register(&many, 0..volumes, WRITERS).await;
    register(&few, 0..PAGE, WRITERS).await;
    println!(
        "{:<34} {:>12} {:>12} {:>8} {:>6}",
        "", "saddlebag", "beside", "ratio", "aim"
    );

    for (what, path, aim) in [
        ("one volume, per second", ONE, 0.8),
        ("list of all, per second", LIST, 0.7),
    ] {
        let minimal = Site::minimal(&load::body(&many.address, path).await).await;
        let ours = Asked::new(&many, path);
        let axum = Asked::new(&minimal, path);
        beside(what, &ours, &axum, round, aim).await;
    }
    let middle = Asked::each(&many, move |number| {
        let first = site::id(volumes / 4 + number * PAGE % (volumes / 2).max(1));
        format!("{LIST}&per_page={PAGE}&next_token=default.{first}")
    });
    let alone = Asked::new(&few, &format!("{LIST}&per_page={PAGE}"));
    beside(
        "page in the middle, per second",
        &middle,
        &alone,
        round,
        0.95,
    )
    .await;

    let filter = Asked::each(&many, move |number| {
        let name = site::id(number * 7919 % volumes);
        format!("{LIST}&filter=Name%20==%20%22{name}%22")
    });
    let filters = middle_of(&filter, round).await;
    println!(
        "{:<34} {filters:>12.0} {:>12} {:>8} {:>6}",
        "filters, per second", "", "", 730
    );

    let syncs = disk::syncs_a_second(round);
    let first = volumes;
    let last = first + registers(syncs, round);
    let took = register(&many, first..last, WRITERS).await;
    let syncs = syncs.max(disk::syncs_a_second(round));
    let registers = (last - first) as f64 / took.as_secs_f64();
    told("registers, fdatasyncs, per second", registers, syncs, 1.0);

    let told = waiters::measure(&many, ONE, waiting).await;
    println!(
        "{:<34} {:>12.1} {:>12} {:>8} {:>6}",
        format!("kB for each of {waiting} waiting reads"),
        told.kilobytes,
        "",
        "",
        8
    );
    println!(
        "{:<34} {:>12.0} {:>12} {:>8} {:>6}",
        format!("ms until {waiting} of them are woken"),
        told.woken.as_secs_f64() * 1e3,
        "",
        "",
        ""
    );
}

/// How many registers take about three rounds if each takes a sync.
fn registers(syncs: f64, round: Duration) -> u64 {
    (syncs * round.as_secs_f64() * 3.0) as u64 + WRITERS as u64
}

/// Makes the request of a number.
type Make = Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// Requests that are sent again and again.
struct Asked<'s> {
    site: &'s Site,
    make: Make,
}

impl<'s> Asked<'s> {
    /// The same each time.
    fn new(site: &'s Site, path: &str) -> Self {
        let request = get(&site.address, path);
        let make = Arc::new(move |_| request.clone());
        Self { site, make }
    }

    /// Another path for each number.
    fn each(site: &'s Site, path: impl Fn(u64) -> String + Send + Sync + 'static) -> Self {
        let address = site.address.clone();
        let make = Arc::new(move |number| get(&address, &path(number)));
        Self { site, make }
    }

    /// Answers a second.
    async fn rate(&self, round: Duration) -> f64 {
        let make = Arc::clone(&self.make);
        let make = move |number| make(number);
        let ran = run(&self.site.address, CONNECTIONS, Until::Over(round), make).await;
        ran.answers as f64 / ran.took.as_secs_f64()
    }
}

/// Measures two in turns, and tells both.
async fn beside(what: &str, ours: &Asked<'_>, other: &Asked<'_>, round: Duration, aim: f64) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        left.push(ours.rate(round).await);
        right.push(other.rate(round).await);
    }
    told(what, middle(left), middle(right), aim);
}

async fn middle_of(asked: &Asked<'_>, round: Duration) -> f64 {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        rates.push(asked.rate(round).await);
    }
    middle(rates)
}

fn middle(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn told(what: &str, ours: f64, other: f64, aim: f64) {
    let ratio = ours / other;
    println!("{what:<34} {ours:>12.0} {other:>12.0} {ratio:>8.2} {aim:>6}");
}
