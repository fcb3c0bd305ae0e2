//! Nomad's texts, for every call and every code.

use saddlebag::csi::{About, Call, CallError, Code, Origin};

/// What the texts below are about.
const ABOUT: About<'_> = About {
    name: "N",
    external_id: "X",
    snapshot_id: "S",
    clone_id: "C",
    node_id: "I",
    path: "P",
    token: "T",
};

/// Each code that means something special for a call.
#[rustfmt::skip]
const SPECIAL: &[(Call, Code, &str)] = &[
    (Call::ValidateVolumeCapabilities, Code::NotFound, r#"volume "X" could not be found"#),
    (Call::CreateVolume, Code::InvalidArgument, r#"volume "N" snapshot source &{"S" "C"} is not compatible with these parameters"#),
    (Call::CreateVolume, Code::NotFound, r#"volume "N" content source &{"S" "C"} does not exist"#),
    (Call::CreateVolume, Code::AlreadyExists, r#"volume "N" already exists but is incompatible with these parameters"#),
    (Call::CreateVolume, Code::ResourceExhausted, r#"unable to provision "N" in accessible_topology"#),
    (Call::CreateVolume, Code::OutOfRange, r#"unsupported capacity_range for volume "N""#),
    (Call::DeleteVolume, Code::FailedPrecondition, r#"volume "X" is in use"#),
    (Call::ControllerExpandVolume, Code::InvalidArgument, r#"requested capabilities not compatible with volume "X""#),
    (Call::ControllerExpandVolume, Code::NotFound, r#"volume "X" could not be found"#),
    (Call::ControllerExpandVolume, Code::FailedPrecondition, r#"volume "X" cannot be expanded online"#),
    (Call::ControllerExpandVolume, Code::OutOfRange, r#"unsupported capacity_range for volume "X""#),
    (Call::NodeExpandVolume, Code::InvalidArgument, r#"requested capabilities not compatible with volume "X""#),
    (Call::NodeExpandVolume, Code::NotFound, r#"volume "X" could not be found"#),
    (Call::NodeExpandVolume, Code::FailedPrecondition, r#"volume "X" cannot be expanded while in use"#),
    (Call::NodeExpandVolume, Code::OutOfRange, r#"unsupported capacity_range for volume "X""#),
    (Call::ListVolumes, Code::Aborted, r#"invalid starting token "T""#),
    (Call::ListSnapshots, Code::Aborted, r#"invalid starting token "T""#),
    (Call::CreateSnapshot, Code::AlreadyExists, r#"snapshot "N" already exists but is incompatible with volume ID "X""#),
    (Call::CreateSnapshot, Code::Aborted, r#"snapshot "N" is already pending"#),
    (Call::CreateSnapshot, Code::ResourceExhausted, "storage provider does not have enough space for this snapshot"),
    (Call::DeleteSnapshot, Code::FailedPrecondition, r#"snapshot "S" could not be deleted because it is in use"#),
    (Call::DeleteSnapshot, Code::Aborted, r#"snapshot "S" has a pending operation"#),
    (Call::ControllerPublishVolume, Code::NotFound, r#"volume "X" or node "I" could not be found"#),
    (Call::ControllerPublishVolume, Code::AlreadyExists, r#"volume "X" is already published at node "I" but with capabilities or a read_only setting incompatible with this request"#),
    (Call::ControllerPublishVolume, Code::ResourceExhausted, r#"node "I" has reached the maximum allowable number of attached volumes"#),
    (Call::ControllerPublishVolume, Code::FailedPrecondition, r#"volume "X" is already published on another node and does not have MULTI_NODE volume capability"#),
    (Call::NodeStageVolume, Code::NotFound, r#"volume "X" could not be found"#),
    (Call::NodeStageVolume, Code::FailedPrecondition, r#"volume "X" does not have MULTI_NODE volume capability"#),
    (Call::NodeStageVolume, Code::AlreadyExists, r#"volume "X" is already staged to "P" but with incompatible capabilities for this request"#),
    (Call::NodePublishVolume, Code::NotFound, r#"volume "X" could not be found"#),
    (Call::NodePublishVolume, Code::FailedPrecondition, r#"volume "X" does not have MULTI_NODE volume capability"#),
    (Call::NodePublishVolume, Code::AlreadyExists, r#"volume "X" is already published at target path "P" but with capabilities or a read_only setting incompatible with this request"#),
];

/// What stands before the texts of a call.
#[rustfmt::skip]
const PREFIXES: &[(Call, &str)] = &[
    (Call::ValidateVolumeCapabilities, "controller validate volume: CSI.ControllerValidateVolume: "),
    (Call::CreateVolume, "controller create volume: CSI.ControllerCreateVolume: "),
    (Call::DeleteVolume, "controller delete volume: CSI.ControllerDeleteVolume: "),
    (Call::ControllerExpandVolume, "controller expand volume: CSI.ControllerExpandVolume: "),
    (Call::ControllerPublishVolume, "controller attach volume: CSI.ControllerAttachVolume: "),
    (Call::ControllerUnpublishVolume, "controller detach volume: CSI.ControllerDetachVolume: "),
    (Call::ListVolumes, "controller list volumes: CSI.ControllerListVolumes: "),
    (Call::CreateSnapshot, "controller create snapshot: CSI.ControllerCreateSnapshot: "),
    (Call::DeleteSnapshot, "controller delete snapshot: CSI.ControllerDeleteSnapshot: "),
    (Call::ListSnapshots, "controller list snapshots: CSI.ControllerListSnapshots: "),
    (Call::NodeUnpublishVolume, "CSI.NodeDetachVolume error: CSI.NodeDetachVolume: "),
    (Call::NodeUnstageVolume, "CSI.NodeDetachVolume error: CSI.NodeDetachVolume: "),
    (Call::NodeExpandVolume, "CSI.NodeExpandVolume error: "),
];

const DISCOVERY: &[Call] = &[
    Call::Probe,
    Call::GetPluginInfo,
    Call::GetPluginCapabilities,
    Call::ControllerGetCapabilities,
    Call::NodeGetCapabilities,
    Call::NodeGetInfo,
];

fn error(call: Call, code: Code) -> CallError {
    CallError {
        call,
        code,
        message: "Y".to_owned(),
        origin: Origin::Driver,
    }
}

fn expected(call: Call, code: Code) -> String {
    let side = if call.to_string().starts_with("Node") {
        "node"
    } else {
        "controller"
    };
    let expand = matches!(call, Call::ControllerExpandVolume | Call::NodeExpandVolume);
    let special = SPECIAL.iter().find(|row| (row.0, row.1) == (call, code));
    let meaning = if let Some((_, _, text)) = special {
        format!("{text}: ")
    } else if code == Code::Internal && !DISCOVERY.contains(&call) {
        format!(
            "{side} plugin returned an internal error, check the plugin allocation logs for more information: "
        )
    } else if expand {
        format!("{side} plugin returned an error: ")
    } else {
        String::new()
    };
    let prefix = PREFIXES.iter().find(|row| row.0 == call);
    let prefix = prefix.map_or("", |(_, prefix)| prefix);
    format!("{prefix}{meaning}rpc error: code = {code:?} desc = Y")
}

#[test]
fn every_code_of_every_call_has_nomads_text() {
    for call in Call::ALL {
        for code in Code::ALL {
            let text = error(call, code).nomad_text(&ABOUT);
            assert_eq!(text, expected(call, code), "{call} {code}");
        }
    }
}

#[test]
fn the_whole_text_of_a_refused_create_is_nomads() {
    assert_eq!(
        error(Call::CreateVolume, Code::AlreadyExists).nomad_text(&ABOUT),
        "controller create volume: CSI.ControllerCreateVolume: volume \"N\" already exists but is \
         incompatible with these parameters: rpc error: code = AlreadyExists desc = Y"
    );
}

#[test]
fn what_a_text_names_is_quoted_as_go_does() {
    let about = About {
        external_id: "a\"b\\c\n\u{7}é\u{85}",
        ..About::default()
    };
    let text = error(Call::DeleteVolume, Code::FailedPrecondition).nomad_text(&about);
    assert!(
        text.contains(r#"volume "a\"b\\c\n\aé\u0085" is in use"#),
        "{text}"
    );
}

#[test]
fn an_unset_content_source_is_shown_as_two_empty_strings() {
    let text = error(Call::CreateVolume, Code::NotFound).nomad_text(&About {
        name: "N",
        ..About::default()
    });
    assert!(
        text.contains(r#"content source &{"" ""} does not exist"#),
        "{text}"
    );
}
