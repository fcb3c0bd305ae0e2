//! How large volumes are, how much room there is, and where.

use super::{requests::*, rig::*};
use saddlebag::csi::v1::*;
use std::fs;
use tonic::Code;

#[tokio::test]
async fn a_size_beyond_the_maximum_is_out_of_range() {
    let mut rig = Rig::with(|options| options.max_volume_bytes = Some(4 << 20)).await;
    refused(
        rig.clients.create(wanting("a", 5 * MIB, raw())).await,
        Code::OutOfRange,
    );
    let volume = rig.clients.create(wanting("a", MIB, raw())).await.unwrap();
    let grown = rig
        .clients
        .expand(&volume.volume_id, at_least(5 * MIB))
        .await;
    refused(grown, Code::OutOfRange);
    let answer = rig
        .clients
        .controller
        .get_capacity(GetCapacityRequest::default())
        .await
        .unwrap();
    assert_eq!(answer.into_inner().maximum_volume_size, Some(4 * MIB));
}

#[tokio::test]
async fn capacity_is_counted_over_volumes_and_snapshots_and_comes_back() {
    let mut rig = Rig::with(|options| options.capacity = Some(10 << 20)).await;
    async fn free(rig: &mut Rig) -> i64 {
        let request = GetCapacityRequest::default();
        let answer = rig.clients.controller.get_capacity(request).await.unwrap();
        answer.into_inner().available_capacity
    }
    let volume = rig
        .clients
        .create(wanting("a", 4 * MIB, raw()))
        .await
        .unwrap();
    let snapshot = rig.clients.snapshot(&volume.volume_id, "s").await.unwrap();
    assert_eq!(free(&mut rig).await, 2 * MIB);
    refused(
        rig.clients.create(wanting("b", 3 * MIB, raw())).await,
        Code::ResourceExhausted,
    );
    refused(
        rig.clients.snapshot(&volume.volume_id, "t").await,
        Code::ResourceExhausted,
    );
    let grown = rig
        .clients
        .expand(&volume.volume_id, at_least(7 * MIB))
        .await;
    refused(grown, Code::ResourceExhausted);
    assert_eq!(free(&mut rig).await, 2 * MIB);

    rig.clients
        .expand(&volume.volume_id, at_least(6 * MIB))
        .await
        .unwrap();
    assert_eq!(free(&mut rig).await, 0);
    let request = DeleteSnapshotRequest {
        snapshot_id: snapshot.snapshot_id,
        ..Default::default()
    };
    rig.clients
        .controller
        .delete_snapshot(request)
        .await
        .unwrap();
    rig.clients.delete(&volume.volume_id).await.unwrap();
    assert_eq!(free(&mut rig).await, 10 * MIB);
}

#[tokio::test]
async fn a_raw_file_has_exactly_its_size_and_grows() {
    let mut rig = Rig::start().await;
    let volume = rig
        .clients
        .create(wanting("a", 3 * MIB + 1, raw()))
        .await
        .unwrap();
    let id = volume.volume_id.as_str();
    let length = |rig: &Rig| fs::metadata(rig.file_of(id)).unwrap().len() as i64;
    assert_eq!(length(&rig), 3 * MIB + 1);

    assert_eq!(
        rig.clients.expand(id, at_least(5 * MIB)).await.unwrap(),
        5 * MIB
    );
    assert_eq!(
        rig.clients.expand(id, at_least(4 * MIB)).await.unwrap(),
        5 * MIB
    );
    assert_eq!(length(&rig), 5 * MIB);
    refused(
        rig.clients.expand(id, exactly(4 * MIB)).await,
        Code::OutOfRange,
    );
    refused(
        rig.clients.expand(id, CapacityRange::default()).await,
        Code::InvalidArgument,
    );
    refused(
        rig.clients.expand("vol-0", at_least(1)).await,
        Code::NotFound,
    );
}

#[tokio::test]
async fn a_volume_of_no_stated_size_has_the_default() {
    let mut rig = Rig::start().await;
    let mut request = wanting("a", 0, directory());
    request.capacity_range = None;
    let volume = rig.clients.create(request).await.unwrap();
    assert_eq!(volume.capacity_bytes, 1 << 30);
}

#[tokio::test]
async fn volumes_are_made_only_where_the_driver_is() {
    let mut rig = Rig::with(|options| {
        options.topology = [("zone".into(), "a".into()), ("rack".into(), "7".into())].into();
    })
    .await;
    let place = |segments: &[(&str, &str)]| Topology {
        segments: segments
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect(),
    };
    let required_in = |places: &[Topology]| {
        let mut request = wanting("a", MIB, directory());
        request.accessibility_requirements = Some(TopologyRequirement {
            requisite: places.to_vec(),
            preferred: vec![],
        });
        request
    };
    let elsewhere = place(&[("zone", "b")]);
    let half_here = place(&[("zone", "a"), ("rack", "8")]);
    let result = rig
        .clients
        .create(required_in(&[elsewhere.clone(), half_here]))
        .await;
    refused(result, Code::ResourceExhausted);
    let here = place(&[("Zone", "a")]);
    let volume = rig
        .clients
        .create(required_in(&[elsewhere.clone(), here]))
        .await
        .unwrap();
    assert_eq!(
        volume.accessible_topology,
        [place(&[("zone", "a"), ("rack", "7")])]
    );

    let request = GetCapacityRequest {
        accessible_topology: Some(elsewhere),
        ..Default::default()
    };
    let answer = rig.clients.controller.get_capacity(request).await.unwrap();
    assert_eq!(answer.into_inner().available_capacity, 0);
}
