//! Specifications in every notation become volumes.

use crate::story::Story;
use serde_json::{Value, json};

const HCL: &str = "id = \"db\"\nname = \"db\"\ntype = \"csi\"\nplugin_id = \"local\"\ncapacity_min = \"1MiB\"\n\
    capability { access_mode = \"single-node-writer\" attachment_mode = \"file-system\" }\n\
    mount_options { fs_type = \"ext4\" }\n";

/// What the server made of it.
async fn made(story: &Story) -> Value {
    let (status, volume) = story.dev.get("/v1/volume/csi/db").await;
    assert_eq!(status, 200);
    let kept = [
        "Name",
        "PluginID",
        "Capacity",
        "RequestedCapacityMin",
        "RequestedCapabilities",
        "MountOptions",
    ];
    let mut volume = volume.as_object().unwrap().clone();
    volume.retain(|key, _| kept.contains(&key.as_str()));
    Value::Object(volume)
}

#[tokio::test]
async fn hcl_json_and_yaml_from_files_and_standard_input_make_the_same_volume() {
    let story = Story::begin().await;
    let api = json!({"Volumes": [{
        "ID": "db", "Name": "db", "PluginID": "local", "RequestedCapacityMin": 1 << 20,
        "RequestedCapabilities": [{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}],
        "MountOptions": {"FSType": "ext4"},
    }]})
    .to_string();
    let yaml = "id: db\nname: db\ntype: csi\nplugin_id: local\ncapacity_min: 1MiB\ncapability:\n\
        - access_mode: single-node-writer\n  attachment_mode: file-system\nmount_options: { fs_type: ext4 }\n";
    let hcl_json = json!({
        "id": "db", "name": "db", "type": "csi", "plugin_id": "local", "capacity_min": "1MiB",
        "capability": {"access_mode": "single-node-writer", "attachment_mode": "file-system"},
        "mount_options": [{"fs_type": "ext4"}],
    })
    .to_string();
    for (name, text) in [
        ("db.hcl", HCL),
        ("db.json", &api),
        ("hcl.json", &hcl_json),
        ("db.yaml", yaml),
    ] {
        story.write(name, text);
        story.told(&["volume", "create", name]).await;
        let from_file = made(&story).await;
        assert_eq!(from_file["Capacity"], 1 << 20);
        assert_eq!(from_file["MountOptions"]["FSType"], "ext4");
        story.told(&["volume", "delete", "db"]).await;
        let said = story.run_with_input(&["volume", "create", "-"], text).await;
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{name}");
        assert_eq!(made(&story).await, from_file, "{name}");
        story.told(&["volume", "delete", "db"]).await;
    }
    story.dev.stop().await;
}

#[tokio::test]
async fn a_volume_that_grows_in_its_file_grows() {
    let story = Story::begin().await;
    story.write("db.hcl", HCL);
    story.told(&["volume", "create", "db.hcl"]).await;
    story.write("db.hcl", &HCL.replace("1MiB", "2MiB"));
    let told = story.told(&["volume", "create", "db.hcl"]).await;
    assert!(
        told.starts_with("There already, and now as the file says: volume db "),
        "{told}"
    );
    assert!(told.ends_with(", 2 MiB\n"), "{told}");
    story.dev.stop().await;
}

#[tokio::test]
async fn several_volumes_of_one_file_are_created_together() {
    let story = Story::begin().await;
    let volume = |id: &str| {
        format!(
            "- {{id: {id}, name: {id}, plugin_id: local, capability: {{access_mode: single-node-writer, attachment_mode: file-system}}}}\n"
        )
    };
    let text = format!("volumes:\n{}{}", volume("a"), volume("b"));
    let said = story
        .run_with_input(&["volume", "create", "--quiet", "-"], &text)
        .await;
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (Some(0), "a\nb\n"),
        "{said:?}"
    );
    story.dev.stop().await;
}

/// A specification with every key that `nomad volume init` prints, and notes between them as there.
fn as_nomad_s_example(topology: (&str, &str), identity: &str) -> String {
    let (key, value) = topology;
    format!(
        r#"
# What the volume is called by jobs, and by people.
id        = "example"
name      = "an example"
namespace = "default"
type      = "csi"
plugin_id = "local"

{identity}

# How large it has to be.
capacity_max = "20 MiB"
capacity_min = "10MB"

# One block for each way in which it may be used.
capability {{
  access_mode     = "single-node-writer"
  attachment_mode = "file-system"
}}

capability {{
  access_mode     = "single-node-reader-only"
  attachment_mode = "block-device"
}}

// How a file system is mounted.
mount_options {{
  fs_type     = "ext4"
  mount_flags = ["noatime"]
}}

/* From where it has to be reachable,
   and from where rather. */
topology_request {{
  required {{
    topology {{
      segments {{
        "{key}" = "{value}"
      }}
    }}
  }}
  preferred {{
    topology {{ segments {{ "{key}" = "{value}" }} }}
  }}
}}

# What the driver is told when it makes it: its own words.
parameters {{
  mode        = "0750"
  "max.iops"  = 500
  replicated  = false
}}

# What the driver may know and nobody else.
secrets {{
  example_secret = "xyzzy"
}}

# What the driver said of a volume that was made elsewhere.
context = {{
  endpoint = "http://192.0.2.17"
}}
"#
    )
}

#[tokio::test]
async fn a_specification_as_nomad_s_example_has_it_is_created_and_registered() {
    let story = Story::begin().await;
    let (_, plugin) = story.dev.get("/v1/plugin/csi/local").await;
    let segments = plugin["Topologies"][0]["Segments"].as_object().unwrap();
    let (key, value) = segments.iter().next().unwrap();
    let topology = (key.as_str(), value.as_str().unwrap());
    let read = async || story.dev.get("/v1/volume/csi/example").await.1;

    let nowhere =
        "# snapshot_id = \"snap-12345\"  # or\n# clone_id = \"vol-abcdef\"  # but not both";
    story.write("example.hcl", &as_nomad_s_example(topology, nowhere));
    story.told(&["volume", "create", "example.hcl"]).await;
    let created = read().await;
    assert_eq!(created["Name"], "an example");
    assert_eq!(created["RequestedCapacityMin"], 10_000_000);
    assert_eq!(created["RequestedCapacityMax"], 20 << 20);
    assert_eq!(created["MountOptions"]["FSType"], "ext4");
    assert_eq!(created["MountOptions"]["MountFlags"], json!(["[REDACTED]"]));
    let there = json!([{"Segments": {key: value}}]);
    assert_eq!(
        created["RequestedTopologies"],
        json!({"Required": there, "Preferred": there})
    );
    assert_eq!(
        created["Parameters"],
        json!({"mode": "0750", "max.iops": "500", "replicated": "false"})
    );
    assert_eq!(created["Secrets"], Value::Null);
    let modes: Vec<&Value> = created["RequestedCapabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["AttachmentMode"])
        .collect();
    assert_eq!(modes, ["file-system", "block-device"]);

    let external = created["ExternalID"].as_str().unwrap();
    story.told(&["volume", "deregister", "example"]).await;
    let known = format!("external_id = \"{external}\"");
    story.write("example.hcl", &as_nomad_s_example(topology, &known));
    story.told(&["volume", "register", "example.hcl"]).await;
    let registered = read().await;
    assert_eq!(registered["ExternalID"], external);
    assert_eq!(registered["Context"]["endpoint"], "http://192.0.2.17");
    story.dev.stop().await;
}
