//! A client that does no more than it must: it costs little beside what it measures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// When there were enough requests.
#[derive(Clone, Copy)]
pub enum Until {
    /// After so many.
    Asked(u64),
    /// After so long.
    Over(Duration),
}

pub struct Ran {
    pub answers: u64,
    pub took: Duration,
}

/// Sends the requests that `make` makes, of 0 on, one after the other on each of the connections.
pub async fn run(
    address: &str,
    connections: usize,
    until: Until,
    make: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
) -> Ran {
    let (make, next, answers) = (
        Arc::new(make),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let began = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(address).await;
        let (make, next, answers) = (Arc::clone(&make), Arc::clone(&next), Arc::clone(&answers));
        all.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let is_enough = match until {
                    Until::Asked(count) => number >= count,
                    Until::Over(time) => began.elapsed() >= time,
                };
                if is_enough {
                    return;
                }
                connection.send(&make(number)).await;
                connection.answer().await;
                answers.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
    Ran {
        answers: answers.load(Ordering::Relaxed),
        took: began.elapsed(),
    }
}

/// A read.
pub fn get(address: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes()
}

/// What a read is answered with.
pub async fn body(address: &str, path: &str) -> Vec<u8> {
    let mut connection = Connection::open(address).await;
    connection.send(&get(address, path)).await;
    let end = connection.answer().await;
    connection.buffer[end..].to_vec()
}

/// A connection that is kept.
pub struct Connection {
    socket: TcpStream,
    /// The last answer.
    pub buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: &str) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        Self {
            socket,
            buffer: Vec::new(),
        }
    }

    pub async fn send(&mut self, request: &[u8]) {
        self.socket.write_all(request).await.unwrap();
    }

    /// Reads one answer, which has to be a 200 of a stated length, and tells where its body begins.
    pub async fn answer(&mut self) -> usize {
        self.buffer.clear();
        let mut whole = None;
        loop {
            let read = self.socket.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the server went away");
            if whole.is_none() {
                whole = length(&self.buffer);
            }
            if let Some((head, body)) = whole
                && self.buffer.len() >= head + body
            {
                return head;
            }
        }
    }

    /// A header of the last answer.
    pub fn header(&self, name: &str) -> String {
        let head = String::from_utf8_lossy(&self.buffer);
        let value = value(&head, name);
        value
            .unwrap_or_else(|| panic!("no {name}: {head}"))
            .to_owned()
    }
}

/// How long the head and the body of an answer are, once its head is there.
fn length(answer: &[u8]) -> Option<(usize, usize)> {
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let told = || String::from_utf8_lossy(answer);
    assert!(head.starts_with("HTTP/1.1 200"), "{}", told());
    let length = value(head, "content-length").unwrap_or_else(|| panic!("no length: {}", told()));
    Some((end, length.parse().unwrap()))
}

fn value<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(": ")?;
        known.eq_ignore_ascii_case(name).then_some(value)
    })
}
