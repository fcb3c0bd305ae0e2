//! What a driver confirmed, against what was asked.

use super::*;
use crate::scripted_driver::{Reply, ScriptedDriver};
use saddlebag::csi::{
    ValidateVolumeCapabilities,
    v1::{
        self, VolumeCapability,
        validate_volume_capabilities_response::Confirmed,
        volume_capability::{AccessMode as Mode, AccessType, BlockVolume, MountVolume},
    },
};

const WRITER: i32 = 1;
const MANY: i32 = 5;

fn mount(mode: i32, fs_type: &str, flags: &[&str]) -> VolumeCapability {
    VolumeCapability {
        access_type: Some(AccessType::Mount(MountVolume {
            fs_type: fs_type.into(),
            mount_flags: flags.iter().map(|&flag| flag.into()).collect(),
            volume_mount_group: String::new(),
        })),
        access_mode: Some(Mode { mode }),
    }
}

fn block(mode: i32) -> VolumeCapability {
    VolumeCapability {
        access_type: Some(AccessType::Block(BlockVolume {})),
        access_mode: Some(Mode { mode }),
    }
}

/// What is said when these are asked and those are confirmed.
async fn said(requested: Vec<Capability>, confirmed: Vec<VolumeCapability>) -> Result<(), String> {
    let driver = ScriptedDriver::start();
    let answer = v1::ValidateVolumeCapabilitiesResponse {
        confirmed: Some(Confirmed {
            volume_capabilities: confirmed,
            ..Default::default()
        }),
        message: String::new(),
    };
    driver.script(Call::ValidateVolumeCapabilities, Reply::answer(answer));
    let validate = ValidateVolumeCapabilities {
        external_id: "vol".into(),
        capabilities: requested.clone(),
        ..Default::default()
    };
    let connection = driver.connect(Limits::default());
    let validation = connection
        .validate_volume_capabilities(&validate)
        .await
        .unwrap();
    validation
        .check(&requested)
        .map_err(|error| error.to_string())
}

/// Weakness W13.
#[tokio::test]
async fn the_same_in_any_order_is_confirmed() {
    let blocks = || {
        vec![
            block_device(AccessMode::SingleNodeWriter),
            block_device(AccessMode::MultiNodeMultiWriter),
        ]
    };
    let mixed = || {
        vec![
            file_system("ext4", &["noatime"]),
            block_device(AccessMode::SingleNodeWriter),
        ]
    };
    for (requested, confirmed) in [
        (blocks(), vec![block(MANY), block(WRITER)]),
        (
            mixed(),
            vec![block(WRITER), mount(WRITER, "ext4", &["noatime", "ro"])],
        ),
        (mixed(), vec![]),
        (vec![file_system("", &[])], vec![mount(WRITER, "xfs", &[])]),
        (vec![file_system("ext4", &[])], vec![mount(WRITER, "", &[])]),
        (vec![file_system("ext4", &[])], vec![mount(0, "ext4", &[])]),
        (blocks(), vec![VolumeCapability::default()]),
    ] {
        let shown = format!("{requested:?} {confirmed:?}");
        assert_eq!(said(requested, confirmed).await, Ok(()), "{shown}");
    }
}

#[tokio::test]
async fn something_else_is_refused_with_nomads_texts() {
    let failed = |items: &str| {
        let count = items.matches('*').count();
        let errors = if count == 1 { "error" } else { "errors" };
        format!("volume capability validation failed: {count} {errors} occurred:\n{items}\n")
    };
    for (requested, confirmed, items) in [
        (
            file_system("", &[]),
            vec![mount(MANY, "", &[])],
            "\t* requested access mode SINGLE_NODE_WRITER, got MULTI_NODE_MULTI_WRITER\n",
        ),
        (
            file_system("", &[]),
            vec![mount(4711, "", &[])],
            "\t* requested access mode SINGLE_NODE_WRITER, got 4711\n",
        ),
        (
            file_system("ext4", &[]),
            vec![mount(WRITER, "xfs", &[])],
            "\t* requested filesystem type ext4, got xfs\n",
        ),
        (
            file_system("", &["password=hunter2"]),
            vec![mount(WRITER, "", &["ro"])],
            "\t* requested mount flags did not match available capabilities\n",
        ),
        (
            file_system("", &[]),
            vec![block(WRITER)],
            "\t* 'block-device' access type was not requested but was validated by the controller\n",
        ),
        (
            block_device(AccessMode::SingleNodeWriter),
            vec![mount(WRITER, "", &[]), block(MANY)],
            "\t* 'file-system' access type was not requested but was validated by the controller\n\
             \t* requested access mode SINGLE_NODE_WRITER, got MULTI_NODE_MULTI_WRITER\n",
        ),
    ] {
        assert_eq!(said(vec![requested], confirmed).await, Err(failed(items)));
    }
}

#[tokio::test]
async fn the_question_holds_mount_options_and_the_remark_no_secret() {
    let driver = ScriptedDriver::start();
    let answer = v1::ValidateVolumeCapabilitiesResponse {
        confirmed: None,
        message: "as hunter2 I cannot tell".into(),
    };
    driver.script(Call::ValidateVolumeCapabilities, Reply::answer(answer));
    let validate = ValidateVolumeCapabilities {
        external_id: "vol".into(),
        capabilities: vec![file_system("ext4", &["noatime"])],
        secrets: secrets(),
        ..Default::default()
    };
    let connection = driver.connect(Limits::default());
    let validation = connection
        .validate_volume_capabilities(&validate)
        .await
        .unwrap();
    assert_eq!(validation.message, "as [REDACTED] I cannot tell");
    assert_eq!(validation.check(&validate.capabilities), Ok(()));
    let sent: v1::ValidateVolumeCapabilitiesRequest = driver.last(Call::ValidateVolumeCapabilities);
    assert_eq!(
        sent.volume_capabilities,
        [mount(WRITER, "ext4", &["noatime"])]
    );
}
