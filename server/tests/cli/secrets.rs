//! Secrets reach the driver and nothing else.

use crate::scripted_driver::ScriptedDriver;
use crate::story::Story;
use saddlebag::csi::{Call, v1};

const SPECIFICATION: &str = "id = \"db\"\nname = \"db\"\nplugin_id = \"scripted\"\nsecrets { password = \"hush\" }\n\
    capability {\n  access_mode = \"single-node-writer\"\n  attachment_mode = \"file-system\"\n}\n";

#[tokio::test]
async fn secrets_of_files_and_flags_reach_the_driver_and_are_shown_nowhere() {
    let driver = ScriptedDriver::start();
    let plugin = format!("id=scripted,endpoint={}", driver.endpoint());
    let story = Story::begin_with(&["--no-local", "--plugin", &plugin]).await;
    story.write("db.hcl", SPECIFICATION);
    let mut shown = story.told(&["volume", "create", "--json", "db.hcl"]).await;
    let created: v1::CreateVolumeRequest = driver.last(Call::CreateVolume);
    assert_eq!(created.secrets["password"], "hush");

    let snapshot = [
        "volume",
        "snapshot",
        "create",
        "db",
        "nightly",
        "-secret",
        "key=hush-a",
        "-parameter",
        "class=cold",
    ];
    shown += &story.told(&snapshot).await;
    let taken: v1::CreateSnapshotRequest = driver.last(Call::CreateSnapshot);
    assert_eq!(
        (
            taken.secrets["key"].as_str(),
            taken.secrets["password"].as_str()
        ),
        ("hush-a", "hush")
    );
    assert_eq!(taken.parameters["class"], "cold");

    shown += &story.told(&["volume", "status", "--verbose", "db"]).await;
    shown += &story.told(&["operation", "list", "--json"]).await;
    shown += &story
        .told(&[
            "volume",
            "delete",
            "--secret",
            "key=hush-b",
            "--secret=other=hush-c",
            "db",
        ])
        .await;
    let deleted: v1::DeleteVolumeRequest = driver.last(Call::DeleteVolume);
    let secrets = ["key", "other", "password"].map(|key| deleted.secrets[key].as_str());
    assert_eq!(secrets, ["hush-b", "hush-c", "hush"]);
    assert!(!shown.contains("hush"), "{shown}");
    story.dev.stop().await;
}

#[tokio::test]
async fn a_secret_that_cannot_be_sent_is_refused_without_showing_it() {
    let story = Story::begin().await;
    for secret in ["hush", "=hush", "key=hush,other", "key=hush\u{7}"] {
        let said = story
            .run(&["volume", "delete", "--secret", secret, "db"])
            .await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(
            said.stderr.contains("secret") && !said.stderr.contains("hush"),
            "{said:?}"
        );
    }
    story.dev.stop().await;
}
