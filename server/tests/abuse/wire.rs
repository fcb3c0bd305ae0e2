//! Requests as bytes, and a client that sends any bytes and reads what comes back.

use std::fmt;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a body is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By its length; not at all if there is none.
    Length,
    /// In chunks.
    Chunked,
    /// By more than there is; then the client ends its side.
    TooLong,
    /// By less than there is.
    TooShort,
    /// In chunks that are none.
    BadChunks,
}

/// A request as it is sent.
#[derive(Clone)]
pub struct Request {
    /// The operation that was thought of.
    pub operation: String,
    pub method: String,
    /// Path and query, not always what a request line may hold.
    pub target: Vec<u8>,
    /// Name and value, not always what a header may hold.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
    pub framing: Framing,
    /// Whether what is sent is no HTTP, so that a connection cannot be used again.
    pub is_garbled: bool,
}

impl Request {
    /// What goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(&[name.as_slice(), b": ", value, b"\r\n"].concat());
        }
        let body = &self.body;
        let length = |length: usize| format!("Content-Length: {length}\r\n\r\n").into_bytes();
        match self.framing {
            Framing::Length if body.is_empty() => bytes.extend_from_slice(b"\r\n"),
            Framing::Length => bytes.extend(length(body.len())),
            Framing::TooLong => bytes.extend(length(body.len() + 7)),
            Framing::TooShort => bytes.extend(length(body.len() / 2)),
            Framing::Chunked | Framing::BadChunks => {
                bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            }
        }
        match self.framing {
            Framing::Length | Framing::TooLong | Framing::TooShort => bytes.extend_from_slice(body),
            Framing::Chunked => {
                for chunk in body.chunks(1000) {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
            Framing::BadChunks => {
                bytes.extend_from_slice(b"zz\r\n");
                bytes.extend_from_slice(body);
            }
        }
        bytes
    }

    /// Whether the client ends the connection before its request is whole; nobody has to answer that.
    pub fn breaks_off(&self) -> bool {
        self.framing == Framing::TooLong
    }

    /// Whether the connection can serve after this.
    fn is_whole(&self) -> bool {
        !self.is_garbled && matches!(self.framing, Framing::Length | Framing::Chunked)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3000;
        let bytes = self.bytes();
        write!(f, "{}", bytes[..bytes.len().min(SHOWN)].escape_ascii())?;
        match bytes.len().checked_sub(SHOWN) {
            Some(more) => write!(f, "… and {more} bytes more"),
            None => Ok(()),
        }
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    /// As sent, so perhaps compressed.
    pub body: Vec<u8>,
}

impl Answer {
    /// The header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A client with one connection, which it keeps for as long as it can.
pub struct Connection {
    address: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn to(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            stream: None,
            buffer: Vec::new(),
        }
    }

    /// Whether the connection can take another request.
    pub fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Sends a request and reads its answer; `None` if the connection ended without one.
    pub async fn exchange(&mut self, request: &Request) -> io::Result<Option<Answer>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                self.buffer.clear();
                TcpStream::connect(&self.address).await?
            }
        };
        let bytes = request.bytes();
        let (mut reader, mut writer) = stream.split();
        let mut is_sent = false;
        let send = async {
            // A server may answer and close before it has read all: what counts is the answer.
            if writer.write_all(&bytes).await.is_ok() {
                if request.breaks_off() {
                    let _ = writer.shutdown().await;
                }
                is_sent = true;
            }
            std::future::pending::<()>().await;
        };
        let receive = read(&mut reader, &mut self.buffer, request.method == "HEAD");
        let answer = tokio::time::timeout(PATIENCE, async {
            tokio::select! {
                answer = receive => answer,
                () = send => Ok(None),
            }
        })
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer for a minute"))??;
        let closes = |answer: &Answer| {
            answer.header("connection") == Some("close") || matches!(answer.status, 408 | 413)
        };
        if is_sent && request.is_whole() && answer.as_ref().is_some_and(|answer| !closes(answer)) {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

/// Reads one answer and what went before it (`100 Continue`).
async fn read(
    reader: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut Vec<u8>,
    to_head: bool,
) -> io::Result<Option<Answer>> {
    loop {
        let Some(head) = read_head(reader, buffer).await? else {
            return Ok(None);
        };
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| io::Error::other(format!("no status line: {head:?}")))?;
        if status < 200 {
            continue;
        }
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
        };
        let length = answer.header("content-length").map(str::parse);
        let has_body = !to_head && status != 204 && status != 304;
        answer.body = match length {
            _ if !has_body => Vec::new(),
            Some(Ok(length)) => take(reader, buffer, length).await?,
            Some(Err(_)) => return Err(io::Error::other("a length that is no number")),
            None if answer.header("transfer-encoding") == Some("chunked") => {
                read_chunks(reader, buffer).await?
            }
            None => return Err(io::Error::other(format!("no length: {:?}", answer.head))),
        };
        return Ok(Some(answer));
    }
}

async fn read_head(
    reader: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = buffer.drain(..end + 4).collect();
            return String::from_utf8(head).map(Some).map_err(io::Error::other);
        }
        match reader.read_buf(buffer).await {
            Ok(0) if buffer.is_empty() => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

async fn read_chunks(
    reader: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        while !buffer.windows(2).any(|two| two == b"\r\n") {
            more(reader, buffer).await?;
        }
        let end = buffer.iter().position(|byte| *byte == b'\r').unwrap_or(0);
        let line: Vec<u8> = buffer.drain(..end + 2).collect();
        let line = String::from_utf8_lossy(&line);
        let size = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        let chunk = take(reader, buffer, size + 2).await?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

async fn take(
    reader: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut Vec<u8>,
    length: usize,
) -> io::Result<Vec<u8>> {
    while buffer.len() < length {
        more(reader, buffer).await?;
    }
    Ok(buffer.drain(..length).collect())
}

async fn more(reader: &mut (impl AsyncReadExt + Unpin), buffer: &mut Vec<u8>) -> io::Result<()> {
    match reader.read_buf(buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
