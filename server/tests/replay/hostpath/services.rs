//! The services of the driver.

use super::storage::topology;
use super::{Driver, NODE};
use saddlebag::csi::v1;
use tonic::{Request, Response, Status};
use v1::{controller_server::Controller, identity_server::Identity, node_server::Node};

/// Writes a service: what each call is answered with, and the calls that are not there.
macro_rules! service {
    (
        $service:ident {
            $($method:ident $question:ident $answer:ident: |$driver:ident, $asked:ident| $usual:expr;)*
        }
        lacks { $($lacking:ident $lacking_question:ident $lacking_answer:ident;)* }
    ) => {
        #[tonic::async_trait]
        impl $service for Driver {
            $(
                async fn $method(
                    &self,
                    request: Request<v1::$question>,
                ) -> Result<Response<v1::$answer>, Status> {
                    let ($driver, $asked) = (self, request.into_inner());
                    Ok(Response::new($usual))
                }
            )*

            $(
                async fn $lacking(
                    &self,
                    _: Request<v1::$lacking_question>,
                ) -> Result<Response<v1::$lacking_answer>, Status> {
                    Err(Status::unimplemented("not recorded"))
                }
            )*
        }
    };
}

service!(Identity {
    probe ProbeRequest ProbeResponse: |_driver, _asked| v1::ProbeResponse::default();
    get_plugin_info GetPluginInfoRequest GetPluginInfoResponse: |_driver, _asked| {
        v1::GetPluginInfoResponse {
            name: "hostpath.csi.k8s.io".into(),
            vendor_version: "v1.18.0".into(),
            ..Default::default()
        }
    };
    get_plugin_capabilities GetPluginCapabilitiesRequest GetPluginCapabilitiesResponse:
        |_driver, _asked| {
            use v1::plugin_capability::{Service, Type};
            v1::GetPluginCapabilitiesResponse {
                // CONTROLLER_SERVICE, VOLUME_ACCESSIBILITY_CONSTRAINTS
                capabilities: [1, 2]
                    .map(|r#type| v1::PluginCapability {
                        r#type: Some(Type::Service(Service { r#type })),
                    })
                    .into(),
            }
        };
} lacks {});

service!(Controller {
    controller_get_capabilities ControllerGetCapabilitiesRequest ControllerGetCapabilitiesResponse:
        |_driver, _asked| {
            use v1::controller_service_capability::{Rpc, Type};
            // all that Nomad shows but PUBLISH_READONLY and LIST_VOLUMES_PUBLISHED_NODES
            v1::ControllerGetCapabilitiesResponse {
                capabilities: [1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13]
                    .map(|r#type| v1::ControllerServiceCapability {
                        r#type: Some(Type::Rpc(Rpc { r#type })),
                    })
                    .into(),
            }
        };
    create_volume CreateVolumeRequest CreateVolumeResponse:
        |driver, asked| driver.storage().create_volume(&asked)?;
    delete_volume DeleteVolumeRequest DeleteVolumeResponse: |driver, asked| {
        driver.storage().delete_volume(&asked.volume_id);
        v1::DeleteVolumeResponse::default()
    };
    controller_publish_volume ControllerPublishVolumeRequest ControllerPublishVolumeResponse:
        |driver, asked| driver.storage().publish(&asked)?;
    controller_unpublish_volume ControllerUnpublishVolumeRequest ControllerUnpublishVolumeResponse:
        |_driver, _asked| v1::ControllerUnpublishVolumeResponse::default();
    validate_volume_capabilities ValidateVolumeCapabilitiesRequest
        ValidateVolumeCapabilitiesResponse: |driver, asked| driver.storage().validate(asked)?;
    list_volumes ListVolumesRequest ListVolumesResponse:
        |driver, asked| driver.storage().list_volumes(&asked)?;
    create_snapshot CreateSnapshotRequest CreateSnapshotResponse:
        |driver, asked| driver.storage().create_snapshot(&asked)?;
    delete_snapshot DeleteSnapshotRequest DeleteSnapshotResponse: |driver, asked| {
        driver.storage().delete_snapshot(&asked.snapshot_id);
        v1::DeleteSnapshotResponse::default()
    };
    list_snapshots ListSnapshotsRequest ListSnapshotsResponse:
        |driver, asked| driver.storage().list_snapshots(&asked)?;
    controller_expand_volume ControllerExpandVolumeRequest ControllerExpandVolumeResponse:
        |driver, asked| driver.storage().expand(&asked)?;
} lacks {
    controller_get_volume ControllerGetVolumeRequest ControllerGetVolumeResponse;
    controller_list_volume_health ControllerListVolumeHealthRequest ControllerListVolumeHealthResponse;
    controller_get_volume_health ControllerGetVolumeHealthRequest ControllerGetVolumeHealthResponse;
    get_capacity GetCapacityRequest GetCapacityResponse;
    get_snapshot GetSnapshotRequest GetSnapshotResponse;
    controller_modify_volume ControllerModifyVolumeRequest ControllerModifyVolumeResponse;
});

service!(Node {
    node_get_capabilities NodeGetCapabilitiesRequest NodeGetCapabilitiesResponse:
        |_driver, _asked| {
            use v1::node_service_capability::{Rpc, Type};
            v1::NodeGetCapabilitiesResponse {
                capabilities: [1, 2, 3, 4, 5]
                    .map(|r#type| v1::NodeServiceCapability {
                        r#type: Some(Type::Rpc(Rpc { r#type })),
                    })
                    .into(),
            }
        };
    node_get_info NodeGetInfoRequest NodeGetInfoResponse: |_driver, _asked| v1::NodeGetInfoResponse {
        node_id: NODE.into(),
        accessible_topology: Some(topology()),
        ..Default::default()
    };
    node_stage_volume NodeStageVolumeRequest NodeStageVolumeResponse:
        |_driver, _asked| v1::NodeStageVolumeResponse::default();
    node_unstage_volume NodeUnstageVolumeRequest NodeUnstageVolumeResponse:
        |_driver, _asked| v1::NodeUnstageVolumeResponse::default();
    node_publish_volume NodePublishVolumeRequest NodePublishVolumeResponse:
        |_driver, _asked| v1::NodePublishVolumeResponse::default();
    node_unpublish_volume NodeUnpublishVolumeRequest NodeUnpublishVolumeResponse:
        |_driver, _asked| v1::NodeUnpublishVolumeResponse::default();
    node_expand_volume NodeExpandVolumeRequest NodeExpandVolumeResponse:
        |_driver, _asked| v1::NodeExpandVolumeResponse::default();
} lacks {
    node_get_volume_stats NodeGetVolumeStatsRequest NodeGetVolumeStatsResponse;
    node_get_volume_health NodeGetVolumeHealthRequest NodeGetVolumeHealthResponse;
    node_get_storage_health NodeGetStorageHealthRequest NodeGetStorageHealthResponse;
});
