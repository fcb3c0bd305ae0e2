//! What the driver says of itself.

use saddlebag::csi::v1;
use v1::controller_service_capability::rpc::Type as Controller;
use v1::node_service_capability::rpc::Type as Node;

pub fn plugin() -> v1::GetPluginCapabilitiesResponse {
    use v1::plugin_capability::{Service, Type, VolumeExpansion, service, volume_expansion};
    let service = Type::Service(Service {
        r#type: service::Type::ControllerService.into(),
    });
    let growth = Type::VolumeExpansion(VolumeExpansion {
        r#type: volume_expansion::Type::Online.into(),
    });
    let announce = |r#type| v1::PluginCapability {
        r#type: Some(r#type),
    };
    v1::GetPluginCapabilitiesResponse {
        capabilities: [service, growth].map(announce).into(),
    }
}

pub fn controller() -> v1::ControllerGetCapabilitiesResponse {
    use v1::controller_service_capability::{Rpc, Type};
    let announce = |rpc: Controller| v1::ControllerServiceCapability {
        r#type: Some(Type::Rpc(Rpc { r#type: rpc.into() })),
    };
    let all = [
        Controller::CreateDeleteVolume,
        Controller::PublishUnpublishVolume,
        Controller::ListVolumes,
        Controller::CreateDeleteSnapshot,
        Controller::ListSnapshots,
        Controller::PublishReadonly,
        Controller::ExpandVolume,
        Controller::ListVolumesPublishedNodes,
        Controller::SingleNodeMultiWriter,
    ];
    v1::ControllerGetCapabilitiesResponse {
        capabilities: all.map(announce).into(),
    }
}

pub fn node() -> v1::NodeGetCapabilitiesResponse {
    use v1::node_service_capability::{Rpc, Type};
    let announce = |rpc: Node| v1::NodeServiceCapability {
        r#type: Some(Type::Rpc(Rpc { r#type: rpc.into() })),
    };
    let all = [
        Node::StageUnstageVolume,
        Node::ExpandVolume,
        Node::SingleNodeMultiWriter,
    ];
    v1::NodeGetCapabilitiesResponse {
        capabilities: all.map(announce).into(),
    }
}
