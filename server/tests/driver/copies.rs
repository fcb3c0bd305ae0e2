//! Snapshots and clones.

use super::{requests::*, rig::*};
use saddlebag::csi::v1::*;
use std::{fs, os::unix::fs::FileExt};
use tonic::Code;

#[tokio::test]
async fn a_snapshot_keeps_what_the_volume_held_when_it_was_taken() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    fs::create_dir(rig.directory_of(&id).join("sub")).unwrap();
    fs::write(rig.directory_of(&id).join("sub/file"), "before").unwrap();
    let snapshot = rig.clients.snapshot(&id, "s").await.unwrap();
    assert!(snapshot.ready_to_use);
    assert_eq!(
        (&snapshot.source_volume_id, snapshot.size_bytes),
        (&id, MIB)
    );
    assert!(snapshot.creation_time.unwrap().seconds > 1_600_000_000);

    fs::write(rig.directory_of(&id).join("sub/file"), "after").unwrap();
    rig.clients.delete(&id).await.unwrap();
    let mut request = wanting("b", 0, directory());
    request.capacity_range = None;
    request.volume_content_source = from_snapshot(&snapshot.snapshot_id);
    let restored = rig.clients.create(request.clone()).await.unwrap();
    assert_eq!(restored.capacity_bytes, MIB);
    assert_eq!(restored.content_source, request.volume_content_source);
    let file = rig.directory_of(&restored.volume_id).join("sub/file");
    assert_eq!(fs::read_to_string(file).unwrap(), "before");
}

#[tokio::test]
async fn a_larger_clone_of_a_raw_volume_has_the_data_and_the_size() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("a", 2 * MIB, raw()))
        .await
        .unwrap()
        .volume_id;
    let file = fs::File::options()
        .write(true)
        .open(rig.file_of(&id))
        .unwrap();
    file.write_all_at(b"here", MIB as u64).unwrap();
    let mut request = wanting("b", 8 * MIB, raw());
    request.volume_content_source = from_volume(&id);
    let clone = rig.clients.create(request.clone()).await.unwrap();
    assert_eq!(clone.capacity_bytes, 8 * MIB);
    let bytes = fs::read(rig.file_of(&clone.volume_id)).unwrap();
    assert_eq!(bytes.len() as i64, 8 * MIB);
    assert_eq!(&bytes[MIB as usize..][..4], b"here");
    assert_eq!(rig.clients.create(request).await.unwrap(), clone);

    file.write_all_at(b"gone", MIB as u64).unwrap();
    let bytes = fs::read(rig.file_of(&clone.volume_id)).unwrap();
    assert_eq!(&bytes[MIB as usize..][..4], b"here");
}

#[tokio::test]
async fn a_source_that_is_missing_too_large_or_of_another_kind_is_refused() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("a", 2 * MIB, raw()))
        .await
        .unwrap()
        .volume_id;
    let attempt = |source, range, capability| CreateVolumeRequest {
        volume_content_source: source,
        capacity_range: Some(range),
        ..wanting("b", 0, capability)
    };
    let cases = [
        (
            attempt(from_volume("vol-1"), at_least(1), raw()),
            Code::NotFound,
        ),
        (
            attempt(from_snapshot("snap-1"), at_least(1), raw()),
            Code::NotFound,
        ),
        (
            attempt(from_volume(""), at_least(1), raw()),
            Code::InvalidArgument,
        ),
        (
            attempt(Some(VolumeContentSource::default()), at_least(1), raw()),
            Code::InvalidArgument,
        ),
        (
            attempt(from_volume(&id), exactly(MIB), raw()),
            Code::OutOfRange,
        ),
        (
            attempt(from_volume(&id), at_least(2 * MIB), directory()),
            Code::InvalidArgument,
        ),
    ];
    for (request, code) in cases {
        refused(rig.clients.create(request).await, code);
    }
    assert_eq!(rig.clients.volume_ids().await, [id]);
    assert_eq!(
        fs::read_dir(rig.root().join("unfinished")).unwrap().count(),
        0
    );
}

#[tokio::test]
async fn a_snapshot_name_belongs_to_one_volume() {
    let mut rig = Rig::start().await;
    let a = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let b = rig
        .clients
        .create(wanting("b", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let snapshot = rig.clients.snapshot(&a, "s").await.unwrap();
    assert_eq!(rig.clients.snapshot(&a, "s").await.unwrap(), snapshot);
    refused(rig.clients.snapshot(&b, "s").await, Code::AlreadyExists);
    refused(rig.clients.snapshot("vol-1", "t").await, Code::NotFound);
    refused(rig.clients.snapshot("", "t").await, Code::InvalidArgument);
    refused(rig.clients.snapshot(&a, "").await, Code::InvalidArgument);
}

#[tokio::test]
async fn snapshots_are_listed_by_id_by_source_and_in_pages() {
    let mut rig = Rig::start().await;
    let a = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let b = rig
        .clients
        .create(wanting("b", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let mut of_a = vec![];
    for name in ["1", "2", "3"] {
        of_a.push(rig.clients.snapshot(&a, name).await.unwrap().snapshot_id);
    }
    let of_b = rig.clients.snapshot(&b, "4").await.unwrap().snapshot_id;
    of_a.sort();

    let by_source = ListSnapshotsRequest {
        source_volume_id: a.clone(),
        ..Default::default()
    };
    assert_eq!(rig.clients.snapshot_ids(by_source.clone()).await, of_a);
    let by_id = ListSnapshotsRequest {
        snapshot_id: of_b.clone(),
        ..Default::default()
    };
    assert_eq!(
        rig.clients.snapshot_ids(by_id.clone()).await,
        [of_b.as_str()]
    );
    let both = ListSnapshotsRequest {
        source_volume_id: a,
        ..by_id
    };
    assert!(rig.clients.snapshot_ids(both).await.is_empty());

    let page = ListSnapshotsRequest {
        max_entries: 2,
        ..by_source.clone()
    };
    let answer = rig
        .clients
        .controller
        .list_snapshots(page)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.next_token, of_a[2]);
    let rest = ListSnapshotsRequest {
        starting_token: answer.next_token,
        ..by_source
    };
    assert_eq!(rig.clients.snapshot_ids(rest).await, of_a[2..]);
    let bad = ListSnapshotsRequest {
        starting_token: "vol-1".into(),
        ..Default::default()
    };
    refused(
        rig.clients.controller.list_snapshots(bad).await,
        Code::Aborted,
    );
}

#[tokio::test]
async fn a_deleted_snapshot_is_gone_and_deleting_it_again_is_fine() {
    let mut rig = Rig::start().await;
    let a = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let id = rig.clients.snapshot(&a, "s").await.unwrap().snapshot_id;
    let get = GetSnapshotRequest {
        snapshot_id: id.clone(),
        ..Default::default()
    };
    rig.clients
        .controller
        .get_snapshot(get.clone())
        .await
        .unwrap();
    for _ in 0..2 {
        let request = DeleteSnapshotRequest {
            snapshot_id: id.clone(),
            ..Default::default()
        };
        rig.clients
            .controller
            .delete_snapshot(request)
            .await
            .unwrap();
    }
    refused(
        rig.clients.controller.get_snapshot(get).await,
        Code::NotFound,
    );
    assert_eq!(
        fs::read_dir(rig.root().join("snapshots")).unwrap().count(),
        0
    );
}
