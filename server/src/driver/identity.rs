//! CSI's identity service: who this is and whether it is ready.

use super::{Driver, Handle, Refusal};
use crate::csi::v1::{
    GetPluginCapabilitiesRequest, GetPluginCapabilitiesResponse, GetPluginInfoRequest,
    GetPluginInfoResponse, PluginCapability, ProbeRequest, ProbeResponse,
    identity_server::Identity,
    plugin_capability::{Service, Type, VolumeExpansion, service, volume_expansion},
};
use std::sync::Arc;
use tonic::{Request, Response, Status};

const SERVICES: [service::Type; 2] = [
    service::Type::ControllerService,
    service::Type::VolumeAccessibilityConstraints,
];

#[tonic::async_trait]
impl Identity for Handle {
    async fn get_plugin_info(
        &self,
        request: Request<GetPluginInfoRequest>,
    ) -> Result<Response<GetPluginInfoResponse>, Status> {
        self.tell(request, Driver::plugin_info)
    }

    async fn get_plugin_capabilities(
        &self,
        request: Request<GetPluginCapabilitiesRequest>,
    ) -> Result<Response<GetPluginCapabilitiesResponse>, Status> {
        self.tell(request, Driver::plugin_capabilities)
    }

    async fn probe(
        &self,
        request: Request<ProbeRequest>,
    ) -> Result<Response<ProbeResponse>, Status> {
        self.work(request, Driver::probe).await
    }
}

impl Driver {
    fn plugin_info(
        self: &Arc<Self>,
        _: GetPluginInfoRequest,
    ) -> Result<GetPluginInfoResponse, Refusal> {
        let publishes_by = self.mounting.describe().to_owned();
        Ok(GetPluginInfoResponse {
            name: self.options.name.clone(),
            vendor_version: env!("CARGO_PKG_VERSION").into(),
            manifest: [("publishes_by".to_owned(), publishes_by)].into(),
        })
    }

    fn plugin_capabilities(
        self: &Arc<Self>,
        _: GetPluginCapabilitiesRequest,
    ) -> Result<GetPluginCapabilitiesResponse, Refusal> {
        let services = SERVICES.map(|service| {
            Type::Service(Service {
                r#type: service.into(),
            })
        });
        let expansion = Type::VolumeExpansion(VolumeExpansion {
            r#type: volume_expansion::Type::Online.into(),
        });
        let capability = |r#type| PluginCapability {
            r#type: Some(r#type),
        };
        Ok(GetPluginCapabilitiesResponse {
            capabilities: services
                .into_iter()
                .chain([expansion])
                .map(capability)
                .collect(),
        })
    }

    /// Ready while the root is reachable.
    fn probe(self: &Arc<Self>, _: ProbeRequest) -> Result<ProbeResponse, Refusal> {
        match self.storage_ailments().into_iter().next() {
            Some(ailment) if ailment.reason == "RootUnreachable" => {
                Err(Refusal::Precondition(ailment.message))
            }
            _ => Ok(ProbeResponse { ready: Some(true) }),
        }
    }
}
