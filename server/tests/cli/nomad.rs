//! Every fact that Nomad's command line shows of its CSI volumes and plugins is shown here, by the same name.

use crate::story::{Story, words};

/// The commands with Nomad's own flags, and what Nomad shows in answer to them, as it was recorded of Nomad 1.10.
const SHOWN: [(&str, &[&str]); 10] = [
    ("volume create db.hcl", &["pgdata", "vol-"]),
    (
        "volume status",
        &[
            "ID",
            "Name",
            "Namespace",
            "Plugin ID",
            "Schedulable",
            "Access Mode",
        ],
    ),
    (
        "volume status pgdata",
        &[
            "ID ",
            "Name ",
            "Namespace ",
            "External ID",
            "Plugin ID",
            "Provider",
            "Version",
            "Capacity",
            "Schedulable",
            "Controllers Healthy",
            "Controllers Expected",
            "Nodes Healthy",
            "Nodes Expected",
            "Access Mode",
            "Attachment Mode",
            "Mount Options",
            "fs_type: ext4",
            "flags: [REDACTED]",
            "Topologies\n",
            "Topology",
            "Segments",
            "Capabilities\n",
            "single-node-writer",
            "file-system",
            "Allocations\n",
        ],
    ),
    (
        "volume status -type=csi pg",
        &["ID ", "pgdata", "Allocations\n"],
    ),
    (
        "plugin status",
        &[
            "ID",
            "Provider",
            "Controllers Healthy/Expected",
            "Nodes Healthy/Expected",
            "1/1",
        ],
    ),
    (
        "plugin status -type csi -verbose local",
        &[
            "ID ",
            "Provider",
            "Version",
            "Controllers Healthy",
            "Controllers Expected",
            "Nodes Healthy",
            "Nodes Expected",
            "Controller Capabilities\n",
            "CREATE_DELETE_VOLUME",
            "Node Capabilities\n",
            "EXPAND_VOLUME",
            "Accessible Topologies\n",
            "Node ID",
            "Accessible Topology",
            "Allocations\n",
        ],
    ),
    (
        "volume snapshot create pgdata nightly",
        &[
            "Snapshot ID",
            "Volume ID",
            "Size",
            "Create Time",
            "Ready?",
            "true",
        ],
    ),
    ("volume claim pgdata", &["/claims/"]),
    (
        "volume status pgdata",
        &[
            "Access Mode          = single-node-writer\n",
            "Attachment Mode      = file-system\n",
            "\nAllocations\nID        Node ID   Task Group  Version  Desired  Status   Created ",
            "run      running",
        ],
    ),
    (
        "volume snapshot list -plugin local",
        &[
            "Snapshot ID",
            "Volume ID",
            "Size",
            "Create Time",
            "Ready?",
            "true",
        ],
    ),
];

/// What fails at Nomad, with its exit code 1; here scripts can tell why.
const FAILING: [(&str, i32); 6] = [
    ("volume status -type host", 2),
    ("volume delete nope", 3),
    ("volume deregister nope", 3),
    ("volume create no-such.hcl", 2),
    ("volume create bad-size.hcl", 2),
    ("volume register bad-key.hcl", 2),
];

#[tokio::test]
async fn what_nomad_shows_is_shown() {
    let story = Story::begin().await;
    story.told(&["volume", "init", "db.hcl"]).await;
    for (command, labels) in SHOWN {
        let told = story.told(&words(command)).await;
        for label in labels {
            assert!(
                told.contains(label),
                "{command} does not show {label:?}:\n{told}"
            );
        }
    }
    story.write(
        "bad-size.hcl",
        "id = \"a\"\ntype = \"csi\"\ncapacity_min = \"GiB\"\n",
    );
    story.write(
        "bad-key.hcl",
        "id = \"a\"\ntype = \"csi\"\ncapability { mode = \"x\" }\n",
    );
    for (command, code) in FAILING {
        let said = story.run(&words(command)).await;
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (Some(code), ""),
            "{command}: {said:?}"
        );
        let is_told = ["saddlebag: ", "error: "]
            .iter()
            .any(|start| said.stderr.starts_with(start));
        assert!(is_told, "{command}: {said:?}");
    }
    for command in [
        "volume release pgdata",
        "volume deregister pgdata",
        "volume list",
    ] {
        story.told(&words(command)).await;
    }
    story.dev.stop().await;
}
