//! What specifications in every notation mean.

use super::parse;
use saddlebag_client::types::VolumesRequest;
use serde_json::{Value, json};

fn read(text: &str, extension: &str) -> VolumesRequest {
    parse(text, Some(extension)).unwrap_or_else(|problem| panic!("{problem:?}\n{text}"))
}

/// The one volume of a specification, as the API gets it.
fn volume(text: &str) -> Value {
    let request = serde_json::to_value(read(text, "hcl")).unwrap();
    request["Volumes"][0].clone()
}

/// A specification with every key, and what it asks for.
pub(super) const FULL: &str = r#"
id           = "pgdata"
name         = "pgdata"
namespace    = "prod"
type         = "CSI"
plugin_id    = "local"
external_id  = "vol-1"
snapshot_id  = "snap-1"
clone_id     = "vol-0"
capacity_min = "10GiB"   # binary
capacity_max = "1.5 TB"  // decimal
/* Both ways
   of use. */
capability {
  access_mode     = "single-node-writer"
  attachment_mode = "file-system"
}
capability {
  access_mode     = "multi-node-reader-only"
  attachment_mode = "block-device"
}
mount_options {
  fs_type     = "ext4"
  mount_flags = ["noatime", "ro",]
}
topology_request {
  required {
    topology { segments { "zone" = "a" } }
    topology { segments { "zone" = "b" } }
  }
  preferred {
    topology {
      segments {
        zone = "b"
      }
    }
  }
}
parameters { tier = "gold" iops = 3000, encrypted = true }
secrets    { password = "s3" }
secrets_from { token { file = "/run/token" } "key" = { credential = "db" } }
context    { "csi.storage.k8s.io/fstype" = "ext4" }
"#;

fn full() -> Value {
    json!({
        "ID": "pgdata", "Name": "pgdata", "Namespace": "prod", "PluginID": "local",
        "ExternalID": "vol-1", "SnapshotID": "snap-1", "CloneID": "vol-0",
        "RequestedCapacityMin": 10_737_418_240u64, "RequestedCapacityMax": 1_500_000_000_000u64,
        "RequestedCapabilities": [
            {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"},
            {"AccessMode": "multi-node-reader-only", "AttachmentMode": "block-device"},
        ],
        "MountOptions": {"FSType": "ext4", "MountFlags": ["noatime", "ro"]},
        "RequestedTopologies": {
            "Required": [{"Segments": {"zone": "a"}}, {"Segments": {"zone": "b"}}],
            "Preferred": [{"Segments": {"zone": "b"}}],
        },
        "Parameters": {"tier": "gold", "iops": "3000", "encrypted": "true"},
        "Secrets": {"password": "s3"},
        "SecretsFrom": {"token": {"File": "/run/token"}, "key": {"Credential": "db"}},
        "Context": {"csi.storage.k8s.io/fstype": "ext4"},
    })
}

#[test]
fn every_key_of_a_specification_is_read() {
    assert_eq!(volume(FULL), full());
}

#[test]
fn the_spellings_of_hcl_2_and_of_json_mean_the_same() {
    let spelled = FULL
        .replace("parameters { tier", "parameters = { \"tier\"")
        .replace("iops = ", "\"iops\": ")
        .replace("secrets    {", "secrets = {")
        .replace("context    {", "\"context\" = {");
    assert_ne!(spelled, FULL);
    assert_eq!(volume(&spelled), full());

    let hcl_json = r#"{
        "id": "pgdata", "name": "pgdata", "namespace": "prod", "type": "csi", "plugin_id": "local",
        "external_id": "vol-1", "snapshot_id": "snap-1", "clone_id": "vol-0",
        "capacity_min": "10GiB", "capacity_max": 1500000000000,
        "capability": [
            {"access_mode": "single-node-writer", "attachment_mode": "file-system"},
            {"access_mode": "multi-node-reader-only", "attachment_mode": "block-device"}
        ],
        "mount_options": [{"fs_type": "ext4", "mount_flags": ["noatime", "ro"]}],
        "topology_request": {
            "required": {"topology": [{"segments": {"zone": "a"}}, {"segments": {"zone": "b"}}]},
            "preferred": [{"topology": {"segments": [{"zone": "b"}]}}]
        },
        "parameters": {"tier": "gold", "iops": 3000, "encrypted": true},
        "secrets": [{"password": "s3"}],
        "secrets_from": [{"token": [{"file": "/run/token"}], "key": {"Credential": "db"}}],
        "context": {"csi.storage.k8s.io/fstype": "ext4"}
    }"#;
    assert_eq!(volume(hcl_json), full());
}

#[test]
fn a_body_of_the_api_is_read_as_it_is() {
    let body =
        json!({"Volumes": [full()], "Namespace": "prod", "Region": "global", "AuthToken": "no"});
    let request = read(&serde_json::to_string_pretty(&body).unwrap(), "json");
    assert_eq!(request.namespace.as_deref(), Some("prod"));
    assert_eq!(request.region.as_deref(), Some("global"));
    assert_eq!(request.auth_token, None);
    assert_eq!(
        serde_json::to_value(request).unwrap()["Volumes"],
        json!([full()])
    );
    assert_eq!(volume(&full().to_string()), full());
}

#[test]
fn an_answer_may_be_edited_and_sent_back() {
    let answer = r#"{
        "AccessMode": "", "Allocations": [], "AttachmentMode": "", "Capacity": 1048576, "CloneID": "",
        "Context": {}, "ControllerRequired": true, "ControllersExpected": 1, "ControllersHealthy": 1,
        "CreateIndex": 7, "CreateTime": 1795277335000000000, "ExternalID": "vol-1", "ID": "pgdata",
        "ModifyIndex": 7, "ModifyTime": 0, "MountOptions": {"FSType": "", "MountFlags": null},
        "Name": "pg", "Namespace": "default", "NodesExpected": 1, "NodesHealthy": 1, "Parameters": {},
        "PluginID": "local", "Provider": "p", "ProviderVersion": "1", "ReadAllocs": {},
        "RequestedCapabilities": [{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}],
        "RequestedCapacityMax": 0, "RequestedCapacityMin": 1048576, "RequestedTopologies": null,
        "ResourceExhausted": null, "Schedulable": true, "Secrets": null, "SnapshotID": "",
        "Topologies": [null, {"Segments": {"zone": "a"}}], "WriteAllocs": {}
    }"#;
    let volume = volume(answer);
    assert_eq!(volume["Topologies"], json!([{"Segments": {"zone": "a"}}]));
    assert_eq!(volume["RequestedCapacityMin"], 1_048_576);
    // What is stored stays where nothing is said.
    assert_eq!(volume.get("Secrets"), None);
    assert_eq!(volume.get("Capacity"), None);
}

/// The same in YAML, with the names of the API among those of specifications.
pub(super) const FULL_IN_YAML: &str = r#"
# the database
id: pgdata
name: "pgdata"
namespace: prod
plugin_id: local
external_id: vol-1
snapshot_id: snap-1
CloneID: vol-0
capacity_min: 10GiB
capacity_max: 1500000000000
capability:
  - { access_mode: single-node-writer, attachment_mode: file-system }
  - access_mode: multi-node-reader-only
    attachment_mode: block-device
mount_options: { fs_type: ext4, mount_flags: [noatime, ro] }
topology_request:
  required:
    - { Segments: { zone: a } }
    - segments: { zone: b }
  preferred: { topology: { segments: { zone: b } } }
parameters: { tier: gold, iops: 3000, encrypted: true }
secrets: { password: "s3" }
SecretsFrom:
  token: { File: /run/token }
  key: { credential: db }
context:
  csi.storage.k8s.io/fstype: ext4
"#;

#[test]
fn yaml_says_the_same_with_either_names() {
    let request = serde_json::to_value(read(FULL_IN_YAML, "yml")).unwrap();
    assert_eq!(request["Volumes"], json!([full()]));
    let several = read("volumes:\n- {id: a}\n- {id: b}\n", "yaml");
    let ids: Vec<_> = several.volumes.iter().map(|it| it.id.as_deref()).collect();
    assert_eq!(ids, [Some("a"), Some("b")]);
}

#[test]
fn what_a_text_is_written_in_is_seen_where_no_extension_says_it() {
    for text in [
        "id = \"a\"",
        "// hello: there\nid = \"a\"",
        "\"id\" = \"a\"",
        "\u{feff}{\"id\": \"a\"}",
        "{\"Volumes\": [{\"ID\": \"a\"}]}",
        "# hello\n\nid: a",
        "---\nid: a",
        "'id': a",
    ] {
        let request = parse(text, None).unwrap_or_else(|problem| panic!("{problem:?}\n{text}"));
        assert_eq!(request.volumes[0].id.as_deref(), Some("a"), "{text}");
    }
}

#[test]
fn text_may_hold_anything() {
    let id = |text: &str| volume(text)["ID"].clone();
    assert_eq!(
        id(r#"id = "a\"b\\\t\u00e9\U0001F600\x41""#),
        "a\"b\\\té\u{1f600}A"
    );
    assert_eq!(id(r#"{"id": "\ud83d\ude00\/"}"#), "\u{1f600}/");
    assert_eq!(id("id = \"${not.computed}\""), "${not.computed}");
    let lines =
        volume("parameters { a = <<EOF\n one\n two\nEOF\nb = <<-END\n    x\n\n      y\n    END\n}");
    assert_eq!(
        lines["Parameters"],
        json!({"a": " one\n two\n", "b": "x\n\n  y\n"})
    );
}

#[test]
fn the_older_form_of_the_one_capability_is_read() {
    let older = volume("access_mode = \"single-node-writer\"\nattachment_mode = \"file-system\"");
    assert_eq!(
        older["RequestedCapabilities"],
        json!([{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}])
    );
}

#[test]
fn the_example_that_init_writes_is_right() {
    let request = read(include_str!("../volume/example.hcl"), "hcl");
    assert_eq!(request.volumes[0].id.as_deref(), Some("pgdata"));
    // What stands behind `# ` is right, too.
    let uncommented = include_str!("../volume/example.hcl")
        .lines()
        .filter(|line| !line.starts_with('#') || is_commented_out(line))
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    let volume = volume(&uncommented);
    assert_eq!(volume["Secrets"], json!({"password": "xyzzy"}));
    assert_eq!(volume["Context"], json!({"pool": "slow"}));
    assert_eq!(
        volume["RequestedTopologies"]["Required"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

/// Whether a comment of the example is HCL once its mark is taken away.
fn is_commented_out(line: &str) -> bool {
    let text = line.trim_start_matches(['#', ' ']);
    text.ends_with('{')
        || text.ends_with('}')
        || text
            .split_once(" = ")
            .is_some_and(|(key, _)| !key.trim().contains(' '))
}
