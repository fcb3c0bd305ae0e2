//! Answers that announce capabilities by their numbers, unknown ones too.

use saddlebag::csi::v1;

/// An answer to `GetPluginCapabilities` that announces services by their numbers.
pub fn plugin_capabilities(services: &[i32]) -> v1::GetPluginCapabilitiesResponse {
    use v1::plugin_capability::{Service, Type};
    v1::GetPluginCapabilitiesResponse {
        capabilities: services
            .iter()
            .map(|&r#type| v1::PluginCapability {
                r#type: Some(Type::Service(Service { r#type })),
            })
            .collect(),
    }
}

/// An answer to `ControllerGetCapabilities` that announces calls by their numbers.
pub fn controller_capabilities(calls: &[i32]) -> v1::ControllerGetCapabilitiesResponse {
    use v1::controller_service_capability::{Rpc, Type};
    v1::ControllerGetCapabilitiesResponse {
        capabilities: calls
            .iter()
            .map(|&r#type| v1::ControllerServiceCapability {
                r#type: Some(Type::Rpc(Rpc { r#type })),
            })
            .collect(),
    }
}

/// An answer to `NodeGetCapabilities` that announces calls by their numbers.
pub fn node_capabilities(calls: &[i32]) -> v1::NodeGetCapabilitiesResponse {
    use v1::node_service_capability::{Rpc, Type};
    v1::NodeGetCapabilitiesResponse {
        capabilities: calls
            .iter()
            .map(|&r#type| v1::NodeServiceCapability {
                r#type: Some(Type::Rpc(Rpc { r#type })),
            })
            .collect(),
    }
}
