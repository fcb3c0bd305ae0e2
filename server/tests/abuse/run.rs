//! Sends requests from many clients at once and judges every answer.

use crate::generate::Generator;
use crate::pool::{Pool, SECRET};
use crate::wire::{Answer, Connection, Request};
use flate2::read::{DeflateDecoder, GzDecoder};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many clients send at once.
const CLIENTS: usize = 24;

/// The most failures that are told; the first ones say enough.
const TOLD: usize = 12;

/// What came of a run.
#[derive(Default)]
pub struct Report {
    statuses: Mutex<BTreeMap<String, BTreeMap<u16, u64>>>,
    failures: Mutex<Vec<String>>,
}

/// Sends so many requests to `address`.
pub async fn run(generator: &Generator<'_>, pool: &Pool, address: &str, count: u64) -> Report {
    let report = Report::default();
    let next = AtomicU64::new(0);
    let clients = (0..CLIENTS).map(|_| async {
        let mut connection = Connection::to(address);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let request = generator.request(number, pool);
            let answer = connection.exchange(&request).await;
            let problem = match &answer {
                Ok(Some(answer)) => {
                    report.count(&request, answer.status);
                    judge(answer, pool, number).err()
                }
                Ok(None) if request.breaks_off() => None,
                Ok(None) => Some("no answer".to_owned()),
                Err(error) => Some(format!("no whole answer: {error}")),
            };
            if let Some(problem) = problem {
                report.fail(number, &request, answer.ok().flatten().as_ref(), &problem);
            }
        }
    });
    futures::future::join_all(clients).await;
    report
}

/// What is wrong with an answer by itself; the document judges the rest on the server's side.
fn judge(answer: &Answer, pool: &Pool, number: u64) -> Result<(), String> {
    let problem = |text: &str| Err(text.to_owned());
    if matches!(answer.status, 500 | 502 | 503) {
        return problem("a defect of the server or of the driver");
    }
    let mut body = Vec::new();
    let read = match answer.header("content-encoding") {
        Some("gzip") => GzDecoder::new(&*answer.body).read_to_end(&mut body),
        Some("deflate") => DeflateDecoder::new(&*answer.body).read_to_end(&mut body),
        Some(_) => return problem("an encoding that nobody asked for"),
        None => answer.body.as_slice().read_to_end(&mut body),
    };
    if let (Err(error), false) = (read, answer.body.is_empty()) {
        return Err(format!("the body cannot be decoded: {error}"));
    }
    let holds = |text: &[u8]| {
        text.windows(SECRET.len())
            .any(|part| part == SECRET.as_bytes())
    };
    if holds(&body) || holds(answer.head.as_bytes()) {
        return problem("a secret is in the answer");
    }
    if answer.header("x-injected").is_some() {
        return problem("a header was injected");
    }
    if answer.header("content-type") == Some("application/json") && !body.is_empty() {
        let value = serde_json::from_slice(&body).map_err(|error| format!("no JSON: {error}"))?;
        pool.learn(&value, &mut SmallRng::seed_from_u64(number));
    }
    Ok(())
}

impl Report {
    fn count(&self, request: &Request, status: u16) {
        let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        let of_operation = statuses.entry(request.operation.clone()).or_default();
        *of_operation.entry(status).or_default() += 1;
    }

    fn fail(&self, number: u64, request: &Request, answer: Option<&Answer>, problem: &str) {
        let answered = answer.map_or_else(String::new, |answer| {
            format!(
                "\n  answered: {}{}",
                answer.head,
                answer.body.escape_ascii()
            )
        });
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!(
                "request {number}: {problem}\n  sent: {request}{answered}"
            ));
    }

    /// The failures, the first ones in words.
    pub fn failures(&self) -> String {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let told: Vec<&str> = failures.iter().take(TOLD).map(String::as_str).collect();
        match failures.len() {
            0 => String::new(),
            all => format!("{all} failures, of which\n{}", told.join("\n")),
        }
    }

    /// The operations of which no request was answered with a status below 300.
    pub fn never_done(&self, operations: impl Iterator<Item = String>) -> Vec<String> {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        operations
            .filter(|operation| {
                !statuses
                    .get(operation)
                    .is_some_and(|seen| seen.keys().any(|status| *status < 300))
            })
            .collect()
    }
}

/// The statuses seen, as a table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<u16> = statuses
            .values()
            .flat_map(|seen| seen.keys().copied())
            .collect();
        all.sort_unstable();
        all.dedup();
        write!(f, "{:26}", "operation")?;
        all.iter().try_for_each(|status| write!(f, "{status:>7}"))?;
        for (operation, seen) in &*statuses {
            write!(f, "\n{operation:26}")?;
            for status in &all {
                match seen.get(status) {
                    Some(count) => write!(f, "{count:>7}")?,
                    None => write!(f, "{:>7}", "")?,
                }
            }
        }
        Ok(())
    }
}
