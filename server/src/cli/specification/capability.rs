//! How a volume may be used: `capability { access_mode, attachment_mode }`.

use crate::hcl::Problem;
use crate::hcl::{Entry, Node, normal, refuse_repeated, suggestion};
use saddlebag_client::types::{
    CapabilityRequest, CapabilityRequestAccessMode, CapabilityRequestAttachmentMode,
};

const KEYS: [&str; 2] = ["access_mode", "attachment_mode"];

const ACCESS_MODES: [&str; 5] = [
    "single-node-writer",
    "single-node-reader-only",
    "multi-node-reader-only",
    "multi-node-single-writer",
    "multi-node-multi-writer",
];

const ATTACHMENT_MODES: [&str; 2] = ["file-system", "block-device"];

/// The capability of one block, named by the entry that it is in.
pub(super) fn read(block: &Entry, entries: &[Entry]) -> Result<CapabilityRequest, Problem> {
    refuse_repeated(entries, &[])?;
    let (mut access, mut attachment) = (None, None);
    for entry in entries {
        match normal(&entry.key).as_str() {
            "accessmode" => access = Some(access_mode(&entry.node)?),
            "attachmentmode" => attachment = Some(attachment_mode(&entry.node)?),
            _ => return Err(entry.unknown("a capability", &KEYS)),
        }
    }
    let missing = |key: &str, such_as: &str| {
        Problem::at(
            block.place,
            format!("this capability has no {key}, such as {such_as:?}"),
        )
    };
    Ok(CapabilityRequest {
        access_mode: access.ok_or_else(|| missing(KEYS[0], ACCESS_MODES[0]))?,
        attachment_mode: attachment.ok_or_else(|| missing(KEYS[1], ATTACHMENT_MODES[0]))?,
    })
}

/// One of the access modes.
pub(super) fn access_mode(node: &Node) -> Result<CapabilityRequestAccessMode, Problem> {
    let text = node.text()?;
    let refused = |_| refuse(node, "an access mode", &text, &ACCESS_MODES);
    text.parse().map_err(refused)
}

/// One of the attachment modes.
pub(super) fn attachment_mode(node: &Node) -> Result<CapabilityRequestAttachmentMode, Problem> {
    let text = node.text()?;
    let refused = |_| refuse(node, "an attachment mode", &text, &ATTACHMENT_MODES);
    text.parse().map_err(refused)
}

fn refuse(node: &Node, what: &str, text: &str, known: &[&str]) -> Problem {
    let suggestion = suggestion(text, known);
    node.problem(format!("{text:?} is not {what}: {suggestion}"))
}
