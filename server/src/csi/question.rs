//! What a driver is asked, as bytes: messages are encoded before a call and decoded after it, so that the way
//! of a call is the same for all of them.

use super::{v1, wire::Wire};
use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use tonic::{
    Request, Response, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
};

/// The largest answer, in bytes: a list that a driver does not cut into pages may be long.
const MOST_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The message of a CSI call.
pub(super) trait Question: Message {
    /// The message that answers it.
    type Answer: Message + Default;

    /// The call, as gRPC spells it.
    const PATH: &'static str;
}

include!(concat!(env!("OUT_DIR"), "/questions.rs"));

/// Asks, and takes the answer of at most [`MOST_ANSWER_BYTES`].
pub(super) async fn ask(
    wire: Wire,
    path: &'static str,
    question: Request<Bytes>,
) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(wire).max_decoding_message_size(MOST_ANSWER_BYTES);
    grpc.ready()
        .await
        .map_err(|error| Status::from_error(error.into()))?;
    let answer = grpc.unary(question, PathAndQuery::from_static(path), Plain);
    answer.await.map(Response::into_inner)
}

/// Bytes as they are.
#[derive(Clone, Copy, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
