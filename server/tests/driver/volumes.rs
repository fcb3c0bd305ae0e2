//! Making, listing, growing, changing and deleting volumes.

use super::{requests::*, rig::*};
use saddlebag::csi::v1::{volume_capability::access_mode::Mode, *};
use std::{fs, os::unix::fs::PermissionsExt};
use tonic::Code;

#[tokio::test]
async fn a_name_asked_for_twice_gives_one_volume() {
    let mut rig = Rig::start().await;
    let first = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap();
    let second = rig
        .clients
        .create(wanting("a", MIB, directory()))
        .await
        .unwrap();
    assert_eq!(first, second);
    assert!(first.volume_id.starts_with("vol-"));
    assert_eq!(first.capacity_bytes, MIB);
    assert_eq!(rig.clients.volume_ids().await, [first.volume_id]);
}

#[tokio::test]
async fn a_name_asked_for_again_with_something_else_is_refused() {
    let mut rig = Rig::start().await;
    let original = wanting("a", MIB, directory());
    rig.clients.create(original.clone()).await.unwrap();
    let other = rig
        .clients
        .create(wanting("b", MIB, directory()))
        .await
        .unwrap();

    let mut larger = original.clone();
    larger.capacity_range = Some(at_least(2 * MIB));
    let mut smaller = original.clone();
    smaller.capacity_range = Some(CapacityRange {
        required_bytes: 0,
        limit_bytes: MIB - 1,
    });
    let mut other_type = original.clone();
    other_type.volume_capabilities = vec![raw()];
    let mut other_parameters = original.clone();
    other_parameters.parameters = [("pool".into(), "fast".into())].into();
    let mut other_mutable = original.clone();
    other_mutable.mutable_parameters = [("mode".into(), "0700".into())].into();
    let mut elsewhere = original.clone();
    elsewhere.accessibility_requirements = Some(TopologyRequirement {
        requisite: vec![Topology {
            segments: [("zone".into(), "b".into())].into(),
        }],
        preferred: vec![],
    });
    let mut other_source = original.clone();
    other_source.volume_content_source = from_volume(&other.volume_id);
    for request in [
        larger,
        smaller,
        other_type,
        other_parameters,
        other_mutable,
        elsewhere,
        other_source,
    ] {
        refused(rig.clients.create(request).await, Code::AlreadyExists);
    }
    rig.clients.create(original).await.unwrap();
}

#[tokio::test]
async fn what_csi_requires_is_required() {
    let mut rig = Rig::start().await;
    let good = wanting("a", MIB, directory());
    let broken: [fn(&mut CreateVolumeRequest); 12] = [
        |r| r.name.clear(),
        |r| r.name = "x".repeat(129),
        |r| r.name = "a\u{7}b".into(),
        |r| r.volume_capabilities.clear(),
        |r| r.volume_capabilities[0].access_mode = None,
        |r| r.volume_capabilities[0].access_type = None,
        |r| r.volume_capabilities[0] = mount(Mode::Unknown),
        |r| r.volume_capabilities[0].access_mode.as_mut().unwrap().mode = 99,
        |r| {
            r.capacity_range = Some(CapacityRange {
                required_bytes: 2,
                limit_bytes: 1,
            })
        },
        |r| {
            r.capacity_range = Some(CapacityRange {
                required_bytes: -1,
                limit_bytes: 0,
            })
        },
        |r| r.mutable_parameters = [("colour".into(), "red".into())].into(),
        |r| r.parameters = [("mode".into(), "rwx".into())].into(),
    ];
    for (number, break_it) in broken.into_iter().enumerate() {
        let mut request = good.clone();
        break_it(&mut request);
        let result = rig.clients.create(request).await;
        assert_eq!(
            result.err().map(|s| s.code()),
            Some(Code::InvalidArgument),
            "{number}"
        );
    }
    refused(rig.clients.delete("").await, Code::InvalidArgument);
    assert!(rig.clients.volume_ids().await.is_empty());
}

#[tokio::test]
async fn names_are_never_parts_of_paths() {
    let mut rig = Rig::start().await;
    for name in [
        "../../escape",
        "/etc/x",
        ".",
        "vol-00000000000000000000000000000000",
        "naïve\n",
    ] {
        rig.clients
            .create(wanting(name, MIB, directory()))
            .await
            .unwrap();
    }
    let mut found: Vec<_> = fs::read_dir(rig.root().join("volumes"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, rig.clients.volume_ids().await);
}

#[tokio::test]
async fn pages_cover_a_list_and_survive_the_deletion_of_the_next_volume() {
    let mut rig = Rig::start().await;
    for number in 0..7 {
        let name = format!("v{number}");
        rig.clients
            .create(wanting(&name, MIB, directory()))
            .await
            .unwrap();
    }
    let all = rig.clients.volume_ids().await;
    let page = |max_entries, starting_token: String| ListVolumesRequest {
        max_entries,
        starting_token,
    };

    let mut seen = vec![];
    let mut token = String::new();
    loop {
        let answer = rig
            .clients
            .controller
            .list_volumes(page(3, token))
            .await
            .unwrap()
            .into_inner();
        seen.extend(
            answer
                .entries
                .into_iter()
                .map(|entry| entry.volume.unwrap().volume_id),
        );
        token = answer.next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, all);

    let first = rig
        .clients
        .controller
        .list_volumes(page(3, String::new()))
        .await
        .unwrap();
    let token = first.into_inner().next_token;
    rig.clients.delete(&all[3]).await.unwrap();
    let rest = rig
        .clients
        .controller
        .list_volumes(page(0, token))
        .await
        .unwrap()
        .into_inner();
    let rest: Vec<_> = rest
        .entries
        .into_iter()
        .map(|e| e.volume.unwrap().volume_id)
        .collect();
    assert_eq!(rest, all[4..]);

    let result = rig
        .clients
        .controller
        .list_volumes(page(0, "nonsense".into()))
        .await;
    refused(result, Code::Aborted);
    let result = rig
        .clients
        .controller
        .list_volumes(page(-1, String::new()))
        .await;
    refused(result, Code::InvalidArgument);
}

#[tokio::test]
async fn the_mode_of_a_volume_is_a_parameter_that_can_change() {
    let mut rig = Rig::start().await;
    let mut request = wanting("a", MIB, directory());
    request.volume_capabilities.push(raw());
    request.parameters = [
        ("mode".into(), "0750".into()),
        ("tier".into(), "gold".into()),
    ]
    .into();
    request.mutable_parameters = [("mode".into(), "0770".into())].into();
    let id = rig.clients.create(request).await.unwrap().volume_id;
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(rig.directory_of(&id)), 0o770);
    assert_eq!(mode(rig.file_of(&id)), 0o660);

    let modify = |key: &str, value: &str| ControllerModifyVolumeRequest {
        volume_id: id.clone(),
        mutable_parameters: [(key.to_owned(), value.to_owned())].into(),
        ..Default::default()
    };
    rig.clients
        .controller
        .controller_modify_volume(modify("mode", "1777"))
        .await
        .unwrap();
    assert_eq!(mode(rig.directory_of(&id)), 0o1777);
    let result = rig
        .clients
        .controller
        .controller_modify_volume(modify("tier", "silver"))
        .await;
    refused(result, Code::InvalidArgument);
    let result = rig
        .clients
        .controller
        .controller_modify_volume(modify("mode", "9"))
        .await;
    refused(result, Code::InvalidArgument);
    assert_eq!(mode(rig.directory_of(&id)), 0o1777);
}

#[tokio::test]
async fn validation_confirms_what_the_volume_can_do_and_nothing_else() {
    let mut rig = Rig::start().await;
    let mut request = wanting("a", MIB, directory());
    request.parameters = [("tier".into(), "gold".into())].into();
    let id = rig.clients.create(request).await.unwrap().volume_id;
    let ask = |capabilities: Vec<VolumeCapability>, tier: &str| ValidateVolumeCapabilitiesRequest {
        volume_id: id.clone(),
        volume_capabilities: capabilities,
        parameters: [("tier".to_owned(), tier.to_owned())].into(),
        ..Default::default()
    };
    let can = vec![directory(), mount(Mode::MultiNodeReaderOnly)];
    let controller = &mut rig.clients.controller;
    let answer = controller
        .validate_volume_capabilities(ask(can.clone(), "gold"))
        .await
        .unwrap();
    let confirmed = answer.into_inner().confirmed.unwrap();
    assert_eq!(confirmed.volume_capabilities, can);
    assert_eq!(confirmed.parameters["tier"], "gold");

    let answer = controller
        .validate_volume_capabilities(ask(can, "lead"))
        .await
        .unwrap();
    assert!(answer.into_inner().confirmed.unwrap().parameters.is_empty());

    let cannot = vec![directory(), raw()];
    let answer = controller
        .validate_volume_capabilities(ask(cannot, "gold"))
        .await
        .unwrap();
    let answer = answer.into_inner();
    assert!(answer.confirmed.is_none());
    assert!(answer.message.contains("block"), "{}", answer.message);
}

#[tokio::test]
async fn a_volume_whose_data_is_damaged_is_reported_everywhere() {
    let mut rig = Rig::start().await;
    let well = rig
        .clients
        .create(wanting("well", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let gone = rig
        .clients
        .create(wanting("gone", MIB, directory()))
        .await
        .unwrap()
        .volume_id;
    let cut = rig
        .clients
        .create(wanting("cut", MIB, raw()))
        .await
        .unwrap()
        .volume_id;
    fs::remove_dir(rig.directory_of(&gone)).unwrap();
    fs::File::options()
        .write(true)
        .open(rig.file_of(&cut))
        .unwrap()
        .set_len(5)
        .unwrap();

    assert!(rig.clients.health(&well).await.is_empty());
    assert_eq!(rig.clients.health(&gone).await, ["DataMissing"]);
    assert_eq!(rig.clients.health(&cut).await, ["Truncated"]);

    let list = ControllerListVolumeHealthRequest::default();
    let answer = rig
        .clients
        .controller
        .controller_list_volume_health(list)
        .await
        .unwrap();
    let listed = answer
        .into_inner()
        .entries
        .into_iter()
        .map(|health| health.volume_id);
    let mut ill = vec![gone.clone(), cut];
    ill.sort();
    assert_eq!(listed.collect::<Vec<_>>(), ill);
    let list = ControllerListVolumeHealthRequest {
        max_entries: 1,
        ..Default::default()
    };
    let answer = rig
        .clients
        .controller
        .controller_list_volume_health(list)
        .await
        .unwrap();
    let answer = answer.into_inner();
    assert_eq!((answer.entries.len(), &answer.next_token), (1, &ill[1]));

    let request = ControllerGetVolumeRequest { volume_id: gone };
    let answer = rig
        .clients
        .controller
        .controller_get_volume(request)
        .await
        .unwrap();
    let condition = answer
        .into_inner()
        .status
        .unwrap()
        .volume_condition
        .unwrap();
    assert!(condition.abnormal);
}
