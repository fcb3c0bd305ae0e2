//! CSI's node service: using volumes on this node.

mod publication;
mod staging;
mod statistics;

use super::{Driver, Handle, Refusal};
use crate::csi::v1::{
    node_server::Node,
    node_service_capability::{Rpc, Type, rpc},
    *,
};
use std::sync::Arc;
use tonic::{Request, Response, Status};

const CAPABILITIES: [rpc::Type; 7] = [
    rpc::Type::StageUnstageVolume,
    rpc::Type::GetVolumeStats,
    rpc::Type::ExpandVolume,
    rpc::Type::VolumeCondition,
    rpc::Type::SingleNodeMultiWriter,
    rpc::Type::GetVolumeHealth,
    rpc::Type::GetStorageHealth,
];

type Answer<A> = Result<Response<A>, Status>;

#[tonic::async_trait]
impl Node for Handle {
    async fn node_stage_volume(
        &self,
        request: Request<NodeStageVolumeRequest>,
    ) -> Answer<NodeStageVolumeResponse> {
        self.work(request, Driver::node_stage_volume).await
    }

    async fn node_unstage_volume(
        &self,
        request: Request<NodeUnstageVolumeRequest>,
    ) -> Answer<NodeUnstageVolumeResponse> {
        self.work(request, Driver::node_unstage_volume).await
    }

    async fn node_publish_volume(
        &self,
        request: Request<NodePublishVolumeRequest>,
    ) -> Answer<NodePublishVolumeResponse> {
        self.work(request, Driver::node_publish_volume).await
    }

    async fn node_unpublish_volume(
        &self,
        request: Request<NodeUnpublishVolumeRequest>,
    ) -> Answer<NodeUnpublishVolumeResponse> {
        self.work(request, Driver::node_unpublish_volume).await
    }

    async fn node_get_volume_stats(
        &self,
        request: Request<NodeGetVolumeStatsRequest>,
    ) -> Answer<NodeGetVolumeStatsResponse> {
        self.work(request, Driver::node_get_volume_stats).await
    }

    async fn node_get_volume_health(
        &self,
        request: Request<NodeGetVolumeHealthRequest>,
    ) -> Answer<NodeGetVolumeHealthResponse> {
        self.work(request, Driver::node_get_volume_health).await
    }

    async fn node_get_storage_health(
        &self,
        request: Request<NodeGetStorageHealthRequest>,
    ) -> Answer<NodeGetStorageHealthResponse> {
        self.work(request, Driver::node_get_storage_health).await
    }

    async fn node_expand_volume(
        &self,
        request: Request<NodeExpandVolumeRequest>,
    ) -> Answer<NodeExpandVolumeResponse> {
        self.tell(request, Driver::node_expand_volume)
    }

    async fn node_get_capabilities(
        &self,
        request: Request<NodeGetCapabilitiesRequest>,
    ) -> Answer<NodeGetCapabilitiesResponse> {
        self.tell(request, Driver::node_get_capabilities)
    }

    async fn node_get_info(
        &self,
        request: Request<NodeGetInfoRequest>,
    ) -> Answer<NodeGetInfoResponse> {
        self.tell(request, Driver::node_get_info)
    }
}

impl Driver {
    fn node_get_capabilities(
        self: &Arc<Self>,
        _: NodeGetCapabilitiesRequest,
    ) -> Result<NodeGetCapabilitiesResponse, Refusal> {
        let capability = |rpc: rpc::Type| NodeServiceCapability {
            r#type: Some(Type::Rpc(Rpc { r#type: rpc.into() })),
        };
        Ok(NodeGetCapabilitiesResponse {
            capabilities: CAPABILITIES.map(capability).into(),
        })
    }

    fn node_get_info(
        self: &Arc<Self>,
        _: NodeGetInfoRequest,
    ) -> Result<NodeGetInfoResponse, Refusal> {
        Ok(NodeGetInfoResponse {
            node_id: self.options.node_id.clone(),
            max_volumes_per_node: self.options.max_volumes_per_node.unwrap_or(0).into(),
            accessible_topology: Some(self.topology()),
        })
    }
}
