//! Reading a request's body, within limits.

use super::{Reason, Refusal};
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::time::Duration;
use tokio::time::timeout;

/// How much of a body is read, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, in bytes. Default 1 MiB.
    pub bytes: usize,
    /// How long a body may take to arrive. Default 30 s.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            time: Duration::from_secs(30),
        }
    }
}

/// The whole body, which may be empty. A body that says it is too large is not read at all.
///
/// # Errors
///
/// [`Reason::BodyTooLarge`], [`Reason::BodyTooSlow`], or [`Reason::Malformed`] if the client ends it
/// midway.
pub async fn read(body: Body, limits: Limits) -> Result<Bytes, Refusal> {
    use hyper::body::Body as _;
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let announced = body.size_hint().lower();
    if announced > limits.bytes as u64 {
        return Err(too_large(limits));
    }
    Box::pin(collected(body, limits)).await
}

async fn collected(body: Body, limits: Limits) -> Result<Bytes, Refusal> {
    match timeout(limits.time, Limited::new(body, limits.bytes).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limits)),
        Ok(Err(_)) => Err(Refusal::malformed(
            "the request body ended before its announced length",
        )),
        Err(_) => Err(Refusal::new(
            Reason::BodyTooSlow,
            format!(
                "the request body did not arrive within {} s",
                limits.time.as_secs_f32()
            ),
        )),
    }
}

fn too_large(limits: Limits) -> Refusal {
    Refusal::new(
        Reason::BodyTooLarge,
        format!("the request body is larger than {} bytes", limits.bytes),
    )
}
