//! The services of the driver, and what it usually answers.

use super::{Driver, controller_capabilities, node_capabilities, plugin_capabilities};
use saddlebag::csi::{Call, v1};
use std::collections::HashMap;
use tonic::{Request, Response, Status};
use v1::{controller_server::Controller, identity_server::Identity, node_server::Node};

/// Writes a service: each call is answered from the script, else as said here.
macro_rules! service {
    (
        $service:ident {
            $($method:ident $call:ident $question:ident $answer:ident = $usual:expr;)*
        }
        without {
            $($unscripted:ident $unscripted_question:ident $unscripted_answer:ident;)*
        }
    ) => {
        #[tonic::async_trait]
        impl $service for Driver {
            $(
                async fn $method(
                    &self,
                    request: Request<v1::$question>,
                ) -> Result<Response<v1::$answer>, Status> {
                    self.answer(Call::$call, request, $usual).await
                }
            )*

            $(
                async fn $unscripted(
                    &self,
                    _: Request<v1::$unscripted_question>,
                ) -> Result<Response<v1::$unscripted_answer>, Status> {
                    Err(Status::unimplemented("not scripted"))
                }
            )*
        }
    };
}

service!(Identity {
    probe Probe ProbeRequest ProbeResponse = |_| Default::default();
    get_plugin_info GetPluginInfo GetPluginInfoRequest GetPluginInfoResponse = |_| {
        v1::GetPluginInfoResponse {
            name: "scripted.example".into(),
            vendor_version: "1.2.3".into(),
            manifest: HashMap::new(),
        }
    };
    get_plugin_capabilities GetPluginCapabilities GetPluginCapabilitiesRequest
        GetPluginCapabilitiesResponse = |_| plugin_capabilities(&[1, 2]);
} without {});

service!(Controller {
    controller_get_capabilities ControllerGetCapabilities ControllerGetCapabilitiesRequest
        ControllerGetCapabilitiesResponse = |_| controller_capabilities(&(1..=17).collect::<Vec<_>>());
    create_volume CreateVolume CreateVolumeRequest CreateVolumeResponse = |asked| {
        v1::CreateVolumeResponse {
            volume: Some(v1::Volume {
                volume_id: format!("id-of-{}", asked.name),
                capacity_bytes: asked.capacity_range.map_or(0, |range| range.required_bytes),
                content_source: asked.volume_content_source.clone(),
                ..Default::default()
            }),
        }
    };
    delete_volume DeleteVolume DeleteVolumeRequest DeleteVolumeResponse = |_| Default::default();
    controller_publish_volume ControllerPublishVolume ControllerPublishVolumeRequest
        ControllerPublishVolumeResponse = |_| Default::default();
    controller_unpublish_volume ControllerUnpublishVolume ControllerUnpublishVolumeRequest
        ControllerUnpublishVolumeResponse = |_| Default::default();
    validate_volume_capabilities ValidateVolumeCapabilities ValidateVolumeCapabilitiesRequest
        ValidateVolumeCapabilitiesResponse = |asked| v1::ValidateVolumeCapabilitiesResponse {
            confirmed: Some(v1::validate_volume_capabilities_response::Confirmed {
                volume_capabilities: asked.volume_capabilities.clone(),
                ..Default::default()
            }),
            message: String::new(),
        };
    list_volumes ListVolumes ListVolumesRequest ListVolumesResponse = |_| Default::default();
    controller_get_volume ControllerGetVolume ControllerGetVolumeRequest
        ControllerGetVolumeResponse = |asked| v1::ControllerGetVolumeResponse {
            volume: Some(v1::Volume {
                volume_id: asked.volume_id.clone(),
                ..Default::default()
            }),
            status: None,
        };
    controller_list_volume_health ControllerListVolumeHealth ControllerListVolumeHealthRequest
        ControllerListVolumeHealthResponse = |_| Default::default();
    controller_get_volume_health ControllerGetVolumeHealth ControllerGetVolumeHealthRequest
        ControllerGetVolumeHealthResponse = |_| v1::ControllerGetVolumeHealthResponse {
            volume_health: Some(v1::VolumeHealth::default()),
        };
    get_capacity GetCapacity GetCapacityRequest GetCapacityResponse = |_| Default::default();
    create_snapshot CreateSnapshot CreateSnapshotRequest CreateSnapshotResponse = |asked| {
        v1::CreateSnapshotResponse {
            snapshot: Some(v1::Snapshot {
                snapshot_id: format!("id-of-{}", asked.name),
                source_volume_id: asked.source_volume_id.clone(),
                ready_to_use: true,
                ..Default::default()
            }),
        }
    };
    delete_snapshot DeleteSnapshot DeleteSnapshotRequest DeleteSnapshotResponse =
        |_| Default::default();
    list_snapshots ListSnapshots ListSnapshotsRequest ListSnapshotsResponse =
        |_| Default::default();
    get_snapshot GetSnapshot GetSnapshotRequest GetSnapshotResponse = |asked| {
        v1::GetSnapshotResponse {
            snapshot: Some(v1::Snapshot {
                snapshot_id: asked.snapshot_id.clone(),
                ..Default::default()
            }),
        }
    };
    controller_expand_volume ControllerExpandVolume ControllerExpandVolumeRequest
        ControllerExpandVolumeResponse = |asked| v1::ControllerExpandVolumeResponse {
            capacity_bytes: asked.capacity_range.map_or(0, |range| range.required_bytes),
            node_expansion_required: true,
        };
} without {
    controller_modify_volume ControllerModifyVolumeRequest ControllerModifyVolumeResponse;
});

service!(Node {
    node_get_capabilities NodeGetCapabilities NodeGetCapabilitiesRequest
        NodeGetCapabilitiesResponse = |_| node_capabilities(&(1..=8).collect::<Vec<_>>());
    node_get_info NodeGetInfo NodeGetInfoRequest NodeGetInfoResponse = |_| {
        v1::NodeGetInfoResponse {
            node_id: "node-of-the-driver".into(),
            ..Default::default()
        }
    };
    node_stage_volume NodeStageVolume NodeStageVolumeRequest NodeStageVolumeResponse =
        |_| Default::default();
    node_unstage_volume NodeUnstageVolume NodeUnstageVolumeRequest NodeUnstageVolumeResponse =
        |_| Default::default();
    node_publish_volume NodePublishVolume NodePublishVolumeRequest NodePublishVolumeResponse =
        |_| Default::default();
    node_unpublish_volume NodeUnpublishVolume NodeUnpublishVolumeRequest
        NodeUnpublishVolumeResponse = |_| Default::default();
    node_expand_volume NodeExpandVolume NodeExpandVolumeRequest NodeExpandVolumeResponse =
        |asked| v1::NodeExpandVolumeResponse {
            capacity_bytes: asked.capacity_range.map_or(0, |range| range.required_bytes),
        };
    node_get_volume_stats NodeGetVolumeStats NodeGetVolumeStatsRequest
        NodeGetVolumeStatsResponse = |_| Default::default();
    node_get_volume_health NodeGetVolumeHealth NodeGetVolumeHealthRequest
        NodeGetVolumeHealthResponse = |_| v1::NodeGetVolumeHealthResponse {
            volume_health: Some(v1::VolumeHealth::default()),
        };
} without {
    node_get_storage_health NodeGetStorageHealthRequest NodeGetStorageHealthResponse;
});
