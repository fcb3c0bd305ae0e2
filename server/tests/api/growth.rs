//! Volumes that grow.

use crate::rig::{Rig, writer};
use crate::scripted_driver::{Reply, controller_capabilities};
use crate::server::refusal;
use saddlebag::csi::{Call, v1};
use saddlebag::id::NodeId;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;
use tonic::Code;

/// Conformance cases 33 and 37.
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

/// Weakness W36.
#[tokio::test]
async fn what_the_driver_cannot_serve_is_not_grown() {
    let rig = Rig::start().await;
    rig.register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let before = rig.server.read("db").await.unwrap();
    rig.driver.script(
        Call::ValidateVolumeCapabilities,
        Reply::refuse(Code::InvalidArgument, "not like that"),
    );
    let larger = json!({"ExternalID": "e", "RequestedCapacityMin": 5000});
    let (status, error) = refusal(rig.register("db", larger).await);
    assert_eq!(status, 400, "{error:?}");
    assert_eq!(rig.count(Call::ControllerExpandVolume), 0);
    assert_eq!(rig.server.read("db").await.unwrap(), before);
}

/// Conformance case 35.
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
