//! Updating volumes: Nomad's merge rules, sizes, secrets, and claims that come in between.

use crate::rig::{Rig, writer};
use crate::scripted_driver::{Reply, controller_capabilities};
use crate::server::refusal;
use saddlebag::csi::{Call, v1};
use saddlebag::id::NodeId;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;
use tonic::Code;

/// Nomad's words around what an update contradicts.
fn conflicts(texts: &[&str]) -> String {
    let count = match texts.len() {
        1 => "1 error".to_owned(),
        many => format!("{many} errors"),
    };
    let listed: String = texts.iter().map(|text| format!("\n\t* {text}")).collect();
    format!("unable to update volume: {count} occurred:{listed}\n\n")
}

/// Cases 22 and 26.
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

/// Case 27 (not in use) and case 28.
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
    assert_eq!(updated.mount_options.fs_type, "xfs");
}

/// Cases 25 and 27 (in use).
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

/// Nomad writes the whole record over it (W7).
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

/// Cases 33 and 37.
#[tokio::test]
async fn a_volume_grows_when_more_is_asked_for_than_it_has() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let size = |min: i64, max: i64| {
        rig.register(
            "db",
            json!({"ExternalID": "e", "RequestedCapacityMin": min, "RequestedCapacityMax": max}),
        )
    };
    // What is asked for, the size then, what is stored as asked for, and what the driver is asked.
    for (min, max, capacity, asked, expanded) in [
        (1000, 2000, 1000, (1000, 2000), Some((1000, 2000))),
        (0, 0, 1000, (1000, 2000), None),
        (1000, 2000, 1000, (1000, 2000), None),
        (1500, 0, 1500, (1500, 0), Some((1500, 0))),
        (500, 0, 1500, (500, 0), None),
        (500, 5000, 1500, (500, 5000), None),
    ] {
        rig.driver.forget();
        let updated = size(min, max).await.unwrap();
        assert_eq!(updated.capacity, capacity, "{min} {max}");
        assert_eq!(
            (
                updated.requested_capacity_min,
                updated.requested_capacity_max
            ),
            asked
        );
        assert_eq!(
            rig.count(Call::ControllerExpandVolume),
            usize::from(expanded.is_some())
        );
        if expanded.is_some() {
            let told: v1::ControllerExpandVolumeRequest =
                rig.driver.last(Call::ControllerExpandVolume);
            let range = told.capacity_range.unwrap();
            assert_eq!(Some((range.required_bytes, range.limit_bytes)), expanded);
            assert_eq!(told.volume_id, "e");
        }
    }
    rig.driver.forget();
    for (min, max, text) in [
        (
            4_300_000_000,
            3_200_000_000,
            "max requested capacity (3.2 GB) less than or equal to min (4.3 GB)",
        ),
        (
            0,
            1000,
            "max requested capacity (1.0 kB) less than or equal to current (1.5 kB)",
        ),
    ] {
        let (status, error) = refusal(size(min, max).await);
        assert_eq!(
            (status, error.message),
            (409, format!("unable to update volume: {text}"))
        );
    }
    assert_eq!(rig.count(Call::ControllerExpandVolume), 0);
}

/// Case 35.
#[tokio::test]
async fn a_growth_that_the_driver_refuses_changes_nothing_and_has_nomads_text() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let before = rig.server.read("db").await.unwrap();
    for (code, status, name, meaning) in [
        (
            Code::InvalidArgument,
            400,
            "InvalidArgument",
            r#"requested capabilities not compatible with volume "e""#,
        ),
        (
            Code::OutOfRange,
            400,
            "OutOfRange",
            r#"unsupported capacity_range for volume "e""#,
        ),
        (
            Code::NotFound,
            404,
            "NotFound",
            r#"volume "e" could not be found"#,
        ),
        (
            Code::FailedPrecondition,
            409,
            "FailedPrecondition",
            r#"volume "e" cannot be expanded online"#,
        ),
        (
            Code::Internal,
            502,
            "Internal",
            "controller plugin returned an internal error, check the plugin allocation logs for more information",
        ),
        (
            Code::Unknown,
            502,
            "Unknown",
            "controller plugin returned an error",
        ),
    ] {
        rig.driver
            .script(Call::ControllerExpandVolume, Reply::refuse(code, "no"));
        let grown = rig
            .register(
                "db",
                json!({"Context": {"a": "b"}, "RequestedCapacityMin": 5000}),
            )
            .await;
        let (answered, error) = refusal(grown);
        let text = format!(
            "unable to update volume: unable to expand volume: controller expand volume: \
             CSI.ControllerExpandVolume: {meaning}: rpc error: code = {name} desc = no"
        );
        assert_eq!((answered, error.message), (status, text));
        assert_eq!(rig.server.read("db").await.unwrap(), before);
    }
}

#[tokio::test]
async fn a_driver_that_cannot_grow_volumes_is_not_asked_to() {
    let rig = Rig::scripted(|driver| {
        let answer = Reply::answer(controller_capabilities(&[1]));
        driver.always(Call::ControllerGetCapabilities, answer);
    })
    .await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let (status, error) = refusal(
        rig.register("db", json!({"RequestedCapacityMin": 5000}))
            .await,
    );
    assert_eq!((status, error.code.as_str()), (501, "capability_missing"));
    assert_eq!(
        error.message,
        "unable to update volume: expand is not implemented by this controller plugin"
    );
}

/// One after the other, none lost.
#[tokio::test]
async fn of_updates_of_one_volume_at_once_each_is_there_in_the_end() {
    let rig = Rig::start().await;
    for id in ["a", "b", "c", "d"] {
        rig.register(id, json!({"ExternalID": id})).await.unwrap();
        let changes = [
            json!({"Context": {"pool": "fast"}}),
            json!({"MountOptions": {"FSType": "xfs"}}),
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
        assert_eq!(updated.mount_options.fs_type, "xfs");
        let told: v1::ValidateVolumeCapabilitiesRequest =
            rig.driver.last(Call::ValidateVolumeCapabilities);
        assert_eq!(told.secrets["password"], "hunter2");
    }
}

/// A growth lets claims in.
#[tokio::test]
async fn a_claim_that_comes_while_a_volume_grows_survives() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let go_on = Arc::new(Notify::new());
    rig.driver.script(
        Call::ControllerExpandVolume,
        Reply::When(Arc::clone(&go_on), Box::new(Reply::Usual)),
    );
    let mut claim = writer("db", "alloc-1");
    claim.node = NodeId::known("n2");
    let (grown, ()) = tokio::join!(
        rig.register("db", json!({"RequestedCapacityMin": 5000})),
        async {
            rig.driver.asked(Call::ControllerExpandVolume, 1).await;
            rig.server.claim(&claim).await;
            go_on.notify_one();
        }
    );
    grown.unwrap();
    let read = rig.server.read("db").await.unwrap();
    assert_eq!((read.capacity, read.write_allocs.len()), (5000, 1));
}
