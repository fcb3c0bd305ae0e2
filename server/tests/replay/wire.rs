//! A client that sees what is on the wire, the spelling of headers included.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(60);

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// By their names as spelt.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Sends a request on a connection of its own. Nothing is compressed, as nothing was when it was recorded.
pub async fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &BTreeMap<String, String>,
    body: Option<Vec<u8>>,
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = match body {
        Some(body) => {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
            body
        }
        None => Vec::new(),
    };
    let request = [head.as_bytes(), b"\r\n", &body].concat();
    let exchange = async {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await.unwrap();
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    Answer {
        status: status.parse().unwrap(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: answer[end + 4..].to_vec(),
    }
}
