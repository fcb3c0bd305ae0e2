//! A body that is copied, up to a bound, while it passes.
//!
//! Nothing waits for the copy: streams flow as before. Whoever waits for the end of a body is told
//! before the last frame goes on, so before the receiver can know that it is complete.
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

/// What passed so far. Clones are the same copy.
#[derive(Clone)]
pub(super) struct Copy {
    /// `None` once the bound was passed.
    bytes: Arc<Mutex<Option<Vec<u8>>>>,
    bound: usize,
}

impl Copy {
    pub fn bounded(bound: usize) -> Self {
        Self {
            bytes: Arc::new(Mutex::new(Some(vec![]))),
            bound,
        }
    }

    /// The copy, unless the body was longer than the bound.
    pub fn take(&self) -> Option<Vec<u8>> {
        self.bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn extend(&self, frame: &[u8]) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *bytes {
            Some(copy) if copy.len() + frame.len() <= self.bound => copy.extend_from_slice(frame),
            _ => *bytes = None,
        }
    }
}

/// A body on its way, and who is told when it ended.
pub(super) struct Copied<F: FnOnce()> {
    body: Body,
    copy: Copy,
    at_end: Option<F>,
}

impl<F: FnOnce() + Unpin + Send + 'static> Copied<F> {
    /// Passes `body` on, copies it into `copy` and calls `at_end` when all of it has passed; never
    /// if it breaks off or is dropped before.
    pub fn new(body: Body, copy: Copy, at_end: F) -> Self {
        let mut copied = Self {
            body,
            copy,
            at_end: Some(at_end),
        };
        copied.tell_if_ended();
        copied
    }

    fn tell_if_ended(&mut self) {
        if self.body.is_end_stream() {
            self.tell();
        }
    }

    fn tell(&mut self) {
        if let Some(at_end) = self.at_end.take() {
            at_end();
        }
    }
}

impl<F: FnOnce() + Unpin + Send + 'static> HttpBody for Copied<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.copy.extend(data);
                }
                self.tell_if_ended();
            }
            Some(Err(_)) => self.at_end = None,
            None => self.tell(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
