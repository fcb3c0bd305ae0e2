//! What drivers announce about their Controller and Node services.
//!
//! These are stored and shown, so a field that an older row lacks reads as `false`; a capability that
//! is unknown here is ignored.

use super::v1;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use v1::{
    controller_service_capability::rpc::Type as Controller,
    node_service_capability::rpc::Type as Node,
};

/// Writes a struct of flags, each of which stands for one capability of the protocol.
macro_rules! capabilities {
    (
        $(#[$about:meta])*
        $name:ident of $message:ident, $kinds:ident {
            $($(#[$flag_about:meta])* $flag:ident = $kind:ident,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct $name {
            $($(#[$flag_about])* pub $flag: bool,)*
        }

        impl $name {
            pub(super) fn from_message(message: v1::$message) -> Self {
                let mut known = Self::default();
                for capability in message.capabilities {
                    match capability.rpc_type() {
                        Some($kinds::Unknown) | None => {}
                        $(Some($kinds::$kind) => known.$flag = true,)*
                    }
                }
                known
            }
        }
    };
}

capabilities! {
    /// What a Controller service can do: Nomad's twelve flags under Nomad's names, and what Nomad
    /// does not know.
    ControllerCapabilities of ControllerGetCapabilitiesResponse, Controller {
        /// PUBLISH_UNPUBLISH_VOLUME
        supports_attach_detach = PublishUnpublishVolume,
        /// CLONE_VOLUME
        supports_clone = CloneVolume,
        /// VOLUME_CONDITION (up to 1.12)
        supports_condition = VolumeCondition,
        /// CREATE_DELETE_VOLUME
        supports_create_delete = CreateDeleteVolume,
        /// CREATE_DELETE_SNAPSHOT
        supports_create_delete_snapshot = CreateDeleteSnapshot,
        /// EXPAND_VOLUME
        supports_expand = ExpandVolume,
        /// GET_VOLUME
        supports_get = GetVolume,
        /// GET_CAPACITY
        supports_get_capacity = GetCapacity,
        /// LIST_SNAPSHOTS
        supports_list_snapshots = ListSnapshots,
        /// LIST_VOLUMES
        supports_list_volumes = ListVolumes,
        /// LIST_VOLUMES_PUBLISHED_NODES
        supports_list_volumes_attached_nodes = ListVolumesPublishedNodes,
        /// PUBLISH_READONLY
        supports_read_only_attach = PublishReadonly,
        /// SINGLE_NODE_MULTI_WRITER
        supports_single_node_multi_writer = SingleNodeMultiWriter,
        /// MODIFY_VOLUME
        supports_modify = ModifyVolume,
        /// GET_SNAPSHOT
        supports_get_snapshot = GetSnapshot,
        /// GET_VOLUME_HEALTH (1.13)
        supports_get_health = GetVolumeHealth,
        /// LIST_VOLUME_HEALTH (1.13)
        supports_list_health = ListVolumeHealth,
    }
}

capabilities! {
    /// What a Node service can do: Nomad's flags under Nomad's names, and what Nomad does not know.
    NodeCapabilities of NodeGetCapabilitiesResponse, Node {
        /// STAGE_UNSTAGE_VOLUME
        requires_node_stage_volume = StageUnstageVolume,
        /// GET_VOLUME_STATS
        supports_stats = GetVolumeStats,
        /// EXPAND_VOLUME
        supports_expand = ExpandVolume,
        /// VOLUME_CONDITION (up to 1.12)
        supports_condition = VolumeCondition,
        /// SINGLE_NODE_MULTI_WRITER
        supports_single_node_multi_writer = SingleNodeMultiWriter,
        /// VOLUME_MOUNT_GROUP
        supports_mount_group = VolumeMountGroup,
        /// GET_VOLUME_HEALTH (1.13)
        supports_get_health = GetVolumeHealth,
        /// GET_STORAGE_HEALTH (1.13)
        supports_get_storage_health = GetStorageHealth,
    }
}

impl v1::ControllerServiceCapability {
    fn rpc_type(&self) -> Option<Controller> {
        let v1::controller_service_capability::Type::Rpc(rpc) = self.r#type.as_ref()?;
        Controller::try_from(rpc.r#type).ok()
    }
}

impl v1::NodeServiceCapability {
    fn rpc_type(&self) -> Option<Node> {
        let v1::node_service_capability::Type::Rpc(rpc) = self.r#type.as_ref()?;
        Node::try_from(rpc.r#type).ok()
    }
}
