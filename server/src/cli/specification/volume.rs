//! One volume, from the entries that describe it.

use super::{capability, secrets, size, topology};
use crate::hcl::Problem;
use crate::hcl::{Entry, Node, Value, normal, refuse_repeated, texts_by_key};
use saddlebag_client::types::{
    CapabilityRequest, MountOptionsRequest, SecretsFromRequest, SecretsRequest, VolumeRequest,
};
use std::collections::BTreeMap;

/// The keys of a specification; those of the API are known beside them.
const KEYS: [&str; 20] = [
    "id",
    "name",
    "namespace",
    "type",
    "plugin_id",
    "external_id",
    "snapshot_id",
    "clone_id",
    "capacity_min",
    "capacity_max",
    "capability",
    "mount_options",
    "topology_request",
    "topologies",
    "secrets",
    "secrets_from",
    "parameters",
    "context",
    "access_mode",
    "attachment_mode",
];

/// What a server says of a volume and nobody can ask for: an answer may be edited and sent back with it.
const OF_THE_SERVER: [&str; 17] = [
    "allocations",
    "capacity",
    "controllerrequired",
    "controllersexpected",
    "controllershealthy",
    "createindex",
    "createtime",
    "modifyindex",
    "modifytime",
    "nodesexpected",
    "nodeshealthy",
    "provider",
    "providerversion",
    "readallocs",
    "resourceexhausted",
    "schedulable",
    "writeallocs",
];

/// What may be there several times, by normal key.
const REPEATABLE: [&str; 6] = [
    "capability",
    "requestedcapabilities",
    "secrets",
    "secretsfrom",
    "parameters",
    "context",
];

/// The volume that these entries describe.
pub(super) fn read(entries: &[Entry]) -> Result<VolumeRequest, Problem> {
    refuse_repeated(entries, &REPEATABLE)?;
    let mut volume = VolumeRequest::default();
    let mut values: Option<BTreeMap<String, String>> = None;
    for entry in entries {
        let node = &entry.node;
        match normal(&entry.key).as_str() {
            "type" => check_type(node)?,
            "id" => volume.id = node.optional_text()?,
            "name" => volume.name = node.optional_text()?,
            "namespace" => volume.namespace = node.optional_text()?,
            "pluginid" => volume.plugin_id = node.optional_text()?,
            "externalid" => volume.external_id = node.optional_text()?,
            "snapshotid" => volume.snapshot_id = node.optional_text()?,
            "cloneid" => volume.clone_id = node.optional_text()?,
            "capacitymin" | "requestedcapacitymin" => {
                volume.requested_capacity_min = bytes(node)?;
            }
            "capacitymax" | "requestedcapacitymax" => {
                volume.requested_capacity_max = bytes(node)?;
            }
            "capability" | "requestedcapabilities" => {
                for block in entry.blocks()? {
                    let capability = capability::read(entry, block)?;
                    volume.requested_capabilities.push(capability);
                }
            }
            "mountoptions" => volume.mount_options = mount_options(entry)?,
            "topologyrequest" | "requestedtopologies" => {
                volume.requested_topologies = Some(topology::request(entry)?);
            }
            "topologies" => volume.topologies = topology::topologies(node)?,
            // What is null is not given: what is stored stays.
            "secrets" | "secretsfrom" | "parameters" | "context" if node.value == Value::Null => {}
            "secrets" => texts_by_key(entry, values.get_or_insert_default())?,
            "secretsfrom" => {
                let none = || SecretsFromRequest(BTreeMap::new());
                secrets::references(entry, volume.secrets_from.get_or_insert_with(none))?;
            }
            "parameters" => texts_by_key(entry, volume.parameters.get_or_insert_default())?,
            "context" => texts_by_key(entry, volume.context.get_or_insert_default())?,
            // How it is used now, in an answer; else the older form of the one capability.
            "accessmode" | "attachmentmode" => {}
            key if OF_THE_SERVER.contains(&key) => {}
            _ => return Err(entry.unknown("a volume", &KEYS)),
        }
    }
    volume.secrets = values.map(SecretsRequest);
    if volume.requested_capabilities.is_empty() {
        volume.requested_capabilities.extend(older(entries)?);
    }
    Ok(volume)
}

fn check_type(node: &Node) -> Result<(), Problem> {
    match node.text()?.to_lowercase().as_str() {
        "csi" => Ok(()),
        "host" => Err(node.problem(
            "`host` volumes belong to Nomad's own agents: here a volume is of type \"csi\"",
        )),
        other => Err(node.problem(format!(
            "{other:?} is no type of volume: write type = \"csi\""
        ))),
    }
}

fn bytes(node: &Node) -> Result<Option<i64>, Problem> {
    let text = node.optional_text()?.unwrap_or_default();
    size::parse(&text)
        .map(Some)
        .map_err(|problem| node.problem(problem))
}

fn mount_options(entry: &Entry) -> Result<Option<MountOptionsRequest>, Problem> {
    let blocks = entry.blocks()?;
    let Some(entries) = blocks.first() else {
        return Ok(None);
    };
    if blocks.len() > 1 {
        return Err(entry.node.problem("one block of mount options is enough"));
    }
    refuse_repeated(entries, &[])?;
    let mut options = MountOptionsRequest::default();
    for entry in *entries {
        match normal(&entry.key).as_str() {
            "fstype" => options.fs_type = entry.node.optional_text()?,
            "mountflags" => options.mount_flags = Some(entry.node.texts()?),
            _ => return Err(entry.unknown("mount_options", &["fs_type", "mount_flags"])),
        }
    }
    Ok(Some(options))
}

/// The one capability of the older form: `access_mode` and `attachment_mode` of the volume itself.
fn older(entries: &[Entry]) -> Result<Option<CapabilityRequest>, Problem> {
    let find = |key: &str| entries.iter().find(|entry| normal(&entry.key) == key);
    let (Some(access), Some(attachment)) = (find("accessmode"), find("attachmentmode")) else {
        return Ok(None);
    };
    if access.node.optional_text()?.is_none() {
        return Ok(None);
    }
    Ok(Some(CapabilityRequest {
        access_mode: capability::access_mode(&access.node)?,
        attachment_mode: capability::attachment_mode(&attachment.node)?,
    }))
}
