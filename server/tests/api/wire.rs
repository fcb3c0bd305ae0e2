//! Requests byte by byte, for what no generated client sends: no `Accept` header (as Nomad's own
//! clients), foreign hosts, raw paths, malformed bodies.

use crate::server::TestServer;
use saddlebag_client::types;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request to be sent.
#[must_use]
pub struct Ask<'s> {
    server: &'s TestServer,
    method: &'s str,
    target: &'s str,
    host: Option<&'s str>,
    headers: Vec<(&'s str, &'s str)>,
    body: Option<Vec<u8>>,
    is_chunked: bool,
}

/// An answer as it came over the socket.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl TestServer {
    /// A request without a body and without any header but `Host`.
    pub fn ask<'s>(&'s self, method: &'s str, target: &'s str) -> Ask<'s> {
        Ask {
            server: self,
            method,
            target,
            host: None,
            headers: Vec::new(),
            body: None,
            is_chunked: false,
        }
    }
}

impl<'s> Ask<'s> {
    pub fn header(mut self, name: &'s str, value: &'s str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Another `Host` than the server's address.
    pub fn host(mut self, host: &'s str) -> Self {
        self.host = Some(host);
        self
    }

    /// As a client that reads JSON errors.
    pub fn wanting_json(self) -> Self {
        self.header("Accept", "application/json")
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// A body whose length is not said ahead, chunk by chunk as it stands on the wire.
    pub fn chunked(self, chunks: impl Into<Vec<u8>>) -> Self {
        Self {
            is_chunked: true,
            ..self.body(chunks)
        }
    }

    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    pub async fn send(self) -> Answer {
        let address = self.server.url.trim_start_matches("http://");
        let host = self.host.unwrap_or(address);
        let mut request = format!(
            "{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n",
            self.method, self.target
        );
        for (name, value) in &self.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        match &self.body {
            Some(_) if self.is_chunked => request.push_str("Transfer-Encoding: chunked\r\n"),
            Some(body) => request.push_str(&format!("Content-Length: {}\r\n", body.len())),
            None => {}
        }
        request.push_str("\r\n");
        let mut request = request.into_bytes();
        request.extend_from_slice(&self.body.unwrap_or_default());

        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer to {} {}", self.method, self.target));
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        Answer {
            status: head[9..12].parse().unwrap(),
            body: answer[end + 4..].to_vec(),
            head,
        }
    }
}

impl Answer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The index that it was answered at.
    #[track_caller]
    pub fn index(&self) -> u64 {
        self.header("x-nomad-index").unwrap().parse().unwrap()
    }

    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of a failure, as who accepts JSON reads it.
    #[track_caller]
    pub fn error(&self) -> types::Error {
        serde_json::from_value(self.json()).unwrap()
    }
}
