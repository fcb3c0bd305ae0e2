//! Updating volumes: Nomad's merge rules, sizes, secrets, and claims that come in between.

use crate::rig::{Rig, writer};
use crate::scripted_driver::Reply;
use crate::server::refusal;
use saddlebag::csi::{Call, v1};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Nomad's words around what an update contradicts.
fn conflicts(texts: &[&str]) -> String {
    let count = match texts.len() {
        1 => "1 error".to_owned(),
        many => format!("{many} errors"),
    };
    let listed: String = texts.iter().map(|text| format!("\n\t* {text}")).collect();
    format!("unable to update volume: {count} occurred:{listed}\n\n")
}

/// Conformance cases 22 and 26.
#[tokio::test]
async fn what_a_volume_is_made_of_cannot_be_updated() {
    let rig = Rig::start().await;
    let zone = |zone: &str| json!([{"Segments": {"zone": zone}}]);
    let placed = json!({"Required": zone("a"), "Preferred": zone("b")});
    let base = json!({
        "ExternalID": "e", "CloneID": "c", "Parameters": {"tier": "gold"},
        "RequestedTopologies": placed,
    });
    let with = |changes: Value| {
        let mut volume = base.clone();
        for (key, value) in changes.as_object().unwrap() {
            volume[key] = value.clone();
        }
        volume
    };
    rig.register("db", base.clone()).await.unwrap();
    let topology = "volume topology request update was not compatible with existing topology";
    for (changes, texts) in [
        (
            json!({"Name": "other"}),
            &["volume name cannot be updated"][..],
        ),
        (
            json!({"ExternalID": "other"}),
            &["volume external ID cannot be updated"],
        ),
        (
            json!({"CloneID": "other"}),
            &["volume clone ID cannot be updated"],
        ),
        (
            json!({"CloneID": "", "SnapshotID": "s"}),
            &["volume snapshot ID cannot be updated"],
        ),
        (
            json!({"Parameters": {"tier": "iron"}}),
            &["volume parameters cannot be updated"],
        ),
        (json!({"RequestedTopologies": null}), &[topology]),
        (
            json!({"RequestedTopologies": {"Required": [{"Segments": {"zone": "a"}}, {"Segments": {"zone": "c"}}], "Preferred": zone("b")}}),
            &[topology],
        ),
        (
            json!({"RequestedTopologies": {"Required": zone("a"), "Preferred": zone("c")}}),
            &[topology],
        ),
        (
            json!({"Name": "other", "Parameters": {"a": "b"}, "RequestedTopologies": null}),
            &[
                "volume name cannot be updated",
                topology,
                "volume parameters cannot be updated",
            ],
        ),
    ] {
        let (status, error) = refusal(rig.register("db", with(changes)).await);
        assert_eq!((status, error.code.as_str()), (409, "volume_conflict"));
        assert_eq!(error.message, conflicts(texts));
    }
    let omitted = json!({"Name": "", "ExternalID": "", "CloneID": "", "Parameters": {}});
    let updated = rig.register("db", with(omitted)).await.unwrap();
    assert_eq!(
        (updated.name.as_str(), updated.external_id.as_str()),
        ("db", "e")
    );
    assert_eq!(
        (
            updated.clone_id.as_str(),
            updated.parameters["tier"].as_str()
        ),
        ("c", "gold")
    );
}

/// Conformance case 27 (not in use) and conformance case 28.
#[tokio::test]
async fn of_an_unused_volume_mount_options_capabilities_and_context_can_be_updated() {
    let rig = Rig::start().await;
    let first =
        json!({"ExternalID": "e", "Context": {"pool": "fast"}, "MountOptions": {"FSType": "ext4"}});
    rig.register("db", first).await.unwrap();
    let both = json!([
        {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"},
        {"AccessMode": "single-node-reader-only", "AttachmentMode": "file-system"},
    ]);
    let changed = json!({"ExternalID": "e", "MountOptions": {"FSType": "xfs", "MountFlags": ["ro"]}, "RequestedCapabilities": both});
    let updated = rig.register("db", changed).await.unwrap();
    assert_eq!(updated.mount_options.fs_type, "xfs");
    assert_eq!(updated.requested_capabilities.unwrap().len(), 2);
    assert_eq!(
        updated.context["pool"], "fast",
        "an update without a context keeps it"
    );
    let updated = rig
        .register("db", json!({"ExternalID": "e", "Context": {"x": "y"}}))
        .await
        .unwrap();
    assert_eq!(
        updated.context.into_iter().collect::<Vec<_>>(),
        [("x".to_owned(), "y".to_owned())]
    );
    assert_eq!(
        updated.mount_options.fs_type, "",
        "an update without mount options takes them away"
    );
}

/// Conformance cases 25 and 27 (in use).
#[tokio::test]
async fn a_volume_in_use_keeps_the_modes_and_mount_options_that_its_claims_rely_on() {
    let rig = Rig::start().await;
    let options = json!({"FSType": "ext4", "MountFlags": ["noatime", "ro"]});
    rig.register("db", json!({"ExternalID": "e", "MountOptions": options}))
        .await
        .unwrap();
    rig.server.claim(&writer("db", "alloc-1")).await;
    let read = rig.server.read("db").await.unwrap();
    assert_eq!(
        (read.access_mode.as_str(), read.attachment_mode.as_str()),
        ("single-node-writer", "file-system")
    );
    assert_eq!(read.write_allocs.keys().collect::<Vec<_>>(), ["alloc-1"]);

    let modes =
        "volume requested capabilities update was not compatible with existing capability in use";
    let mount = "can not update mount options while volume is in use";
    let only_reader =
        json!([{"AccessMode": "single-node-reader-only", "AttachmentMode": "file-system"}]);
    for (changes, texts) in [
        (
            json!({"MountOptions": options, "RequestedCapabilities": only_reader}),
            &[modes][..],
        ),
        (
            json!({"MountOptions": {"FSType": "xfs", "MountFlags": ["noatime", "ro"]}}),
            &[mount],
        ),
        (json!({"MountOptions": {"FSType": "ext4"}}), &[mount]),
        (json!({}), &[mount]),
        (
            json!({"RequestedCapabilities": only_reader}),
            &[modes, mount],
        ),
    ] {
        let (status, error) = refusal(rig.register("db", changes).await);
        assert_eq!((status, error.message), (409, conflicts(texts)));
    }
    let more_modes = json!([
        {"AccessMode": "single-node-reader-only", "AttachmentMode": "file-system"},
        {"AccessMode": "single-node-writer", "AttachmentMode": "file-system"},
    ]);
    let other_order = json!({"FSType": "ext4", "MountFlags": ["ro", "noatime"]});
    let updated = rig
        .register(
            "db",
            json!({"MountOptions": other_order, "RequestedCapabilities": more_modes}),
        )
        .await
        .unwrap();
    assert_eq!(updated.requested_capabilities.unwrap().len(), 2);
    assert_eq!(updated.write_allocs.len(), 1);
}

/// Nomad writes the whole record over it (weakness W7).
#[tokio::test]
async fn a_claim_that_comes_during_a_slow_update_is_kept_and_respected() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let go_on = Arc::new(Notify::new());
    let slow = Reply::When(Arc::clone(&go_on), Box::new(Reply::Usual));
    let calls = rig.count(Call::ValidateVolumeCapabilities);
    for (changes, refused) in [
        (json!({"Context": {"a": "b"}}), false),
        (json!({"MountOptions": {"FSType": "xfs"}}), true),
    ] {
        rig.driver.forget();
        rig.driver
            .script(Call::ValidateVolumeCapabilities, slow.clone());
        let claim = writer("db", "alloc-1");
        let (updated, ()) = tokio::join!(rig.register("db", changes), async {
            rig.driver.asked(Call::ValidateVolumeCapabilities, 1).await;
            rig.server.claim(&claim).await;
            go_on.notify_one();
        });
        match refused {
            false => _ = updated.unwrap(),
            true => assert_eq!(
                refusal(updated).1.message,
                conflicts(&["can not update mount options while volume is in use"])
            ),
        }
        assert_eq!(rig.server.read("db").await.unwrap().write_allocs.len(), 1);
        rig.server.release(&claim).await;
    }
    assert_eq!(calls, 1);
}

/// Nomad erases what is left out.
/// Weakness W26.
#[tokio::test]
async fn secrets_that_are_left_out_stay_and_an_empty_object_erases_them() {
    let rig = Rig::start().await;
    let told = || -> HashMap<String, String> {
        let request: v1::ValidateVolumeCapabilitiesRequest =
            rig.driver.last(Call::ValidateVolumeCapabilities);
        request.secrets
    };
    let known = HashMap::from([("password".to_owned(), "hunter2".to_owned())]);
    rig.register(
        "db",
        json!({"ExternalID": "e", "Secrets": {"password": "hunter2"}}),
    )
    .await
    .unwrap();
    assert_eq!(told(), known);
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    assert_eq!(told(), known);
    rig.register(
        "db",
        json!({"ExternalID": "e", "Secrets": {"token": "new"}}),
    )
    .await
    .unwrap();
    assert_eq!(
        told(),
        HashMap::from([("token".to_owned(), "new".to_owned())])
    );
    rig.register("db", json!({"ExternalID": "e", "Secrets": {}}))
        .await
        .unwrap();
    assert_eq!(told(), HashMap::new());
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    assert_eq!(told(), HashMap::new());
}

/// One after the other, none lost.
#[tokio::test]
async fn of_updates_of_one_volume_at_once_each_is_there_in_the_end() {
    let rig = Rig::start().await;
    for id in ["a", "b", "c", "d"] {
        rig.register(id, json!({"ExternalID": id})).await.unwrap();
        let changes = [
            json!({"Context": {"pool": "fast"}}),
            json!({"Secrets": {"password": "hunter2"}}),
            json!({"RequestedCapacityMin": 5000}),
        ];
        let updates = changes.map(|change| rig.register(id, change));
        for updated in futures::future::join_all(updates).await {
            updated.unwrap();
        }
        let updated = rig.register(id, json!({})).await.unwrap();
        assert_eq!(
            (updated.capacity, updated.requested_capacity_min),
            (5000, 5000)
        );
        assert_eq!(updated.context["pool"], "fast");
        let told: v1::ValidateVolumeCapabilitiesRequest =
            rig.driver.last(Call::ValidateVolumeCapabilities);
        assert_eq!(told.secrets["password"], "hunter2");
    }
}
