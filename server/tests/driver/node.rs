//! Attaching, staging and publishing, and the order in which they must come.

use super::{requests::*, rig::*};
use saddlebag::csi::v1::{volume_usage::Unit, *};
use std::{fs, path::Path};
use tonic::Code;

#[tokio::test]
async fn a_volume_goes_all_the_way_up_and_down_and_every_step_can_be_repeated() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let staging = rig.work.directory("staging");
    let target = format!("{}/target", rig.work.directory("alloc"));
    let publishing = publishing_at(&id, &staging, &target, directory());
    for _ in 0..2 {
        rig.clients
            .attach(attaching(&id, directory()))
            .await
            .unwrap();
    }
    for _ in 0..2 {
        rig.clients
            .stage(staging_at(&id, &staging, directory()))
            .await
            .unwrap();
    }
    for _ in 0..2 {
        rig.clients.publish(publishing.clone()).await.unwrap();
    }
    fs::write(Path::new(&target).join("file"), "words").unwrap();
    let kept = rig.directory_of(&id).join("file");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "words");

    for _ in 0..2 {
        rig.clients.unpublish(&id, &target).await.unwrap();
        assert!(
            fs::symlink_metadata(&target).is_err(),
            "the target path is still there"
        );
    }
    for _ in 0..2 {
        rig.clients.unstage(&id, &staging).await.unwrap();
    }
    for _ in 0..2 {
        rig.clients.detach(&id).await.unwrap();
    }
    assert_eq!(fs::read_to_string(&kept).unwrap(), "words");
    for _ in 0..2 {
        rig.clients.delete(&id).await.unwrap();
    }
    rig.clients.detach(&id).await.unwrap();
    refused(rig.clients.unpublish(&id, &target).await, Code::NotFound);
    refused(rig.clients.unstage(&id, &staging).await, Code::NotFound);
}

#[tokio::test]
async fn steps_out_of_order_are_refused_and_change_nothing() {
    let mut rig = Rig::start().await;
    let clients = &mut rig.clients;
    let id = clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let (staging, other) = (rig.work.directory("staging"), rig.work.directory("other"));
    let target = format!("{}/target", rig.work.directory("alloc"));
    let stage = staging_at(&id, &staging, directory());
    let publish = publishing_at(&id, &staging, &target, directory());

    refused(clients.stage(stage.clone()).await, Code::FailedPrecondition);
    refused(
        clients.publish(publish.clone()).await,
        Code::FailedPrecondition,
    );
    clients.attach(attaching(&id, directory())).await.unwrap();
    refused(clients.delete(&id).await, Code::FailedPrecondition);
    refused(
        clients.publish(publish.clone()).await,
        Code::FailedPrecondition,
    );
    clients.stage(stage).await.unwrap();
    refused(clients.delete(&id).await, Code::FailedPrecondition);
    refused(clients.detach(&id).await, Code::FailedPrecondition);
    let elsewhere = staging_at(&id, &other, directory());
    refused(clients.stage(elsewhere).await, Code::FailedPrecondition);
    let mut unstaged = publish.clone();
    unstaged.staging_target_path.clear();
    refused(clients.publish(unstaged).await, Code::FailedPrecondition);
    let wrong = publishing_at(&id, &other, &target, directory());
    refused(clients.publish(wrong).await, Code::FailedPrecondition);
    clients.publish(publish).await.unwrap();
    refused(
        clients.unstage(&id, &staging).await,
        Code::FailedPrecondition,
    );
    refused(clients.detach(&id).await, Code::FailedPrecondition);
    refused(clients.delete(&id).await, Code::FailedPrecondition);
    clients.unstage(&id, &other).await.unwrap();
    clients.unpublish(&id, &other).await.unwrap();
    assert!(Path::new(&target).is_dir());
}

#[tokio::test]
async fn a_repeated_step_with_other_arguments_is_refused() {
    let mut rig = Rig::start().await;
    let clients = &mut rig.clients;
    let id = clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let staging = rig.work.directory("staging");
    let target = format!("{}/target", rig.work.directory("alloc"));
    clients.attach(attaching(&id, directory())).await.unwrap();
    let mut readonly = attaching(&id, directory());
    readonly.readonly = true;
    refused(clients.attach(readonly).await, Code::AlreadyExists);
    let mut nowhere = attaching(&id, directory());
    nowhere.node_id = "elsewhere".into();
    refused(clients.attach(nowhere).await, Code::NotFound);
    refused(
        clients.attach(attaching("vol-1", directory())).await,
        Code::NotFound,
    );
    refused(
        clients.attach(attaching(&id, raw())).await,
        Code::InvalidArgument,
    );

    let bad = staging_at(&id, &staging, with_flags(&["noatime", "password=hunter2"]));
    let message = refused(clients.stage(bad).await, Code::InvalidArgument);
    assert!(!message.contains("hunter2"), "{message}");
    clients
        .stage(staging_at(&id, &staging, with_flags(&["noatime"])))
        .await
        .unwrap();
    let other = staging_at(&id, &staging, directory());
    refused(clients.stage(other).await, Code::AlreadyExists);
    let publish = publishing_at(&id, &staging, &target, with_flags(&["noatime"]));
    clients.publish(publish.clone()).await.unwrap();
    let mut readonly = publish;
    readonly.readonly = true;
    refused(clients.publish(readonly).await, Code::AlreadyExists);
}

#[tokio::test]
async fn a_raw_volume_appears_as_a_file_and_grows_in_use() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("a", MIB, raw()))
        .await
        .unwrap()
        .volume_id;
    let staging = rig.work.directory("staging");
    let target = format!("{}/target", rig.work.directory("alloc"));
    rig.clients.bring(&id, &staging, raw()).await;
    rig.clients
        .publish(publishing_at(&id, &staging, &target, raw()))
        .await
        .unwrap();
    assert_eq!(fs::metadata(&target).unwrap().len() as i64, MIB);

    rig.clients.expand(&id, at_least(3 * MIB)).await.unwrap();
    assert_eq!(fs::metadata(&target).unwrap().len() as i64, 3 * MIB);
    let expand = |bytes, path: &str| NodeExpandVolumeRequest {
        volume_id: id.clone(),
        volume_path: path.into(),
        capacity_range: Some(at_least(bytes)),
        ..Default::default()
    };
    let answer = rig
        .clients
        .node
        .node_expand_volume(expand(2 * MIB, &target))
        .await
        .unwrap();
    assert_eq!(answer.into_inner().capacity_bytes, 3 * MIB);
    let result = rig
        .clients
        .node
        .node_expand_volume(expand(4 * MIB, &staging))
        .await;
    refused(result, Code::OutOfRange);
    let result = rig
        .clients
        .node
        .node_expand_volume(expand(1, "/elsewhere"))
        .await;
    refused(result, Code::NotFound);

    let stats = NodeGetVolumeStatsRequest {
        volume_id: id.clone(),
        volume_path: target.clone(),
        ..Default::default()
    };
    let answer = rig
        .clients
        .node
        .node_get_volume_stats(stats)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.usage[0].total, 3 * MIB);
    rig.clients.unpublish(&id, &target).await.unwrap();
    assert!(fs::symlink_metadata(&target).is_err());
}

#[tokio::test]
async fn a_node_has_no_more_volumes_than_it_may() {
    let mut rig = Rig::with(|options| options.max_volumes_per_node = Some(2)).await;
    let mut ids = vec![];
    for name in ["a", "b", "c"] {
        ids.push(
            rig.clients
                .create(wanting(name, MIB, directory()))
                .await
                .unwrap()
                .volume_id,
        );
    }
    let info = rig
        .clients
        .node
        .node_get_info(NodeGetInfoRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (info.node_id.as_str(), info.max_volumes_per_node),
        (NODE, 2)
    );
    rig.clients
        .attach(attaching(&ids[0], directory()))
        .await
        .unwrap();
    rig.clients
        .attach(attaching(&ids[1], directory()))
        .await
        .unwrap();
    rig.clients
        .attach(attaching(&ids[1], directory()))
        .await
        .unwrap();
    let third = rig.clients.attach(attaching(&ids[2], directory())).await;
    refused(third, Code::ResourceExhausted);
    rig.clients.detach(&ids[0]).await.unwrap();
    rig.clients
        .attach(attaching(&ids[2], directory()))
        .await
        .unwrap();
}

#[tokio::test]
async fn statistics_and_health_tell_what_is_used_and_when_it_is_too_much() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let staging = rig.work.directory("staging");
    let target = format!("{}/target", rig.work.directory("alloc"));
    rig.clients.bring(&id, &staging, directory()).await;
    rig.clients
        .publish(publishing_at(&id, &staging, &target, directory()))
        .await
        .unwrap();
    fs::write(format!("{target}/half"), vec![1; MIB as usize / 2]).unwrap();
    let ask = |path: &str| NodeGetVolumeStatsRequest {
        volume_id: id.clone(),
        volume_path: path.into(),
        ..Default::default()
    };
    let answer = rig
        .clients
        .node
        .node_get_volume_stats(ask(&target))
        .await
        .unwrap()
        .into_inner();
    let bytes = &answer.usage[0];
    assert_eq!((bytes.unit(), bytes.total), (Unit::Bytes, MIB));
    assert!(
        bytes.used >= MIB / 2 && bytes.used + bytes.available == MIB,
        "{bytes:?}"
    );
    assert_eq!(
        (answer.usage[1].unit(), answer.usage[1].used),
        (Unit::Inodes, 2)
    );
    assert!(!answer.volume_condition.unwrap().abnormal);
    assert!(rig.clients.node_health(&id).await.is_empty());

    fs::write(format!("{target}/more"), vec![1; MIB as usize]).unwrap();
    let answer = rig
        .clients
        .node
        .node_get_volume_stats(ask(&staging))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.usage[0].available, 0);
    assert!(answer.volume_condition.unwrap().abnormal);
    assert_eq!(rig.clients.node_health(&id).await, ["OverCapacity"]);
    let result = rig
        .clients
        .node
        .node_get_volume_stats(ask("/elsewhere"))
        .await;
    refused(result, Code::NotFound);
}
