//! What the wire types encode, and what the generated client makes of it.

use super::*;
use saddlebag_client::types;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

fn summary() -> VolumeSummary<'static> {
    VolumeSummary {
        access_mode: Cow::Borrowed(""),
        attachment_mode: Cow::Borrowed(""),
        create_index: 7,
        create_time: 0,
        external_id: Cow::Borrowed("vol-7f3a"),
        id: Cow::Borrowed("pgdata"),
        modify_index: 9,
        modify_time: 0,
        name: Cow::Borrowed("pgdata"),
        namespace: Cow::Borrowed("default"),
        plugin_id: Cow::Borrowed("local"),
        resource_exhausted: None,
        topologies: vec![Topology { segments: None }],
    }
}

fn detail() -> VolumeDetail<'static> {
    VolumeDetail {
        allocations: vec![],
        capacity: 1 << 20,
        clone_id: Cow::Borrowed(""),
        context: Cow::Owned(BTreeMap::new()),
        delete_given_up: None,
        mount_options: MountOptions {
            fs_type: Cow::Borrowed("ext4"),
            mount_flags: MountFlags::Redacted,
        },
        parameters: Cow::Owned(BTreeMap::new()),
        read_allocs: BTreeMap::from([(Cow::Borrowed("0b7f6d0e"), ())]),
        requested_capabilities: Some(vec![VolumeCapability {
            access_mode: Cow::Borrowed("single-node-writer"),
            attachment_mode: Cow::Borrowed("file-system"),
        }]),
        requested_capacity_max: 0,
        requested_capacity_min: 1 << 20,
        requested_topologies: None,
        secrets: Withheld,
        snapshot_id: Cow::Borrowed(""),
        write_allocs: BTreeMap::new(),
    }
}

fn plugin() -> VolumePlugin<'static> {
    VolumePlugin {
        health: PluginHealth {
            controller_required: true,
            controllers_expected: 1,
            controllers_healthy: 1,
            nodes_expected: 3,
            nodes_healthy: 2,
            provider: Cow::Borrowed("local.csi.saddlebag.dev"),
            schedulable: true,
        },
        provider_version: Cow::Borrowed("0.1.0"),
    }
}

#[test]
fn a_volume_encoded_whole_is_what_a_client_decodes() {
    let volume = Volume {
        summary: summary(),
        detail: detail(),
        plugin: plugin(),
    };
    let decoded: types::Volume =
        serde_json::from_str(&serde_json::to_string(&volume).unwrap()).unwrap();
    assert_eq!(decoded.id, "pgdata");
    assert_eq!(decoded.provider_version, "0.1.0");
    assert_eq!(decoded.nodes_healthy, 2);
    assert_eq!(decoded.secrets, None);
    assert_eq!(
        decoded.mount_options.mount_flags,
        Some(vec!["[REDACTED]".to_owned()])
    );
    assert_eq!(
        decoded.read_allocs,
        BTreeMap::from([("0b7f6d0e".to_owned(), None)])
    );
    assert_eq!(
        serde_json::to_value(&decoded).unwrap(),
        serde_json::to_value(&volume).unwrap()
    );
}

#[test]
fn mount_flags_tell_only_whether_there_are_any() {
    let encoded = |flags: MountFlags| serde_json::to_value(flags).unwrap();
    assert_eq!(encoded(MountFlags::Absent), Value::Null);
    assert_eq!(encoded(MountFlags::Redacted), json!(["[REDACTED]"]));
}

#[test]
fn an_error_has_all_its_keys_and_the_lists_only_when_there_are_any() {
    let encoded = serde_json::to_value(Error::default()).unwrap();
    let keys: Vec<&str> = encoded
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "claim",
            "code",
            "message",
            "node",
            "operation",
            "plugin",
            "retryable",
            "volume"
        ]
    );
}
