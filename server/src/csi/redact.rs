//! `Debug` of the protocol's messages that carry something confidential: secrets, a publish context
//! or mount flags. Everything else of them is shown.

use super::{
    REDACTED,
    v1::{volume_capability::MountVolume, *},
};
use std::fmt;

/// Writes `Debug` for each message: the fields it shows, then the fields it hides. A field that is in
/// neither list does not compile.
macro_rules! redacted {
    ($($message:ident { $($shown:ident),* ; $($hidden:ident),+ })*) => {
        $(
            impl fmt::Debug for $message {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    let Self { $($shown,)* $($hidden: _),+ } = self;
                    let mut message = f.debug_struct(stringify!($message));
                    $(message.field(stringify!($shown), $shown);)*
                    $(message.field(stringify!($hidden), &format_args!("{REDACTED}"));)+
                    message.finish()
                }
            }
        )*

        #[cfg(test)]
        mod tests {
            use super::*;

            /// A map or list that holds a value which must not be shown.
            trait Planted {
                fn planted() -> Self;
            }

            impl Planted for std::collections::HashMap<String, String> {
                fn planted() -> Self {
                    Self::from([("planted-key".into(), "planted-value".into())])
                }
            }

            impl Planted for Vec<String> {
                fn planted() -> Self {
                    vec!["planted-value".into()]
                }
            }

            #[test]
            fn no_message_shows_what_is_confidential() {
                $({
                    let mut message = $message::default();
                    $(message.$hidden = Planted::planted();)+
                    for shown in [format!("{message:?}"), format!("{message:#?}")] {
                        assert!(!shown.contains("planted"), "{shown}");
                        $(assert!(shown.contains(stringify!($shown)), "{shown}");)*
                        $(assert!(shown.contains(stringify!($hidden)), "{shown}");)+
                    }
                })*
            }

            #[test]
            fn every_confidential_message_of_the_protocol_is_covered() {
                let of_the_protocol: &[&str] = include!(concat!(env!("OUT_DIR"), "/confidential.rs"));
                let names = of_the_protocol.iter().filter_map(|path| path.rsplit('.').next());
                let mut expected: Vec<&str> = names.collect();
                expected.sort_unstable();
                let mut covered = [$(stringify!($message)),*];
                covered.sort_unstable();
                assert_eq!(covered[..], expected[..]);
            }
        }
    };
}

redacted! {
    CreateVolumeRequest {
        name, capacity_range, volume_capabilities, parameters, volume_content_source,
        accessibility_requirements, mutable_parameters; secrets
    }
    DeleteVolumeRequest { volume_id; secrets }
    ControllerPublishVolumeRequest {
        volume_id, node_id, volume_capability, readonly, volume_context; secrets
    }
    ControllerPublishVolumeResponse { ; publish_context }
    ControllerUnpublishVolumeRequest { volume_id, node_id; secrets }
    ValidateVolumeCapabilitiesRequest {
        volume_id, volume_context, volume_capabilities, parameters, mutable_parameters; secrets
    }
    ControllerListVolumeHealthRequest { max_entries, starting_token; secrets }
    ControllerGetVolumeHealthRequest { volume_id; secrets }
    ControllerModifyVolumeRequest { volume_id, mutable_parameters; secrets }
    CreateSnapshotRequest { source_volume_id, name, parameters, accessibility_requirements; secrets }
    DeleteSnapshotRequest { snapshot_id; secrets }
    ListSnapshotsRequest { max_entries, starting_token, source_volume_id, snapshot_id; secrets }
    GetSnapshotRequest { snapshot_id; secrets }
    ControllerExpandVolumeRequest { volume_id, capacity_range, volume_capability; secrets }
    NodeStageVolumeRequest {
        volume_id, staging_target_path, volume_capability, volume_context; publish_context, secrets
    }
    NodePublishVolumeRequest {
        volume_id, staging_target_path, target_path, volume_capability, readonly, volume_context;
        publish_context, secrets
    }
    NodeGetStorageHealthRequest { ; secrets }
    NodeExpandVolumeRequest {
        volume_id, volume_path, capacity_range, staging_target_path, volume_capability; secrets
    }
    CreateVolumeGroupSnapshotRequest { name, source_volume_ids, parameters; secrets }
    DeleteVolumeGroupSnapshotRequest { group_snapshot_id, snapshot_ids; secrets }
    GetVolumeGroupSnapshotRequest { group_snapshot_id, snapshot_ids; secrets }
    GetMetadataAllocatedRequest { snapshot_id, starting_offset, max_results; secrets }
    GetMetadataDeltaRequest {
        base_snapshot_id, target_snapshot_id, starting_offset, max_results; secrets
    }
    MountVolume { fs_type, volume_mount_group; mount_flags }
}
