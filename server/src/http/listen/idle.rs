//! Knowing that nobody asks anything on a connection that carries many requests at once.

use axum::body::{Body, Bytes};
use axum::http::Response;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Counts the requests of a connection that are being answered.
#[derive(Clone)]
pub(super) struct Requests(Arc<watch::Sender<usize>>);

/// A request that is being answered, until this is dropped.
pub(super) struct UnderWay(Arc<watch::Sender<usize>>);

impl Requests {
    pub fn none() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// One more.
    pub fn begin(&self) -> UnderWay {
        self.0.send_modify(|count| *count += 1);
        UnderWay(Arc::clone(&self.0))
    }

    /// Completes once there was no request for so long.
    pub async fn none_for(&self, patience: Duration) {
        let mut count = self.0.subscribe();
        loop {
            let is_idle = *count.borrow_and_update() == 0;
            let changed = match is_idle {
                true => timeout(patience, count.changed()).await,
                false => Ok(count.changed().await),
            };
            if !matches!(changed, Ok(Ok(()))) {
                return;
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl UnderWay {
    /// The response, whose request is under way until all of it was sent or the client left.
    pub fn until_sent(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| {
            Body::new(Sending {
                body,
                _request: self,
            })
        })
    }
}

struct Sending {
    body: Body,
    _request: UnderWay,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
