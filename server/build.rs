//! Compiles the CSI protocol without needing `protoc` on the machine.
//!
//! Messages that carry secrets, or a publish context (which drivers use for credentials), get no
//! derived `Debug`: `csi/redact.rs` writes one for each of them that shows neither.

/// Every message with a `secrets` or `publish_context` field; `csi/redact.rs` covers the same list.
const CONFIDENTIAL: &[&str] = &[
    "CreateVolumeRequest",
    "DeleteVolumeRequest",
    "ControllerPublishVolumeRequest",
    "ControllerPublishVolumeResponse",
    "ControllerUnpublishVolumeRequest",
    "ValidateVolumeCapabilitiesRequest",
    "ControllerListVolumeHealthRequest",
    "ControllerGetVolumeHealthRequest",
    "ControllerModifyVolumeRequest",
    "CreateSnapshotRequest",
    "DeleteSnapshotRequest",
    "ListSnapshotsRequest",
    "GetSnapshotRequest",
    "ControllerExpandVolumeRequest",
    "NodeStageVolumeRequest",
    "NodePublishVolumeRequest",
    "NodeGetStorageHealthRequest",
    "NodeExpandVolumeRequest",
    "CreateVolumeGroupSnapshotRequest",
    "DeleteVolumeGroupSnapshotRequest",
    "GetVolumeGroupSnapshotRequest",
    "GetMetadataAllocatedRequest",
    "GetMetadataDeltaRequest",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["proto/csi.proto"], ["proto"])?;
    let mut prost = tonic_prost_build::Config::new();
    prost.skip_debug(
        CONFIDENTIAL
            .iter()
            .map(|message| format!(".csi.v1.{message}")),
    );
    tonic_prost_build::configure().compile_fds_with_config(files, prost)?;
    Ok(())
}
