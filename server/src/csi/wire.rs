//! Sees what a driver really said.
//!
//! A tonic `Status` may be the driver's or tonic's own (no connection, an answer that is no gRPC, a
//! message that cannot be read), and looks the same. Only what passes here came from the driver.

use http_body_util::BodyExt;
use std::sync::{Arc, OnceLock};
use tonic::{
    Code, Status,
    body::Body,
    codegen::{
        BoxFuture, Context, Poll, Service,
        http::{HeaderMap, Request, Response},
    },
    transport::{Channel, Error},
};

/// tonic panics when this header does not hold base64; nothing here reads it.
const DETAILS: &str = "grpc-status-details-bin";

/// The code that a driver sent at the end of one call.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<OnceLock<Code>>);

impl Heard {
    /// Nothing if the driver did not get to say how the call ended.
    pub(super) fn code(&self) -> Option<Code> {
        self.0.get().copied()
    }

    fn read(&self, headers: &mut HeaderMap) {
        headers.remove(DETAILS);
        if let Some(code) = headers.get(Status::GRPC_STATUS) {
            let _ = self.0.set(Code::from_bytes(code.as_bytes()));
        }
    }
}

/// The channel, for one call.
pub(super) struct Wire {
    channel: Channel,
    heard: Heard,
}

impl Wire {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            heard: Heard::default(),
        }
    }

    /// What the driver will have said when the call has ended.
    pub(super) fn heard(&self) -> Heard {
        self.heard.clone()
    }
}

impl Service<Request<Body>> for Wire {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<Response<Body>, Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let heard = self.heard.clone();
        let answer = self.channel.call(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            heard.read(answer.headers_mut());
            Ok(answer.map(|body| {
                Body::new(body.map_frame(move |mut frame| {
                    if let Some(trailers) = frame.trailers_mut() {
                        heard.read(trailers);
                    }
                    frame
                }))
            }))
        })
    }
}
