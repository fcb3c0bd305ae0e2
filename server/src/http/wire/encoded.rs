//! What the wire types encode, and what the generated client makes of it.

use super::*;
use saddlebag_client::types;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

fn row() -> VolumeRow<'static> {
    VolumeRow {
        access_mode: Cow::Borrowed(""),
        allocations: vec![],
        attachment_mode: Cow::Borrowed(""),
        capacity: 1 << 20,
        clone_id: Cow::Borrowed(""),
        context: Cow::Owned(BTreeMap::new()),
        create_index: 7,
        create_time: 0,
        delete_given_up: None,
        external_id: Cow::Borrowed("vol-7f3a"),
        id: Cow::Borrowed("pgdata"),
        modify_index: 9,
        modify_time: 0,
        mount_options: MountOptions {
            fs_type: Cow::Borrowed("ext4"),
            mount_flags: MountFlags::Redacted,
        },
        name: Cow::Borrowed("pgdata"),
        namespace: Cow::Borrowed("default"),
        parameters: Cow::Owned(BTreeMap::new()),
        plugin_id: Cow::Borrowed("local"),
        read_allocs: BTreeMap::from([(Cow::Borrowed("0b7f6d0e"), ())]),
        requested_capabilities: Some(vec![VolumeCapability {
            access_mode: Cow::Borrowed("single-node-writer"),
            attachment_mode: Cow::Borrowed("file-system"),
        }]),
        requested_capacity_max: 0,
        requested_capacity_min: 1 << 20,
        requested_topologies: None,
        resource_exhausted: None,
        secrets: Withheld,
        snapshot_id: Cow::Borrowed(""),
        topologies: vec![Topology { segments: None }],
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
        row: row(),
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
fn a_volume_spliced_from_its_two_encoded_parts_is_the_volume_encoded_whole() {
    let row_bytes = serde_json::to_string(&row()).unwrap();
    let plugin_bytes = serde_json::to_string(&plugin()).unwrap();
    let spliced = format!(
        "{},{}",
        &row_bytes[..row_bytes.len() - 1],
        &plugin_bytes[1..]
    );

    let whole = Volume {
        row: row(),
        plugin: plugin(),
    };
    assert_eq!(
        serde_json::from_str::<Value>(&spliced).unwrap(),
        serde_json::to_value(&whole).unwrap()
    );
}

#[test]
fn mount_flags_tell_only_whether_there_are_any() {
    let encoded = |flags: MountFlags| serde_json::to_value(flags).unwrap();
    assert_eq!(encoded(MountFlags::Absent), Value::Null);
    assert_eq!(encoded(MountFlags::Empty), json!([]));
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
