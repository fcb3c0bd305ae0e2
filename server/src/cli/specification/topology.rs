//! From where a volume has to be reachable: `topology_request`, and the API's `Topologies`.

use crate::hcl::Problem;
use crate::hcl::{Entry, Node, Value, normal, refuse_repeated, texts_by_key};
use saddlebag_client::types::{TopologyRequest, TopologySegmentsRequest};
use std::collections::BTreeMap;

/// What a `topology_request` asks for.
pub(super) fn request(entry: &Entry) -> Result<TopologyRequest, Problem> {
    let mut request = TopologyRequest::default();
    let blocks = entry.blocks()?;
    for entries in &blocks {
        refuse_repeated(entries, &[])?;
    }
    for entry in blocks.into_iter().flatten() {
        match normal(&entry.key).as_str() {
            "required" => request.required = Some(places(entry)?),
            "preferred" => request.preferred = Some(places(entry)?),
            _ => return Err(entry.unknown("a topology_request", &["required", "preferred"])),
        }
    }
    Ok(request)
}

/// The places of `required` or `preferred`: blocks `topology`, or a list of `Segments` as the API has them.
fn places(entry: &Entry) -> Result<Vec<TopologySegmentsRequest>, Problem> {
    let mut places = Vec::new();
    for block in entry.blocks()? {
        for entry in block {
            match normal(&entry.key).as_str() {
                "topology" => {
                    for topology in entry.blocks()? {
                        places.push(segments_of(topology)?);
                    }
                }
                "segments" => places.push(segments(entry)?),
                _ => return Err(entry.unknown("a set of topologies", &["topology"])),
            }
        }
    }
    Ok(places)
}

/// The segments of one `topology` block.
fn segments_of(topology: &[Entry]) -> Result<TopologySegmentsRequest, Problem> {
    refuse_repeated(topology, &[])?;
    let mut place = None;
    for entry in topology {
        match normal(&entry.key).as_str() {
            "segments" => place = Some(segments(entry)?),
            _ => return Err(entry.unknown("a topology", &["segments"])),
        }
    }
    Ok(place.unwrap_or_else(|| of(BTreeMap::new())))
}

fn segments(entry: &Entry) -> Result<TopologySegmentsRequest, Problem> {
    let mut segments = BTreeMap::new();
    texts_by_key(entry, &mut segments)?;
    Ok(of(segments))
}

fn of(segments: BTreeMap<String, String>) -> TopologySegmentsRequest {
    TopologySegmentsRequest {
        segments: Some(segments),
        extra: BTreeMap::new(),
    }
}

/// The API's `Topologies`: `{"Segments": {…}}` or the places themselves; Nomad puts a `null` between them.
pub(super) fn topologies(
    node: &Node,
) -> Result<Option<Vec<Option<TopologySegmentsRequest>>>, Problem> {
    let items = match &node.value {
        Value::Null => return Ok(None),
        Value::List(items) => items,
        _ => return Err(node.problem("`Topologies` is a list of places")),
    };
    let mut places = Vec::new();
    for item in items.iter().filter(|item| item.value != Value::Null) {
        let entries = item.object("Topologies")?;
        let is_wrapped = entries.iter().any(|entry| normal(&entry.key) == "segments");
        places.push(Some(match is_wrapped {
            true => segments_of(entries)?,
            false => flat(entries)?,
        }));
    }
    Ok(Some(places))
}

fn flat(entries: &[Entry]) -> Result<TopologySegmentsRequest, Problem> {
    refuse_repeated(entries, &[])?;
    let texts = entries
        .iter()
        .map(|entry| Ok((entry.key.clone(), entry.node.text()?)));
    Ok(of(texts.collect::<Result<_, Problem>>()?))
}
