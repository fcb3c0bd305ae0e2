//! The keys that secrets are encrypted with: looked at, replaced, removed.

use crate::story::Story;
use serde_json::Value;
use std::time::{Duration, Instant};

/// The keys, as the command shows them.
async fn keys(story: &Story) -> Vec<(String, String)> {
    let told = story.told(&["keyring", "status", "--json"]).await;
    let keys: Value = serde_json::from_str(&told).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keys = keys.as_array().unwrap().iter();
    keys.map(|key| (text(&key["KeyID"]), text(&key["State"])))
        .collect()
}

#[tokio::test]
async fn a_key_is_replaced_and_removed_and_what_it_encrypted_stays_readable() {
    let story = Story::begin().await;
    let specification = "id = \"db\"\nname = \"db\"\nplugin_id = \"local\"\nsecrets { password = \"hush\" }\n\
        capability { access_mode = \"single-node-writer\" attachment_mode = \"file-system\" }\n";
    story.write("db.hcl", specification);
    story.told(&["volume", "create", "db.hcl"]).await;
    let before = keys(&story).await;
    let [(old, state)] = before.as_slice() else {
        panic!("{before:?}");
    };
    assert_eq!(state, "active");

    let told = story.told(&["keyring", "rotate"]).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    let after = loop {
        let keys = keys(&story).await;
        if keys.contains(&(old.clone(), "inactive".to_owned())) {
            break keys;
        }
        // Keys are listed at once, whatever the index.
        assert!(Instant::now() < deadline, "{keys:?}");
    };
    let new = after.iter().find(|(_, state)| state == "active").unwrap();
    assert!(told.contains(&new.0), "{told}");
    let table = story.told(&["keyring", "status"]).await;
    assert!(table.starts_with("Key "), "{table}");
    for line in [format!("{old}  inactive"), format!("{}  active", new.0)] {
        assert!(table.contains(&line), "{table}");
    }

    let refused = story.run(&["keyring", "remove", &new.0]).await;
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(refused.stderr.contains("active"), "{refused:?}");
    let told = story.told(&["keyring", "remove", old]).await;
    assert_eq!(told, format!("Removed key {old}\n"));
    assert_eq!(keys(&story).await, std::slice::from_ref(new));
    let refused = story.run(&["keyring", "remove", old]).await;
    assert_ne!(refused.code, Some(0), "{refused:?}");
    // Deleting it needs its secret.
    story.told(&["volume", "delete", "db"]).await;
    story.dev.stop().await;
}
