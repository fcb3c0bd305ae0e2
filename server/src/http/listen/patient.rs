//! A TCP connection that gives up on a client who takes nothing of what is sent to it.
//!
//! What is written waits in the system's buffers; once they are full, the client has to take some of it
//! within a time. The system tells of room only when a good part of a buffer is free, so to take a byte
//! now and then is not enough.
//!
//! Once all was sent, what the client still sends is read until it leaves, within bounds: a connection that is
//! closed over unread bytes takes along what was written to it, such as why a body is too large.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long, and how much, is read of a client that goes on sending after its connection was ended.
const PARTING: Duration = Duration::from_secs(10);
const MOST_UNREAD: usize = 64 << 20;

/// A connection, and how long a write waits for its client.
pub(super) struct Patient {
    stream: TcpStream,
    patience: Duration,
    stopping: CancellationToken,
    /// Since a write found no room.
    waiting: Option<Pin<Box<Sleep>>>,
    parting: Option<Parting>,
}

/// Reading what a client sends after its connection was ended.
struct Parting {
    /// Completes when that has lasted long enough, or the server stops.
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
    unread: usize,
}

impl Patient {
    /// The connection, whose client may take nothing for so long.
    pub fn new(stream: TcpStream, patience: Duration, stopping: CancellationToken) -> Self {
        Self {
            stream,
            patience,
            stopping,
            waiting: None,
            parting: None,
        }
    }

    /// Waits for the first bytes, and leaves them to be read.
    pub async fn peek(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(into).await
    }

    /// What a write came to; an error if it has waited too long.
    fn bounded<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let patience = self.patience;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes nothing of what is sent to it",
        )))
    }

    /// Reads what the client sends until it leaves, within bounds.
    fn part(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let stopping = self.stopping.clone();
        let parting = self.parting.get_or_insert_with(|| Parting {
            over: Box::pin(async move {
                let _ = timeout(PARTING, stopping.cancelled()).await;
            }),
            unread: 0,
        });
        let mut bytes = [0; 4096];
        while parting.unread < MOST_UNREAD && parting.over.as_mut().poll(context).is_pending() {
            let mut bytes = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut bytes));
            if read.is_err() || bytes.filled().is_empty() {
                break;
            }
            parting.unread += bytes.filled().len();
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.bounded(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Ends what is sent, and waits until the client has left.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.parting.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        self.part(context).map(Ok)
    }
}
