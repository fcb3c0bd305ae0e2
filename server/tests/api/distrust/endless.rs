//! What listens at a socket, takes every call, and sends messages without end.

use futures::stream;
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use hyper::{Response, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

pub struct Driver {
    folder: tempfile::TempDir,
    sent: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Driver {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("csi.sock")).unwrap();
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let serving = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    let answer = service_fn(move |_| {
                        let counted = Arc::clone(&counted);
                        // Each frame is one empty message of gRPC.
                        let frames = stream::repeat_with(move || {
                            counted.fetch_add(1, Ordering::Relaxed);
                            Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0; 5])))
                        });
                        async move {
                            Response::builder()
                                .header("content-type", "application/grpc")
                                .body(StreamBody::new(frames))
                        }
                    });
                    let _ = http2::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(connection), answer)
                        .await;
                });
            }
        });
        Self {
            folder,
            sent,
            serving,
        }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("csi.sock")
    }

    /// How many messages were sent.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
