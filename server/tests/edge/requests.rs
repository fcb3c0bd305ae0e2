//! What requests declare against what they read: each declared property is read, or ignored, as declared.

use saddlebag::http::{
    edge::Refusal,
    request::{SnapshotsRequest, VolumesRequest},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Fields that are declared with a type and ignored.
const IGNORED: [&str; 1] = ["SecretID"];

/// All declared schemas, by name.
fn declared() -> BTreeMap<String, Value> {
    let mut named = vec![
        (
            "VolumesRequest".to_owned(),
            <VolumesRequest as utoipa::PartialSchema>::schema(),
        ),
        (
            "SnapshotsRequest".to_owned(),
            <SnapshotsRequest as utoipa::PartialSchema>::schema(),
        ),
    ];
    VolumesRequest::schemas(&mut named);
    SnapshotsRequest::schemas(&mut named);
    let value = |(name, schema)| {
        (
            name,
            serde_json::to_value::<utoipa::openapi::RefOr<_>>(schema).unwrap(),
        )
    };
    named.into_iter().map(value).collect()
}

/// Where a schema stands in a body: its place in a refusal, and a body that holds a value there.
type Place = (&'static str, &'static str, fn(Value) -> Value);

const PLACES: [Place; 7] = [
    ("VolumesRequest", "", |value| value),
    (
        "VolumeRequest",
        "Volumes[0].",
        |value| json!({"Volumes": [value]}),
    ),
    (
        "CapabilityRequest",
        "Volumes[0].RequestedCapabilities[0].",
        |value| json!({"Volumes": [{"RequestedCapabilities": [value]}]}),
    ),
    (
        "MountOptionsRequest",
        "Volumes[0].MountOptions.",
        |value| json!({"Volumes": [{"MountOptions": value}]}),
    ),
    (
        "TopologyRequest",
        "Volumes[0].RequestedTopologies.",
        |value| json!({"Volumes": [{"RequestedTopologies": value}]}),
    ),
    ("SnapshotsRequest", "", |value| value),
    (
        "SnapshotRequest",
        "Snapshots[0].",
        |value| json!({"Snapshots": [value]}),
    ),
];

fn decode(schema: &str, body: &Value) -> Result<(), Refusal> {
    let body = body.to_string();
    match schema.starts_with("Snapshot") {
        true => SnapshotsRequest::decode(body.as_bytes()).map(drop),
        false => VolumesRequest::decode(body.as_bytes()).map(drop),
    }
}

/// A value of none of the types that these schemas have.
fn wrong(schema: &Value) -> Value {
    match schema["type"].to_string().contains("boolean") {
        true => json!("yes"),
        false => json!(true),
    }
}

fn is_anything(schema: &Value) -> bool {
    ["type", "oneOf", "$ref"]
        .iter()
        .all(|keyword| schema.get(*keyword).is_none())
}

#[test]
fn each_declared_property_is_read_where_it_is_declared() {
    let declared = declared();
    for (name, prefix, around) in PLACES {
        let properties = declared[name]["properties"].as_object().unwrap();
        assert!(properties.len() >= 2, "{name}");
        for (property, schema) in properties {
            let body =
                |value: Value| around(Value::Object(Map::from_iter([(property.clone(), value)])));
            assert!(
                decode(name, &body(Value::Null)).is_ok(),
                "{name}.{property}"
            );
            if IGNORED.contains(&property.as_str()) {
                continue;
            }
            if is_anything(schema) {
                for value in [json!(7), json!("x"), json!([]), json!({"a": null})] {
                    assert!(decode(name, &body(value)).is_ok(), "{name}.{property}");
                }
                continue;
            }
            let refusal = decode(name, &body(wrong(schema))).unwrap_err();
            let place = format!("{prefix}{property}: expected ");
            assert!(
                refusal.message.starts_with(&place),
                "{name}.{property}: {refusal}"
            );
        }
    }
}

#[test]
fn every_reference_leads_to_a_declared_schema() {
    let declared = declared();
    let names: Vec<&str> = declared.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "CapabilityRequest",
            "MountOptionsRequest",
            "SecretReference",
            "SecretsFromRequest",
            "SecretsRequest",
            "SnapshotRequest",
            "SnapshotsRequest",
            "TopologyRequest",
            "TopologySegmentsRequest",
            "VolumeRequest",
            "VolumesRequest",
        ]
    );
    let printed = serde_json::to_string(&declared).unwrap();
    for reference in printed.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(declared.contains_key(name), "{name}");
    }
}
