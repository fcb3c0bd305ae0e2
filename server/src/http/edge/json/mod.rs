//! Request bodies as Go reads them, with refusals that say where and what (`nomad-http.md` §1.9).
//!
//! What may be relied on:
//!
//! - the first JSON value counts, what follows it is not looked at; bytes that are no UTF-8 become U+FFFD;
//! - keys match without case, unknown keys are ignored, of two equal keys the last counts, and `null`
//!   is as good as absent;
//! - a body deeper than [`MOST_DEPTH`] is refused, so reading one needs little stack;
//! - a refusal names the place (`Volumes[0].RequestedCapacityMin`), what was expected and what was
//!   there, and nothing of what is below a field read with [`Object::secrets`].

mod node;
mod place;
mod value;

use super::Refusal;
pub use node::{Node, Object};
use serde::de::DeserializeSeed as _;
use serde_json::error::Category;
use value::{Depth, Value};

/// How deep lists and objects may lie in each other.
pub const MOST_DEPTH: usize = 64;

/// Reads a body with `read`, which starts at its outermost value.
///
/// # Errors
///
/// [`super::Reason::Malformed`] if the body is empty, no JSON, cut short or too deep, or `read` says so.
pub fn decode<T>(
    body: &[u8],
    read: impl FnOnce(Node<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let text = String::from_utf8_lossy(body);
    if text.trim_ascii().is_empty() {
        return Err(Refusal::malformed("Request body is empty"));
    }
    let value = parse(&text)?;
    read(Node::root(&value))
}

fn parse(text: &str) -> Result<Value<'_>, Refusal> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Depth::outermost()
        .deserialize(&mut deserializer)
        .map_err(|error| {
            let (line, column) = (error.line(), error.column());
            match error.classify() {
                Category::Eof => Refusal::malformed(format!(
                    "the request body ends inside a JSON value (line {line}, column {column})"
                )),
                Category::Data => too_deep(MOST_DEPTH, line, column),
                Category::Syntax | Category::Io => {
                    Refusal::malformed(format!("the request body is not JSON: {error}"))
                }
            }
        })
}

/// Refuses a body in whose first value lists and objects lie deeper in each other than this, without
/// reading more of it than where they stand. What is no JSON passes: [`decode`] refuses it with better
/// words.
///
/// # Errors
///
/// [`super::Reason::Malformed`], with the place.
pub fn check_depth(body: &[u8], most: usize) -> Result<(), Refusal> {
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in body.iter().enumerate() {
        match (in_string, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') if depth == most => {
                let before = &body[..at];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let column = at + 1
                    - before
                        .iter()
                        .rposition(|it| *it == b'\n')
                        .map_or(0, |it| it + 1);
                return Err(too_deep(most, line, column));
            }
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') if depth <= 1 => return Ok(()),
            (false, b']' | b'}') => depth -= 1,
            _ => {}
        }
    }
    Ok(())
}

fn too_deep(most: usize, line: usize, column: usize) -> Refusal {
    Refusal::malformed(format!(
        "the request body is nested deeper than {most} levels (line {line}, column {column})"
    ))
}

#[cfg(test)]
mod tests {
    use crate::http::request::{SnapshotsRequest, VolumesRequest};
    use crate::mangled::{assert_linear, texts};

    const VOLUME: &str = r#"{"ID": "a", "PluginID": "local", "RequestedCapacityMin": 1000,
      "RequestedCapabilities": [{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}],
      "Secrets": {"k": "v"}, "SecretsFrom": {"k": {"File": "/s/k"}}, "MountOptions": null,
      "RequestedTopologies": {"Required": [{"Segments": {"zone": "\u0061\ud83d\ude00"}}]}}"#;

    #[test]
    fn a_hundred_thousand_mangled_bodies_are_read_or_refused() {
        let one = ["{\"Volumes\": [", VOLUME, "]}"].concat();
        let snapshot = r#"{"Snapshots": [{"SourceVolumeID": "a", "Secrets": {"k": "v"}, "Parameters": {}}], "Region": "global"}"#;
        let (mut read, mut refused) = (0, 0);
        for text in texts(&[&one, snapshot, VOLUME, "null"], 1_000) {
            match VolumesRequest::decode(text.as_bytes()) {
                Ok(_) => read += 1,
                Err(refusal) => {
                    assert!(refusal.status().is_client_error(), "{text:?}: {refusal:?}");
                    assert!(!refusal.message.is_empty(), "{text:?}");
                    refused += 1;
                }
            }
            let _ = SnapshotsRequest::decode(text.as_bytes());
        }
        assert!(read > 1_000 && refused > 10_000, "{read} {refused}");
    }

    #[test]
    fn a_long_body_costs_no_more_than_its_length() {
        for shape in [
            ("{\"Volumes\": [", "{\"ID\": \"a\"},", "{}]}"),
            ("{", "\"Region\": \"\",", "\"Volumes\": []}"),
            (
                "{\"Volumes\": [{\"Secrets\": {",
                "\"a\": \"b\",",
                "\"c\": 1}}]}",
            ),
            ("", "[", ""),
            ("", "{\"a\":", ""),
            ("\"", "\\u0061", ""),
            ("", " ", "{}"),
            ("", "9", ""),
        ] {
            assert_linear(100, shape, |text| {
                let _ = VolumesRequest::decode(text.as_bytes());
            });
        }
    }
}
