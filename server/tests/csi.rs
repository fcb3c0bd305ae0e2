//! Speaking CSI, shown on a scripted driver behind a real unix socket.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "csi/calls.rs"]
mod calls;
#[path = "csi/connection.rs"]
mod connection;
#[path = "csi/discovery.rs"]
mod discovery;
#[path = "csi/errors.rs"]
mod errors;
#[path = "csi/lists.rs"]
mod lists;
#[path = "csi/node_calls.rs"]
mod node_calls;
#[path = "csi/nomad_texts.rs"]
mod nomad_texts;
#[path = "support/scripted_driver/mod.rs"]
mod scripted_driver;
#[path = "csi/supervised.rs"]
mod supervised;
#[path = "csi/validation.rs"]
mod validation;
#[path = "csi/watched.rs"]
mod watched;

use saddlebag::csi::{
    AccessMode, AttachmentMode, Call, Capability, Class, Deadlines, Limits, MountOptions, Origin,
    Secrets,
};
use std::time::Duration;

/// Limits with which a call that hangs ends soon.
fn impatient() -> Limits {
    let soon = Duration::from_millis(200);
    let deadlines = Deadlines {
        probe: soon,
        info: soon,
        list: soon,
        controller: soon,
        node: soon,
    };
    Limits::new(4, deadlines)
}

fn secrets() -> Secrets {
    Secrets::from_plain([("password".to_owned(), "hunter2".to_owned())])
}

fn file_system(fs_type: &str, flags: &[&str]) -> Capability {
    Capability {
        access_mode: AccessMode::SingleNodeWriter,
        attachment_mode: AttachmentMode::FileSystem,
        mount_options: MountOptions {
            fs_type: fs_type.to_owned(),
            mount_flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        },
    }
}

fn block_device(access_mode: AccessMode) -> Capability {
    Capability {
        access_mode,
        attachment_mode: AttachmentMode::BlockDevice,
        mount_options: MountOptions::default(),
    }
}

/// Waits for something that must happen soon.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), event)
        .await
        .expect("it should have happened within 10 s")
}
