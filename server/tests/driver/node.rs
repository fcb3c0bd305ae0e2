//! Attaching, staging and publishing, and the order in which they must come.

use super::rig::*;
use saddlebag::csi::v1::{volume_capability::access_mode::Mode, volume_usage::Unit, *};
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

fn with_flags(flags: &[&str]) -> VolumeCapability {
    let mut capability = directory();
    if let Some(volume_capability::AccessType::Mount(mount)) = &mut capability.access_type {
        mount.mount_flags = flags.iter().map(|flag| flag.to_string()).collect();
    }
    capability
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
async fn how_many_target_paths_a_volume_may_have_depends_on_its_mode() {
    let mut rig = Rig::start().await;
    let alloc = rig.work.directory("alloc");
    for (mode, many) in [
        (Mode::SingleNodeWriter, false),
        (Mode::SingleNodeReaderOnly, false),
        (Mode::SingleNodeSingleWriter, false),
        (Mode::SingleNodeMultiWriter, true),
        (Mode::MultiNodeReaderOnly, true),
        (Mode::MultiNodeSingleWriter, true),
        (Mode::MultiNodeMultiWriter, true),
    ] {
        let name = mode.as_str_name();
        let id = rig
            .clients
            .create(wanting(name, MIB, mount(mode)))
            .await
            .unwrap()
            .volume_id;
        let staging = rig.work.directory(&format!("staging-{name}"));
        rig.clients.bring(&id, &staging, mount(mode)).await;
        let at = |which| {
            let target = format!("{alloc}/{name}-{which}");
            publishing_at(&id, &staging, &target, mount(mode))
        };
        rig.clients.publish(at(1)).await.unwrap();
        let second = rig.clients.publish(at(2)).await;
        if many {
            second.unwrap();
        } else {
            refused(second, Code::FailedPrecondition);
        }
    }
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
async fn what_stands_ready_at_the_target_path_is_used_and_what_is_not_ours_is_left() {
    let mut rig = Rig::start().await;
    let id = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let staging = rig.work.directory("staging");
    rig.clients.bring(&id, &staging, directory()).await;
    let publishing = |target: &str| publishing_at(&id, &staging, target, directory());

    let occupied = rig.work.directory("occupied");
    fs::write(format!("{occupied}/precious"), "").unwrap();
    refused(
        rig.clients.publish(publishing(&occupied)).await,
        Code::FailedPrecondition,
    );
    assert!(Path::new(&occupied).join("precious").exists());
    let link = rig.work.path().join("link");
    std::os::unix::fs::symlink(&occupied, &link).unwrap();
    let link = link.to_str().unwrap();
    refused(
        rig.clients.publish(publishing(link)).await,
        Code::FailedPrecondition,
    );
    let inside = rig.root().join("volumes/x");
    for bad in [
        "relative",
        "/a/../b",
        "",
        inside.to_str().unwrap(),
        "/no/such/parent",
    ] {
        refused(
            rig.clients.publish(publishing(bad)).await,
            Code::InvalidArgument,
        );
    }

    let ready = rig.work.directory("ready");
    rig.clients.publish(publishing(&ready)).await.unwrap();
    fs::write(format!("{ready}/file"), "words").unwrap();
    assert!(rig.directory_of(&id).join("file").exists());
    rig.clients.unpublish(&id, &ready).await.unwrap();
    assert!(fs::symlink_metadata(&ready).is_err());
}

#[tokio::test]
async fn a_target_path_belongs_to_one_volume() {
    let mut rig = Rig::start().await;
    let target = format!("{}/target", rig.work.directory("alloc"));
    let mut ids = vec![];
    for name in ["a", "b"] {
        let id = rig
            .clients
            .create(wanting(name, MIB, directory()))
            .await
            .unwrap()
            .volume_id;
        rig.clients
            .bring(&id, &rig.work.directory(name), directory())
            .await;
        ids.push(id);
    }
    let at =
        |which: usize, staging: &str| publishing_at(&ids[which], staging, &target, directory());
    let (a, b) = (rig.work.directory("a"), rig.work.directory("b"));
    rig.clients.publish(at(0, &a)).await.unwrap();
    refused(
        rig.clients.publish(at(1, &b)).await,
        Code::FailedPrecondition,
    );
    rig.clients.unpublish(&ids[1], &target).await.unwrap();
    assert!(Path::new(&target).exists());
    rig.clients.unpublish(&ids[0], &target).await.unwrap();
    rig.clients.publish(at(1, &b)).await.unwrap();
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

#[tokio::test]
async fn a_publication_that_was_undone_behind_the_drivers_back_is_seen_and_repaired() {
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
    let publish = publishing_at(&id, &staging, &target, directory());
    rig.clients.publish(publish.clone()).await.unwrap();
    if fs::symlink_metadata(&target).unwrap().is_symlink() {
        fs::remove_file(&target).unwrap();
    } else {
        rustix::mount::unmount(target.as_str(), rustix::mount::UnmountFlags::empty()).unwrap();
    }
    assert_eq!(rig.clients.node_health(&id).await, ["NotPublished"]);
    rig.clients.publish(publish).await.unwrap();
    assert!(rig.clients.node_health(&id).await.is_empty());
    fs::write(format!("{target}/file"), "").unwrap();
    assert!(rig.directory_of(&id).join("file").exists());
}

#[tokio::test]
async fn a_volume_whose_data_is_gone_can_still_be_taken_down() {
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
    fs::remove_dir(rig.directory_of(&id)).unwrap();
    rig.clients.unpublish(&id, &target).await.unwrap();
    assert!(fs::symlink_metadata(&target).is_err());
    rig.clients.unstage(&id, &staging).await.unwrap();
    rig.clients.detach(&id).await.unwrap();
    rig.clients.delete(&id).await.unwrap();
}

/// Flags of the mount at a path.
fn mount_flags(path: &str) -> String {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mut mounts = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    mounts.find(|fields| fields[4] == path).unwrap()[5].to_owned()
}

#[tokio::test]
#[ignore = "needs root, to mount"]
async fn mount_flags_take_effect_and_a_mount_in_use_is_not_taken_away() {
    let mut rig = Rig::start().await;
    let capability = with_flags(&["noatime", "nosuid", "noexec"]);
    let id = rig
        .clients
        .create(wanting("a", MIB, capability.clone()))
        .await
        .unwrap()
        .volume_id;
    let staging = rig.work.directory("staging");
    let target = format!("{}/target", rig.work.directory("alloc"));
    rig.clients.bring(&id, &staging, capability.clone()).await;
    rig.clients
        .publish(publishing_at(&id, &staging, &target, capability))
        .await
        .unwrap();
    let flags = mount_flags(&target);
    for flag in ["rw", "noatime", "nosuid", "noexec"] {
        assert!(
            flags.split(',').any(|set| set == flag),
            "{flag} is not in {flags}"
        );
    }

    let open = fs::File::create(format!("{target}/open")).unwrap();
    refused(
        rig.clients.unpublish(&id, &target).await,
        Code::FailedPrecondition,
    );
    assert!(Path::new(&target).join("open").exists());
    drop(open);
    rig.clients.unpublish(&id, &target).await.unwrap();
}

/// Only a bind mount can be read-only.
#[tokio::test]
#[ignore = "needs root, to mount"]
async fn nobody_writes_to_what_is_published_read_only() {
    let mut rig = Rig::start().await;
    let info = rig
        .clients
        .identity
        .get_plugin_info(GetPluginInfoRequest {})
        .await
        .unwrap();
    assert_eq!(info.into_inner().manifest["publishes_by"], "bind mount");
    let alloc = rig.work.directory("alloc");
    let modes = [
        (Mode::MultiNodeMultiWriter, false, true),
        (Mode::MultiNodeMultiWriter, true, false),
        (Mode::MultiNodeReaderOnly, false, false),
    ];
    for (number, (mode, attached_readonly, published_readonly)) in modes.into_iter().enumerate() {
        let name = format!("v{number}");
        let id = rig
            .clients
            .create(wanting(&name, MIB, mount(mode)))
            .await
            .unwrap()
            .volume_id;
        let staging = rig.work.directory(&name);
        let mut attach = attaching(&id, mount(mode));
        attach.readonly = attached_readonly;
        rig.clients.attach(attach).await.unwrap();
        rig.clients
            .stage(staging_at(&id, &staging, mount(mode)))
            .await
            .unwrap();
        let target = format!("{alloc}/{name}");
        let mut publish = publishing_at(&id, &staging, &target, mount(mode));
        publish.readonly = published_readonly;
        rig.clients.publish(publish).await.unwrap();
        let error = fs::write(format!("{target}/file"), "").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
        rig.clients.unpublish(&id, &target).await.unwrap();
    }
}
