//! What clients see of rows, encoded once: when they change, or, of the volumes that a start found, when
//! they are first shown.
//!
//! A volume's picture is in parts, each a JSON object: its own, and what it shows of its plugin, which
//! is one [`Fragments`] for all volumes of the plugin. They are spliced when they are read, so that a
//! flip of health encodes one fragment and not every row.

mod claim;
mod draft;
mod event;
mod node;
mod operation;
mod plugin;
mod volume;

pub use claim::{CLAIM_STATES, claim, claim_state};
pub use draft::{draft, is_running, job};
pub use event::{Event, Topic, events};
pub use node::{host, node, node_allocations, node_stub};
pub use operation::{STATES, operation, waits_for};
pub use plugin::{Fragments, job_allocation};
pub(crate) use volume::nanoseconds;
pub use volume::{ShownClaim, VolumeFields, VolumePicture};

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

/// Writes three JSON objects as one; none is empty, and no key is in two.
fn splice(whole: &mut Vec<u8>, parts: [&[u8]; 3]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    whole.reserve(length);
    for (at, part) in parts.into_iter().enumerate() {
        let inner = match part {
            [b'{', inner @ .., b'}'] => inner,
            other => other,
        };
        whole.push(if at == 0 { b'{' } else { b',' });
        whole.extend_from_slice(inner);
    }
    whole.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::splice;

    #[test]
    fn objects_are_spliced_to_one() {
        let mut spliced = Vec::new();
        let parts: [&[u8]; 3] = [br#"{"a":{}}"#, br#"{"b":[1]}"#, br#"{"c":"}","d":2}"#];
        splice(&mut spliced, parts);
        assert_eq!(spliced, br#"{"a":{},"b":[1],"c":"}","d":2}"#);
    }
}
