//! Knowing of a connection that carries many requests at once that nobody asks anything on it, or that its
//! client does not take an answer.
//!
//! An answer is handed over in parts, each once the one before it was taken, so that it is known to be
//! under way until all but its last part was taken.

use axum::body::{Body, Bytes};
use axum::http::Response;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How much of an answer is handed over at once, in bytes.
const PART: usize = 64 << 10;

/// The requests of a connection that are being answered.
#[derive(Clone)]
pub(super) struct Requests(Arc<watch::Sender<Counted>>);

#[derive(Default)]
struct Counted {
    begun: u64,
    under_way: usize,
    /// Since when a part of an answer waits to be taken, by request.
    untaken: HashMap<u64, Instant>,
}

/// A request that is being answered, until this is dropped.
pub(super) struct UnderWay {
    requests: Requests,
    number: u64,
}

impl Requests {
    pub fn none() -> Self {
        Self(Arc::new(watch::Sender::new(Counted::default())))
    }

    /// One more.
    pub fn begin(&self) -> UnderWay {
        let mut number = 0;
        self.0.send_modify(|counted| {
            counted.begun += 1;
            counted.under_way += 1;
            number = counted.begun;
        });
        let requests = self.clone();
        UnderWay { requests, number }
    }

    /// Completes once there was no request for as long as `idle`, or a part of an answer was not taken for
    /// as long as `untaken`, or up to twice that.
    pub async fn are_given_up(&self, idle: Duration, untaken: Duration) {
        let mut counted = self.0.subscribe();
        loop {
            let (is_idle, is_stuck) = {
                let now = counted.borrow_and_update();
                let mut waits = now.untaken.values().map(Instant::elapsed);
                (now.under_way == 0, waits.any(|wait| wait >= untaken))
            };
            let patience = if is_idle { idle } else { untaken };
            let has_changed = !is_stuck && timeout(patience, counted.changed()).await.is_ok();
            if is_stuck || (is_idle && !has_changed) {
                return;
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.requests.0.send_modify(|counted| {
            counted.under_way -= 1;
            counted.untaken.remove(&self.number);
        });
    }
}

impl UnderWay {
    /// The response, whose request is under way until all of it was handed over or the client left.
    pub fn until_sent(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| {
            Body::new(Sending {
                body,
                rest: Bytes::new(),
                request: self,
            })
        })
    }

    /// Notes that a part of the answer waits to be taken, or waits no more.
    fn waits(&self, is_untaken: bool) {
        self.requests.0.send_if_modified(|counted| {
            match is_untaken {
                true => counted.untaken.insert(self.number, Instant::now()),
                false => counted.untaken.remove(&self.number),
            };
            false // who waits for a change of the count is not woken
        });
    }
}

struct Sending {
    body: Body,
    /// What there is and was not handed over yet.
    rest: Bytes,
    request: UnderWay,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    /// To be asked for more means that what was handed over was taken.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.request.waits(false);
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let part = self.rest.len().min(PART);
        let part = self.rest.split_to(part);
        self.request.waits(true);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
