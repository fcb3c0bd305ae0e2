//! What happens at target paths.

use super::{requests::*, rig::*};
use saddlebag::csi::v1::{volume_capability::access_mode::Mode, *};
use std::{fs, path::Path};
use tonic::Code;

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
