//! Nomad's texts for errors of drivers, which its clients match on.

use super::{Call, CallError, Code, Origin};
use std::fmt::Write as _;

/// What an error is about: what its text names. Fields that a call has no use for stay empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// The name of the volume, or of the snapshot, that is created.
    pub name: &'a str,
    /// The driver's id of the volume.
    pub external_id: &'a str,
    /// The driver's id of the snapshot: the one deleted, or the one a volume is made of.
    pub snapshot_id: &'a str,
    /// The driver's id of the volume that another is cloned from.
    pub clone_id: &'a str,
    /// The driver's id of the node.
    pub node_id: &'a str,
    /// Where on the node: the staging path or the target path.
    pub path: &'a str,
    /// Where the page was to start.
    pub token: &'a str,
}

impl CallError {
    /// The whole text as Nomad's API shows it: the prefixes of the call, what the code means for it,
    /// and the error of gRPC. A code that means nothing special is shown as it is.
    pub fn nomad_text(&self, about: &About<'_>) -> String {
        let (server, client) = prefixes(self.call);
        let rpc = self.rpc_text();
        match meaning(self.call, self.code, about).filter(|_| self.origin != Origin::Here) {
            Some(meaning) => format!("{server}{client}{meaning}: {rpc}"),
            None => format!("{server}{client}{rpc}"),
        }
    }
}

impl Call {
    /// What Nomad's server puts before an error of this call; nothing for a call that Nomad's API
    /// never makes. It stands alone when no controller was reached.
    pub fn server_prefix(self) -> &'static str {
        prefixes(self).0
    }

    /// What Nomad's client, beside the driver, puts after [`Self::server_prefix`].
    pub fn client_prefix(self) -> &'static str {
        prefixes(self).1
    }
}

fn prefixes(call: Call) -> (&'static str, &'static str) {
    match call {
        Call::ValidateVolumeCapabilities => (
            "controller validate volume: ",
            "CSI.ControllerValidateVolume: ",
        ),
        Call::CreateVolume => ("controller create volume: ", "CSI.ControllerCreateVolume: "),
        Call::DeleteVolume => ("controller delete volume: ", "CSI.ControllerDeleteVolume: "),
        Call::ControllerExpandVolume => {
            ("controller expand volume: ", "CSI.ControllerExpandVolume: ")
        }
        Call::ControllerPublishVolume => {
            ("controller attach volume: ", "CSI.ControllerAttachVolume: ")
        }
        Call::ControllerUnpublishVolume => {
            ("controller detach volume: ", "CSI.ControllerDetachVolume: ")
        }
        Call::ListVolumes => ("controller list volumes: ", "CSI.ControllerListVolumes: "),
        Call::CreateSnapshot => (
            "controller create snapshot: ",
            "CSI.ControllerCreateSnapshot: ",
        ),
        Call::DeleteSnapshot => (
            "controller delete snapshot: ",
            "CSI.ControllerDeleteSnapshot: ",
        ),
        Call::ListSnapshots => (
            "controller list snapshots: ",
            "CSI.ControllerListSnapshots: ",
        ),
        Call::NodeUnpublishVolume | Call::NodeUnstageVolume => {
            ("CSI.NodeDetachVolume error: ", "CSI.NodeDetachVolume: ")
        }
        Call::NodeExpandVolume => ("CSI.NodeExpandVolume error: ", ""),
        Call::Probe
        | Call::GetPluginInfo
        | Call::GetPluginCapabilities
        | Call::ControllerGetCapabilities
        | Call::ControllerGetVolume
        | Call::ControllerListVolumeHealth
        | Call::ControllerGetVolumeHealth
        | Call::GetCapacity
        | Call::GetSnapshot
        | Call::NodeGetCapabilities
        | Call::NodeGetInfo
        | Call::NodeStageVolume
        | Call::NodePublishVolume
        | Call::NodeGetVolumeStats
        | Call::NodeGetVolumeHealth => ("", ""),
    }
}

/// What a code means for a call, if it means something special.
fn meaning(call: Call, code: Code, about: &About<'_>) -> Option<String> {
    special(call, code, about).or_else(|| {
        let general = match code {
            Code::Internal if !call.is_discovery() => {
                "plugin returned an internal error, check the plugin allocation logs for more information"
            }
            _ if matches!(call, Call::ControllerExpandVolume | Call::NodeExpandVolume) => {
                "plugin returned an error"
            }
            _ => return None,
        };
        Some(format!("{} {general}", side(call)))
    })
}

fn side(call: Call) -> &'static str {
    match call {
        Call::NodeGetCapabilities
        | Call::NodeGetInfo
        | Call::NodeStageVolume
        | Call::NodeUnstageVolume
        | Call::NodePublishVolume
        | Call::NodeUnpublishVolume
        | Call::NodeExpandVolume
        | Call::NodeGetVolumeStats
        | Call::NodeGetVolumeHealth => "node",
        _ => "controller",
    }
}

fn special(call: Call, code: Code, about: &About<'_>) -> Option<String> {
    let name = quoted(about.name);
    let volume = quoted(about.external_id);
    let snapshot = quoted(about.snapshot_id);
    let node = quoted(about.node_id);
    let path = quoted(about.path);
    let source = format!("&{{{snapshot} {}}}", quoted(about.clone_id));
    Some(match (call, code) {
        (Call::ValidateVolumeCapabilities, Code::NotFound) => {
            format!("volume {volume} could not be found")
        }

        (Call::CreateVolume, Code::InvalidArgument) => {
            format!(
                "volume {name} snapshot source {source} is not compatible with these parameters"
            )
        }
        (Call::CreateVolume, Code::NotFound) => {
            format!("volume {name} content source {source} does not exist")
        }
        (Call::CreateVolume, Code::AlreadyExists) => {
            format!("volume {name} already exists but is incompatible with these parameters")
        }
        (Call::CreateVolume, Code::ResourceExhausted) => {
            format!("unable to provision {name} in accessible_topology")
        }
        (Call::CreateVolume, Code::OutOfRange) => {
            format!("unsupported capacity_range for volume {name}")
        }

        (Call::DeleteVolume, Code::FailedPrecondition) => format!("volume {volume} is in use"),

        (Call::ControllerExpandVolume | Call::NodeExpandVolume, Code::InvalidArgument) => {
            format!("requested capabilities not compatible with volume {volume}")
        }
        (Call::ControllerExpandVolume | Call::NodeExpandVolume, Code::NotFound) => {
            format!("volume {volume} could not be found")
        }
        (Call::ControllerExpandVolume, Code::FailedPrecondition) => {
            format!("volume {volume} cannot be expanded online")
        }
        (Call::NodeExpandVolume, Code::FailedPrecondition) => {
            format!("volume {volume} cannot be expanded while in use")
        }
        (Call::ControllerExpandVolume | Call::NodeExpandVolume, Code::OutOfRange) => {
            format!("unsupported capacity_range for volume {volume}")
        }

        (Call::ListVolumes | Call::ListSnapshots, Code::Aborted) => {
            format!("invalid starting token {}", quoted(about.token))
        }

        (Call::CreateSnapshot, Code::AlreadyExists) => {
            format!("snapshot {name} already exists but is incompatible with volume ID {volume}")
        }
        (Call::CreateSnapshot, Code::Aborted) => format!("snapshot {name} is already pending"),
        (Call::CreateSnapshot, Code::ResourceExhausted) => {
            "storage provider does not have enough space for this snapshot".to_owned()
        }
        (Call::DeleteSnapshot, Code::FailedPrecondition) => {
            format!("snapshot {snapshot} could not be deleted because it is in use")
        }
        (Call::DeleteSnapshot, Code::Aborted) => {
            format!("snapshot {snapshot} has a pending operation")
        }

        (Call::ControllerPublishVolume, Code::NotFound) => {
            format!("volume {volume} or node {node} could not be found")
        }
        (Call::ControllerPublishVolume, Code::AlreadyExists) => format!(
            "volume {volume} is already published at node {node} but with capabilities or a read_only setting incompatible with this request"
        ),
        (Call::ControllerPublishVolume, Code::ResourceExhausted) => {
            format!("node {node} has reached the maximum allowable number of attached volumes")
        }
        (Call::ControllerPublishVolume, Code::FailedPrecondition) => format!(
            "volume {volume} is already published on another node and does not have MULTI_NODE volume capability"
        ),

        (Call::NodeStageVolume | Call::NodePublishVolume, Code::NotFound) => {
            format!("volume {volume} could not be found")
        }
        (Call::NodeStageVolume | Call::NodePublishVolume, Code::FailedPrecondition) => {
            format!("volume {volume} does not have MULTI_NODE volume capability")
        }
        (Call::NodeStageVolume, Code::AlreadyExists) => format!(
            "volume {volume} is already staged to {path} but with incompatible capabilities for this request"
        ),
        (Call::NodePublishVolume, Code::AlreadyExists) => format!(
            "volume {volume} is already published at target path {path} but with capabilities or a read_only setting incompatible with this request"
        ),

        _ => return None,
    })
}

/// As Go's `%q` writes a string.
fn quoted(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for character in value.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            control if control.is_ascii_control() => {
                let _ = write!(quoted, "\\x{:02x}", u32::from(control));
            }
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
