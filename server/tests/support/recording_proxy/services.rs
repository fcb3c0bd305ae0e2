//! The three services, handed on call by call.

use super::Forward;
use super::order::{Step, What};
use saddlebag::csi::{Call, v1};
use tonic::{Request, Response, Status};
use v1::{controller_server::Controller, identity_server::Identity, node_server::Node};

/// What a call does to a volume, if it does anything that has an order.
trait Ordered {
    fn step(&self) -> Option<Step> {
        None
    }
}

/// Writes a service: each call is handed on to a client's call of the same name.
macro_rules! service {
    ($service:ident by $client:ident {
        $($method:ident $call:ident $question:ident $answer:ident;)*
    } without { $($unknown:ident $unknown_question:ident $unknown_answer:ident;)* }) => {
        #[tonic::async_trait]
        impl $service for Forward {
            $(
                async fn $method(
                    &self,
                    request: Request<v1::$question>,
                ) -> Result<Response<v1::$answer>, Status> {
                    let question = request.into_inner();
                    let step = question.step();
                    step.iter().for_each(|step| self.record.begin(step));
                    let answer = self.$client.clone().$method(question).await;
                    let answered = answer.as_ref().map(|_| ());
                    self.record.end(Call::$call, step.as_ref(), answered);
                    answer
                }
            )*

            $(
                async fn $unknown(
                    &self,
                    _: Request<v1::$unknown_question>,
                ) -> Result<Response<v1::$unknown_answer>, Status> {
                    Err(Status::unimplemented("no driver behind this proxy has it"))
                }
            )*
        }
    };
}

service!(Identity by identity {
    probe Probe ProbeRequest ProbeResponse;
    get_plugin_info GetPluginInfo GetPluginInfoRequest GetPluginInfoResponse;
    get_plugin_capabilities GetPluginCapabilities GetPluginCapabilitiesRequest
        GetPluginCapabilitiesResponse;
} without {});

service!(Controller by controller {
    controller_get_capabilities ControllerGetCapabilities ControllerGetCapabilitiesRequest
        ControllerGetCapabilitiesResponse;
    create_volume CreateVolume CreateVolumeRequest CreateVolumeResponse;
    delete_volume DeleteVolume DeleteVolumeRequest DeleteVolumeResponse;
    controller_publish_volume ControllerPublishVolume ControllerPublishVolumeRequest
        ControllerPublishVolumeResponse;
    controller_unpublish_volume ControllerUnpublishVolume ControllerUnpublishVolumeRequest
        ControllerUnpublishVolumeResponse;
    validate_volume_capabilities ValidateVolumeCapabilities ValidateVolumeCapabilitiesRequest
        ValidateVolumeCapabilitiesResponse;
    list_volumes ListVolumes ListVolumesRequest ListVolumesResponse;
    controller_get_volume ControllerGetVolume ControllerGetVolumeRequest
        ControllerGetVolumeResponse;
    get_capacity GetCapacity GetCapacityRequest GetCapacityResponse;
    create_snapshot CreateSnapshot CreateSnapshotRequest CreateSnapshotResponse;
    delete_snapshot DeleteSnapshot DeleteSnapshotRequest DeleteSnapshotResponse;
    list_snapshots ListSnapshots ListSnapshotsRequest ListSnapshotsResponse;
    controller_expand_volume ControllerExpandVolume ControllerExpandVolumeRequest
        ControllerExpandVolumeResponse;
} without {
    controller_modify_volume ControllerModifyVolumeRequest ControllerModifyVolumeResponse;
    get_snapshot GetSnapshotRequest GetSnapshotResponse;
    controller_list_volume_health ControllerListVolumeHealthRequest
        ControllerListVolumeHealthResponse;
    controller_get_volume_health ControllerGetVolumeHealthRequest
        ControllerGetVolumeHealthResponse;
});

service!(Node by node {
    node_get_capabilities NodeGetCapabilities NodeGetCapabilitiesRequest
        NodeGetCapabilitiesResponse;
    node_get_info NodeGetInfo NodeGetInfoRequest NodeGetInfoResponse;
    node_stage_volume NodeStageVolume NodeStageVolumeRequest NodeStageVolumeResponse;
    node_unstage_volume NodeUnstageVolume NodeUnstageVolumeRequest NodeUnstageVolumeResponse;
    node_publish_volume NodePublishVolume NodePublishVolumeRequest NodePublishVolumeResponse;
    node_unpublish_volume NodeUnpublishVolume NodeUnpublishVolumeRequest
        NodeUnpublishVolumeResponse;
    node_expand_volume NodeExpandVolume NodeExpandVolumeRequest NodeExpandVolumeResponse;
    node_get_volume_stats NodeGetVolumeStats NodeGetVolumeStatsRequest NodeGetVolumeStatsResponse;
} without {
    node_get_volume_health NodeGetVolumeHealthRequest NodeGetVolumeHealthResponse;
    node_get_storage_health NodeGetStorageHealthRequest NodeGetStorageHealthResponse;
});

/// Says which steps calls are, and which calls are none.
macro_rules! steps {
    (none: $($none:ident)*; $($question:ident = |$asked:ident| $what:expr;)*) => {
        $(impl Ordered for v1::$none {})*
        $(
            impl Ordered for v1::$question {
                fn step(&self) -> Option<Step> {
                    let $asked = self;
                    Some(Step { volume: $asked.volume_id.clone(), what: $what })
                }
            }
        )*
    };
}

steps! {
    none: ProbeRequest GetPluginInfoRequest GetPluginCapabilitiesRequest
        ControllerGetCapabilitiesRequest CreateVolumeRequest ValidateVolumeCapabilitiesRequest
        ListVolumesRequest ControllerGetVolumeRequest GetCapacityRequest CreateSnapshotRequest
        DeleteSnapshotRequest ListSnapshotsRequest ControllerExpandVolumeRequest
        NodeGetCapabilitiesRequest NodeGetInfoRequest NodeGetVolumeStatsRequest;
    DeleteVolumeRequest = |asked| What::Delete;
    ControllerPublishVolumeRequest = |asked| What::Attach { node: asked.node_id.clone() };
    ControllerUnpublishVolumeRequest = |asked| What::Detach { node: asked.node_id.clone() };
    NodeStageVolumeRequest = |asked| What::Stage { path: asked.staging_target_path.clone() };
    NodeUnstageVolumeRequest = |asked| What::Unstage { path: asked.staging_target_path.clone() };
    NodePublishVolumeRequest = |asked| What::Publish {
        staging: asked.staging_target_path.clone(),
        target: asked.target_path.clone(),
    };
    NodeUnpublishVolumeRequest = |asked| What::Unpublish { target: asked.target_path.clone() };
    NodeExpandVolumeRequest = |asked| What::ExpandOnNode { path: asked.volume_path.clone() };
}
