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
