//! The wire types against `openapi.yaml`.

use super::*;
use serde_json::{Map, Value, json};
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
