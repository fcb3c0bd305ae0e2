//! What clients see of rows, encoded once when they change.
//!
//! A volume's picture is in two parts, each a JSON object: its own, and what it shows of its plugin,
//! which is one [`Fragments`] for all volumes of the plugin. They are spliced when they are read, so
//! that a flip of health encodes one fragment and not every row.

mod claim;
mod draft;
mod node;
mod operation;
mod plugin;
mod volume;

pub use claim::{CLAIM_STATES, claim, claim_state};
pub use draft::{draft, is_running};
pub use node::{node, node_stub};
pub use operation::{STATES, operation, waits_for};
pub use plugin::Fragments;
pub use volume::VolumePicture;
pub(crate) use volume::nanoseconds;

use bytes::Bytes;
use serde::Serialize;

/// The JSON of an answer. What is answered is made of strings, numbers and maps with string keys, so
/// encoding cannot fail; should it, it is `null` and the log says so.
pub(crate) fn encode(answer: &impl Serialize) -> Bytes {
    match serde_json::to_vec(answer) {
        Ok(json) => json.into(),
        Err(error) => {
            tracing::error!("an answer cannot be encoded: {error}");
            Bytes::from_static(b"null")
        }
    }
}

/// A JSON array of encoded elements.
pub(crate) fn array(elements: impl IntoIterator<Item = Bytes>) -> Vec<u8> {
    let mut array = vec![b'['];
    for (at, element) in elements.into_iter().enumerate() {
        if at > 0 {
            array.push(b',');
        }
        array.extend_from_slice(&element);
    }
    array.push(b']');
    array
}

/// Two JSON objects as one; neither is empty, and no key is in both.
fn splice(one: &[u8], other: &[u8]) -> Bytes {
    let mut whole = Vec::with_capacity(one.len() + other.len());
    whole.extend_from_slice(one.strip_suffix(b"}").unwrap_or(one));
    whole.push(b',');
    whole.extend_from_slice(other.strip_prefix(b"{").unwrap_or(other));
    whole.into()
}
