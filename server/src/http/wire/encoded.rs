//! The wire types against `openapi.yaml`.

use super::*;
use saddlebag_client::types;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use utoipa::OpenApi;

/// Every schema of the document that an answer is made of, from the types of this module.
#[derive(OpenApi)]
#[openapi(components(schemas(
    AgentHealth<'_>,
    AgentPartHealth<'_>,
    AllocationStub<'_>,
    ControllerInfo,
    DraftChildren,
    DraftController<'_>,
    DraftControllerInfo,
    DraftJob<'_>,
    DraftJobSummary<'_>,
    DraftNode<'_>,
    DraftNodeInfo<'_>,
    DraftPlugin<'_>,
    DraftPluginHealth<'_>,
    DraftPluginStub<'_>,
    DraftTaskGroupSummary,
    DraftTopology<'_>,
    Error<'_>,
    ExternalVolume<'_>,
    ExternalVolumes<'_>,
    Job<'_>,
    JobDescription<'_>,
    MountOptions<'_>,
    NodeInfo<'_>,
    Operation<'_>,
    Plugin<'_>,
    PluginConfig<'_>,
    PluginInstance<'_>,
    PluginStub<'_>,
    Snapshot<'_>,
    Snapshots<'_>,
    Task<'_>,
    TaskGroup<'_>,
    Topology<'_>,
    TopologyRequirement<'_>,
    Volume<'_>,
    VolumeCapability<'_>,
    VolumeStub<'_>,
    VolumesAnswer<'_>,
)))]
struct Answers;

/// What counts of a schema, in one form for OpenAPI 3.0 (the document) and 3.1 (utoipa). Nullable schemas get the key
/// `nullable`; prose, examples and bounds on what is empty anyway fall away.
fn normal(schema: &Value) -> Value {
    let Value::Object(schema) = schema else {
        return schema.clone();
    };
    let mut form = Map::new();
    for (key, value) in schema {
        match key.as_str() {
            "description" | "example" | "examples" | "propertyNames" => {}
            "nullable" => form.extend([("nullable".into(), value.clone())]),
            "allOf" | "oneOf" => {
                for part in value.as_array().into_iter().flatten() {
                    if part == &json!({ "type": "null" }) {
                        form.insert("nullable".into(), json!(true));
                    } else if let Value::Object(part) = normal(part) {
                        form.extend(part);
                    }
                }
            }
            "type" if value.is_array() => {
                for name in value.as_array().into_iter().flatten() {
                    if name == "null" {
                        form.insert("nullable".into(), json!(true));
                    } else {
                        form.insert("type".into(), name.clone());
                    }
                }
            }
            "properties" => {
                let properties: Map<String, Value> = value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, schema)| (name.clone(), normal(schema)))
                    .collect();
                form.insert("properties".into(), properties.into());
            }
            "required" => {
                let mut names: Vec<&str> = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                names.sort_unstable();
                form.insert("required".into(), json!(names));
            }
            "additionalProperties" if value == &json!(true) => {}
            "items" | "additionalProperties" => {
                form.insert(key.clone(), normal(value));
            }
            _ => {
                form.insert(key.clone(), value.clone());
            }
        }
    }
    form.into()
}

/// The schemas of the document that no request alone is made of.
fn documented() -> BTreeMap<String, Value> {
    let document: Value = yaml_serde::from_str(saddlebag_client::DOCUMENT).unwrap();
    let schemas = document["components"]["schemas"]
        .as_object()
        .unwrap()
        .clone();
    schemas
        .into_iter()
        .filter(|(name, _)| !name.ends_with("Request") && name != "GoDuration")
        .collect()
}

#[test]
fn every_answer_is_the_schema_of_its_name_in_the_document() {
    let served = serde_json::to_value(Answers::openapi()).unwrap();
    let served = served["components"]["schemas"].as_object().unwrap();
    let documented = documented();

    let names = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(documented.keys().collect()),
        names(served.keys().collect())
    );
    for (name, schema) in &documented {
        let (document, server) = (normal(schema), normal(&served[name]));
        assert_eq!(
            document["properties"]
                .as_object()
                .map(|it| it.keys().collect::<Vec<_>>()),
            server["properties"]
                .as_object()
                .map(|it| it.keys().collect::<Vec<_>>()),
            "properties of {name}: document, server"
        );
        for (property, document) in document["properties"].as_object().into_iter().flatten() {
            assert_eq!(
                document, &server["properties"][property],
                "{name}.{property}: document, server"
            );
        }
        assert_eq!(document, server, "{name}: document, server");
    }
}

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
