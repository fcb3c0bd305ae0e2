//! What holds of `openapi.yaml` without a server: it is complete, its examples are of their schemas, and the cases that
//! are executed elsewhere make sense. `EXPECTORATE=overwrite cargo test` accepts a change of the route table.

#![allow(clippy::unwrap_used, reason = "a test that fails should fail loudly")]
mod judge;

use judge::{Judge, resolve};
use saddlebag_client::{
    DOCUMENT,
    operations::{AgentPolicy, Checked, NodePolicy, Operation, PluginPolicy, TokenNeeded},
    types,
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn document() -> Value {
    yaml_serde::from_str(DOCUMENT).unwrap()
}

/// Every operation of the document: its id, its path, and what the document says of it.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut operations = vec![];
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            operations.push((
                operation["operationId"].as_str().unwrap(),
                path.as_str(),
                operation,
            ));
        }
    }
    operations
}

#[test]
fn the_route_table_is_as_reviewed() {
    let table: String = Operation::ALL
        .iter()
        .map(|operation| {
            let needed = operation.capability();
            let plugin = needed.plugin.map(|policy| match policy {
                PluginPolicy::List => "plugin:list".to_owned(),
                PluginPolicy::Read => "plugin:read".to_owned(),
            });
            let node = needed.node.map(|policy| match policy {
                NodePolicy::Read => "node:read".to_owned(),
                NodePolicy::Write => "node:write".to_owned(),
            });
            let namespace = needed.checked.map(|checked| match checked {
                Checked::Request => needed.namespace.join("|") + " in the request's namespace",
                Checked::Volume => needed.namespace.join("|") + " in each volume's namespace",
                Checked::Path => needed.namespace.join("|") + " in the path's namespace",
            });
            let agent = needed.agent.map(|policy| match policy {
                AgentPolicy::Read => "agent:read".to_owned(),
                AgentPolicy::Write => "agent:write".to_owned(),
            });
            let token = needed.token.map(|token| match token {
                TokenNeeded::Any => "any token or none".to_owned(),
                TokenNeeded::Own => "a management token, or its own".to_owned(),
                TokenNeeded::Management => "a management token".to_owned(),
            });
            let needs = [plugin, node, agent, namespace, token];
            let needs: Vec<String> = needs.into_iter().flatten().collect();
            format!(
                "{} {} {} ({}): {}\n",
                operation.method(),
                operation.path(),
                operation.id(),
                operation.tag(),
                if needs.is_empty() {
                    "nothing".to_owned()
                } else {
                    needs.join(", ")
                },
            )
        })
        .collect();
    expectorate::assert_contents("client/tests/operations.txt", &table);
}

#[test]
fn the_document_has_the_version_of_the_crate() {
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}

/// Swagger UI fills the examples of parameters in, and sends what is filled in: an example of a filter
/// would show a newcomer an empty list.
#[test]
fn optional_parameters_with_an_example_narrow_nothing() {
    const HARMLESS: [&str; 7] = [
        "X-Nomad-CSI-Secrets",
        "index",
        "namespace",
        "per_page",
        "region",
        "type",
        "wait",
    ];
    let document = document();
    let mut seen = 0;
    for (id, _, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = resolve(&document, parameter);
            if parameter["required"] == true || parameter.get("example").is_none() {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            assert!(HARMLESS.contains(&name), "{id}: {name} has an example");
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} parameters were found");
}

#[test]
fn every_example_is_of_its_schema() {
    let document = document();
    let judge = Judge::new(&document);
    let mut seen = 0;
    for (id, _, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = resolve(&document, parameter);
            let place = format!("{id}: example of {}", parameter["name"]);
            seen += judge.assert_examples_valid(parameter, &place);
        }
        let body = operation.get("requestBody").map(|body| ("request", body));
        let answers = operation["responses"].as_object().into_iter().flatten();
        let answers = answers.map(|(status, answer)| (status.as_str(), answer));
        for (name, message) in body.into_iter().chain(answers) {
            let message = resolve(&document, message);
            for (name, header) in message["headers"].as_object().into_iter().flatten() {
                let header = resolve(&document, header);
                seen += judge.assert_examples_valid(header, &format!("{id}: example of {name}"));
            }
            for (kind, content) in message["content"].as_object().into_iter().flatten() {
                let place = format!("{id}: example of {name} {kind}");
                let examples = judge.assert_examples_valid(content, &place);
                let excused = kind == "application/yaml";
                assert!(
                    examples > 0 || excused,
                    "{id}: {name} {kind} has no example"
                );
                seen += examples;
            }
        }
    }
    assert!(
        seen > 500,
        "only {seen} examples were found: is the document read right?"
    );
}

#[test]
fn every_failure_is_an_error_in_json_and_in_text() {
    let document = document();
    for (id, _, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("200"), "{id} has no 200");
        for always in ["403", "500"] {
            assert!(responses.contains_key(always), "{id} has no {always}");
        }
        for (status, answer) in responses.iter().filter(|(status, _)| *status != "200") {
            let content = &resolve(&document, answer)["content"];
            assert_eq!(
                content["application/json"]["schema"],
                json!({ "$ref": "#/components/schemas/Error" }),
                "{id} {status}"
            );
            let text = &content["text/plain"];
            assert_eq!(text["schema"], json!({ "type": "string" }), "{id} {status}");
            let examples = |content: &Value| content["examples"].as_object().unwrap().clone();
            let json = examples(&content["application/json"]);
            for (name, example) in examples(text) {
                let message = &json[&name]["value"]["message"];
                assert_eq!(&example["value"], message, "{id} {status} {name}");
            }
        }
    }
}

#[test]
fn every_code_in_an_example_is_in_the_table_of_codes() {
    let document = document();
    let table = document["components"]["schemas"]["Error"]["description"]
        .as_str()
        .unwrap();
    let listed: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert!(listed.len() > 20, "{listed:?}");

    fn codes<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        if let (Some(code), true) = (value["code"].as_str(), value.get("retryable").is_some()) {
            found.insert(code);
        }
        let parts = value.as_object().into_iter().flat_map(Map::values);
        for part in parts.chain(value.as_array().into_iter().flatten()) {
            codes(part, found);
        }
    }
    let mut used = BTreeSet::new();
    codes(&document["components"]["responses"], &mut used);
    for (_, _, operation) in operations(&document) {
        for case in operation["x-examples"].as_array().unwrap() {
            used.extend(case["body"]["code"].as_str());
        }
    }
    assert!(used.len() > 15, "{used:?}");
    assert!(
        used.is_subset(&listed),
        "not in the table: {:?}",
        &used - &listed
    );
}

#[test]
fn answers_name_no_closed_set_of_values() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if !name.ends_with("Request") {
            assert!(
                !schema.to_string().contains("\"enum\""),
                "{name} has an enum"
            );
        }
    }
}

#[test]
fn everything_says_what_it_is() {
    let document = document();
    let say = |thing: &Value, place: &str| {
        let said = thing["description"].as_str().unwrap_or_default();
        assert!(!said.trim().is_empty(), "{place} has no description");
    };
    let components = &document["components"];
    for kind in [
        "parameters",
        "headers",
        "responses",
        "requestBodies",
        "securitySchemes",
    ] {
        for (name, thing) in components[kind].as_object().unwrap() {
            say(thing, name);
        }
    }
    for (name, schema) in components["schemas"].as_object().unwrap() {
        say(schema, name);
        let properties = schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        for (property, schema) in &properties {
            say(resolve(&document, schema), &format!("{name}.{property}"));
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(
                properties.contains_key(required.as_str().unwrap()),
                "{name} requires {required}, which it does not have"
            );
        }
    }
    let tags: BTreeMap<&str, &Value> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| (tag["name"].as_str().unwrap(), tag))
        .collect();
    for operation in Operation::ALL {
        say(tags[operation.tag()], operation.tag());
    }
}

#[test]
fn every_case_can_be_executed() {
    const KEYS: [&str; 10] = [
        "name", "summary", "given", "driver", "acl", "request", "status", "message", "body",
        "answer",
    ];
    let document = document();
    let judge = Judge::new(&document);
    let operations = operations(&document);
    let cases: BTreeMap<&str, &Vec<Value>> = operations
        .iter()
        .map(|(id, _, operation)| (*id, operation["x-examples"].as_array().unwrap()))
        .collect();

    for (id, path, operation) in &operations {
        let names: BTreeSet<&str> = cases[id]
            .iter()
            .map(|case| case["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            names.len(),
            cases[id].len(),
            "{id} has two cases of one name"
        );
        let succeeds = cases[id].iter().any(|case| case["status"] == 200);
        assert!(succeeds, "{id} has no case that succeeds");

        for case in cases[id] {
            let place = format!("{id}/{}", case["name"].as_str().unwrap());
            for key in case.as_object().unwrap().keys() {
                assert!(
                    KEYS.contains(&key.as_str()),
                    "{place} has an unknown key {key}"
                );
            }
            let status = case["status"].as_u64().unwrap();
            assert!(
                operation["responses"].get(status.to_string()).is_some(),
                "{place} expects {status}, which is not documented"
            );
            for given in case["given"].as_array().into_iter().flatten() {
                let (id, name) = (given["operationId"].as_str().unwrap(), &given["case"]);
                assert!(
                    cases[id].iter().any(|case| case["name"] == *name),
                    "{place} needs {given}, which does not exist"
                );
            }
            let request = case["request"].as_object().unwrap();
            for parameter in path.split(['{', '}']).skip(1).step_by(2) {
                assert!(
                    request["path"][parameter].is_string(),
                    "{place} lacks {parameter}"
                );
            }
            let asked = operation
                .get("requestBody")
                .map(|body| resolve(&document, body));
            if let (200, Some(body), Some(asked)) = (status, request.get("body"), asked) {
                judge.assert_valid(
                    &asked["content"]["application/json"]["schema"],
                    body,
                    &place,
                );
            }
        }
    }
}

#[test]
fn a_volume_as_a_real_nomad_sends_it_decodes() {
    let sent = json!({
        "AccessMode": "single-node-writer", "Allocations": [], "AttachmentMode": "file-system",
        "Capacity": 10737418240_i64, "CloneID": "", "Context": { "pool": "fast" },
        "ControllerRequired": true, "ControllersExpected": 1, "ControllersHealthy": 1,
        "CreateIndex": 120, "CreateTime": 0, "ExternalID": "vol-7f3a", "ID": "pgdata",
        "ModifyIndex": 131, "ModifyTime": 0,
        "MountOptions": { "FSType": "ext4", "MountFlags": ["[REDACTED]"] },
        "Name": "pgdata", "Namespace": "default", "NodesExpected": 3, "NodesHealthy": 3,
        "Parameters": { "tier": "gold" }, "PluginID": "blockd", "Provider": "block.example.org",
        "ProviderVersion": "1.4.0", "ReadAllocs": {}, "RequestedCapabilities": null,
        "RequestedCapacityMax": 0, "RequestedCapacityMin": 10737418240_i64,
        "RequestedTopologies": null, "ResourceExhausted": "2026-11-21T11:50:20.866409962+01:00",
        "Schedulable": true, "Secrets": null, "SnapshotID": "",
        "Topologies": [null, { "Segments": { "zone": "a" } }],
        "WriteAllocs": { "0b7f6d0e-6a31-4c53-9a7d-0c8f2f1f6a11": null },
        "FieldOfALaterVersion": {},
    });
    let volume: types::Volume = serde_json::from_value(sent).unwrap();
    assert_eq!(volume.topologies.len(), 2);
    assert_eq!(volume.write_allocs.len(), 1);
    assert_eq!(
        volume.resource_exhausted.unwrap().to_string(),
        "2026-11-21T10:50:20.866409962Z"
    );
}

#[test]
fn what_a_request_does_not_say_is_not_sent() {
    let volume = types::VolumeRequest::builder().id("pgdata".to_owned());
    let volume: types::VolumeRequest = volume.try_into().unwrap();
    assert_eq!(
        serde_json::to_value(volume).unwrap(),
        json!({ "ID": "pgdata" })
    );
}
