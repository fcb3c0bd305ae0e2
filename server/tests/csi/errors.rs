//! What an error means, and who made it.

use super::*;
use crate::scripted_driver::{MALFORMED_DETAILS, Reply, ScriptedDriver};
use saddlebag::csi::{
    About, CallError, Code, Connection, ControllerPublishVolume, ControllerUnpublishVolume,
    CreateSnapshot, CreateVolume, DeleteSnapshot, DeleteVolume, Endpoint, ListVolumes,
    MOST_MESSAGE_BYTES, NodePublishVolume, NodeUnpublishVolume, NodeUnstageVolume, PublishContext,
};
use tokio::{io::AsyncWriteExt, net::UnixListener};

fn create() -> CreateVolume {
    CreateVolume {
        name: "data".to_owned(),
        secrets: secrets(),
        ..CreateVolume::default()
    }
}

#[test]
fn the_class_of_every_drivers_code_is_as_written() {
    const UNCLEAR: [Code; 3] = [Code::Unavailable, Code::Aborted, Code::DeadlineExceeded];
    const NEVER_FINAL: [Call; 3] = [
        Call::ControllerUnpublishVolume,
        Call::NodeUnpublishVolume,
        Call::NodeUnstageVolume,
    ];
    const LISTS: [Call; 3] = [
        Call::ListVolumes,
        Call::ListSnapshots,
        Call::ControllerListVolumeHealth,
    ];
    for call in Call::ALL {
        for code in Code::ALL {
            let unclear = NEVER_FINAL.contains(&call)
                || UNCLEAR.contains(&code) && !(code == Code::Aborted && LISTS.contains(&call));
            let expected = if unclear {
                Class::Unclear
            } else {
                Class::Final
            };
            let mut error = CallError {
                call,
                code,
                message: String::new(),
                origin: Origin::Driver,
            };
            assert_eq!(error.class(), expected, "{call} {code}");
            for local in [Origin::Connection, Origin::Deadline] {
                error.origin = local;
                assert_eq!(error.class(), Class::Unclear, "{call} {code} {local:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_code_on_the_wire_is_the_drivers() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    for number in 1..=16 {
        let code = tonic::Code::from_i32(number);
        driver.script(Call::CreateVolume, Reply::refuse(code, "no"));
        let error = connection.create_volume(&create()).await.unwrap_err();
        assert_eq!(
            (error.wire(), error.message.as_str()),
            (true, "no"),
            "{code:?}"
        );
        let shown = match code {
            tonic::Code::Cancelled => "Canceled".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(error.code.to_string(), shown);
    }
}

#[tokio::test]
async fn nobody_at_the_socket_is_unclear_and_unavailable() {
    let driver = ScriptedDriver::absent();
    let connection = driver.connect(Limits::default());
    let error = connection.create_volume(&create()).await.unwrap_err();
    assert_eq!(
        (error.origin, error.class()),
        (Origin::Connection, Class::Unclear)
    );
    assert_eq!(
        error.nomad_text(&About::default()),
        format!(
            "controller create volume: CSI.ControllerCreateVolume: rpc error: code = Unavailable \
             desc = {}: No such file or directory (os error 2)",
            driver.endpoint()
        )
    );
}

#[tokio::test]
async fn a_driver_that_dies_during_a_call_leaves_it_unclear() {
    let mut driver = ScriptedDriver::start();
    driver.script(Call::CreateVolume, Reply::Hang);
    let connection = driver.connect(Limits::default());
    let calling = tokio::spawn(async move { connection.create_volume(&create()).await });
    driver.asked(Call::CreateVolume, 1).await;
    driver.leave();
    let error = soon(calling).await.unwrap().unwrap_err();
    assert_eq!(
        (error.origin, error.code),
        (Origin::Connection, Code::Unavailable)
    );
    assert_eq!(error.class(), Class::Unclear);
}

#[tokio::test]
async fn a_driver_that_hangs_leaves_the_call_unclear_at_its_deadline() {
    let driver = ScriptedDriver::start();
    driver.script(Call::CreateVolume, Reply::Hang);
    let connection = driver.connect(impatient());
    let error = soon(connection.create_volume(&create())).await.unwrap_err();
    assert_eq!(
        (error.origin, error.class()),
        (Origin::Deadline, Class::Unclear)
    );
    assert_eq!(
        error.nomad_text(&About::default()),
        "controller create volume: CSI.ControllerCreateVolume: rpc error: code = DeadlineExceeded \
         desc = context deadline exceeded"
    );
    let told = driver.last_deadline(Call::CreateVolume);
    assert!(told.is_some(), "the driver was not told the deadline");
}

#[tokio::test]
async fn what_speaks_no_grpc_is_no_driver() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("csi.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let connection = Connection::new(Endpoint::at(path).unwrap(), impatient());
    let error = soon(connection.create_volume(&create())).await.unwrap_err();
    assert_eq!((error.wire(), error.class()), (false, Class::Unclear));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_the_drivers_refusal() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    driver.script(
        Call::GetPluginInfo,
        Reply::answer(saddlebag::csi::v1::GetPluginInfoResponse {
            name: "x".repeat(65 * 1024 * 1024),
            ..Default::default()
        }),
    );
    let error = connection.plugin_info().await.unwrap_err();
    assert_eq!((error.wire(), error.code), (false, Code::Unavailable));
}

#[tokio::test]
async fn malformed_status_details_do_no_harm() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let refusal = Reply::refuse(tonic::Code::NotFound, MALFORMED_DETAILS);
    driver.script(Call::CreateVolume, refusal);
    let error = connection.create_volume(&create()).await.unwrap_err();
    assert_eq!((error.wire(), error.code), (true, Code::NotFound));
}

#[tokio::test]
async fn no_secret_is_in_any_text_of_an_error() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let chatty = || Reply::refuse(tonic::Code::Internal, "login with hunter2 failed");
    driver.script(Call::CreateVolume, chatty());
    driver.script(Call::DeleteVolume, chatty());
    let errors = [
        connection.create_volume(&create()).await.unwrap_err(),
        connection
            .delete_volume(&DeleteVolume {
                external_id: "x".to_owned(),
                secrets: secrets(),
            })
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.message, "login with [REDACTED] failed");
        let texts = format!("{error} {error:?} {}", error.nomad_text(&About::default()));
        assert!(!texts.contains("hunter2"), "{texts}");
    }
    let shown = format!("{:?}", create());
    assert!(
        shown.contains("data") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_long_message_is_the_drivers_and_is_cut_after_its_secrets_are_gone() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let message = "é".repeat(MOST_MESSAGE_BYTES / 2 - 2) + "hunter2" + &"x".repeat(100_000);
    driver.script(
        Call::CreateVolume,
        Reply::refuse(tonic::Code::Internal, message),
    );
    let error = connection.create_volume(&create()).await.unwrap_err();
    assert!(error.wire());
    assert!(error.message.len() <= MOST_MESSAGE_BYTES && error.message.ends_with('…'));
    assert!(!error.message.contains("hunter"), "{}", error.message);
}

#[tokio::test]
async fn what_is_gone_already_counts_as_done() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    for call in [
        Call::DeleteVolume,
        Call::DeleteSnapshot,
        Call::ControllerUnpublishVolume,
        Call::NodeUnpublishVolume,
        Call::NodeUnstageVolume,
        Call::NodeExpandVolume,
    ] {
        driver.always(call, Reply::refuse(tonic::Code::NotFound, "not here"));
    }
    let outcomes = [
        connection
            .delete_volume(&DeleteVolume {
                external_id: "v".into(),
                ..Default::default()
            })
            .await,
        connection
            .delete_snapshot(&DeleteSnapshot {
                snapshot_id: "s".into(),
                ..Default::default()
            })
            .await,
        connection
            .controller_unpublish_volume(&ControllerUnpublishVolume {
                external_id: "v".into(),
                external_node_id: "n".into(),
                ..Default::default()
            })
            .await,
        connection
            .node_unpublish_volume(&NodeUnpublishVolume {
                external_id: "v".into(),
                target_path: "/t".into(),
            })
            .await,
        connection
            .node_unstage_volume(&NodeUnstageVolume {
                external_id: "v".into(),
                staging_target_path: "/s".into(),
            })
            .await,
        connection
            .node_expand_volume(&saddlebag::csi::NodeExpandVolume {
                external_id: "v".into(),
                volume_path: "/t".into(),
                ..Default::default()
            })
            .await
            .map(|capacity| assert_eq!(capacity, 0)),
    ];
    assert_eq!(outcomes, [const { Ok(()) }; 6]);
}

/// Conformance case 83.
#[tokio::test]
async fn what_csi_forbids_is_refused_before_a_driver_is_asked() {
    let driver = ScriptedDriver::start();
    let connection = driver.connect(Limits::default());
    let publish = ControllerPublishVolume {
        external_id: "v".into(),
        external_node_id: String::new(),
        capability: file_system("", &[]),
        readonly: false,
        secrets: Secrets::none(),
        volume_context: Default::default(),
    };
    let node_publish = NodePublishVolume {
        external_id: "v".into(),
        publish_context: PublishContext::none(),
        staging_target_path: String::new(),
        target_path: String::new(),
        capability: file_system("", &[]),
        readonly: false,
        secrets: Secrets::none(),
        volume_context: Default::default(),
    };
    let bounds = CreateVolume {
        name: "N".into(),
        capacity_range: saddlebag::csi::CapacityRange {
            required_bytes: 2,
            limit_bytes: 1,
        },
        ..Default::default()
    };
    let page = ListVolumes {
        max_entries: -1,
        ..Default::default()
    };
    let snapshot = |volume: &str, name: &str| CreateSnapshot {
        source_volume_id: volume.into(),
        name: name.into(),
        ..Default::default()
    };
    let detach = ControllerUnpublishVolume {
        external_id: "v".into(),
        ..Default::default()
    };
    let refused = [
        connection
            .create_volume(&CreateVolume::default())
            .await
            .map(drop),
        connection.create_volume(&bounds).await.map(drop),
        connection.delete_volume(&DeleteVolume::default()).await,
        connection.list_volumes(&page).await.map(drop),
        connection
            .create_snapshot(&snapshot("", "N"))
            .await
            .map(drop),
        connection
            .create_snapshot(&snapshot("v", ""))
            .await
            .map(drop),
        connection.delete_snapshot(&DeleteSnapshot::default()).await,
        connection
            .controller_publish_volume(&publish)
            .await
            .map(drop),
        connection.controller_unpublish_volume(&detach).await,
        connection.node_publish_volume(&node_publish).await,
    ]
    .map(|outcome| outcome.unwrap_err());
    let texts = refused
        .each_ref()
        .map(|error| error.nomad_text(&About::default()));
    assert_eq!(
        texts,
        [
            "controller create volume: CSI.ControllerCreateVolume: missing Name",
            "controller create volume: CSI.ControllerCreateVolume: LimitBytes cannot be less than RequiredBytes",
            "controller delete volume: CSI.ControllerDeleteVolume: missing ExternalVolumeID",
            "controller list volumes: CSI.ControllerListVolumes: MaxEntries cannot be negative",
            "controller create snapshot: CSI.ControllerCreateSnapshot: missing VolumeID",
            "controller create snapshot: CSI.ControllerCreateSnapshot: missing Name",
            "controller delete snapshot: CSI.ControllerDeleteSnapshot: missing SnapshotID",
            "controller attach volume: CSI.ControllerAttachVolume: missing NodeID",
            "controller detach volume: CSI.ControllerDetachVolume: missing NodeID",
            "validation error: missing targetPath",
        ]
    );
    assert!(refused.iter().all(|error| error.origin == Origin::Here));
    assert_eq!(driver.calls(), []);
}
