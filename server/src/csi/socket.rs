//! A unix socket that says when it is lost.
//!
//! A tonic channel tells nobody when its connection ends, but it reads from the stream all the time:
//! so the stream itself sees the end first, and says so.

use super::Endpoint;
use hyper_util::rt::TokioIo;
use rustix::fs::{FileType, Mode, OFlags, fstat};
use std::{
    io,
    os::fd::AsRawFd,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
    sync::watch,
};
use tonic::transport::Uri;
use tower::{Service, service_fn};

/// The number of the socket that is open, if one is. Numbers are never used twice.
pub(super) type Link = Option<u64>;

/// What connects a channel to `endpoint`, and what tells whether it is connected.
pub(super) fn connector(
    endpoint: Arc<Endpoint>,
) -> (
    impl Service<Uri, Response = TokioIo<Socket>, Error = io::Error, Future: Send> + Send + 'static,
    watch::Receiver<Link>,
) {
    let (link, watched) = watch::channel(None);
    let link = Arc::new(link);
    let numbers = Arc::new(AtomicU64::new(0));
    let connector = service_fn(move |_: Uri| {
        let (endpoint, link, numbers) = (endpoint.clone(), link.clone(), numbers.clone());
        async move {
            let stream = connect(endpoint.path()).await?;
            let number = numbers.fetch_add(1, Ordering::Relaxed);
            link.send_replace(Some(number));
            Ok(TokioIo::new(Socket {
                stream,
                number,
                link,
            }))
        }
    });
    (connector, watched)
}

/// Connects to the socket that is at this path itself: a driver that puts a link there cannot have its
/// calls, and the secrets in them, go to somebody else's socket.
pub(super) async fn connect(path: &Path) -> io::Result<UnixStream> {
    let found = rustix::fs::open(
        path,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    match FileType::from_raw_mode(fstat(&found)?.st_mode) {
        FileType::Socket => {}
        FileType::Symlink => return Err(io::Error::other("it is a link, not the socket itself")),
        _ => return Err(io::Error::other("it is no socket")),
    }
    UnixStream::connect(format!("/proc/self/fd/{}", found.as_raw_fd())).await
}

/// An open socket.
pub(super) struct Socket {
    stream: UnixStream,
    number: u64,
    link: Arc<watch::Sender<Link>>,
}

impl Socket {
    /// Says that this socket is lost, unless another one was opened since.
    fn lost(&self) {
        self.link
            .send_if_modified(|link| link.take_if(|open| *open == self.number).is_some());
    }

    fn see<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(_)) = outcome {
            self.lost();
        }
        outcome
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.lost();
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.remaining();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let ended = before > 0 && buffer.remaining() == before;
        if ended && outcome.is_ready() {
            self.lost();
        }
        self.see(outcome)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.see(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.see(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.see(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.see(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
