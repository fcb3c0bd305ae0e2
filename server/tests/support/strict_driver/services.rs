//! The services of the driver.

use super::call::Subject;
use super::process::Order;
use super::{Shared, announced};
use saddlebag::csi::{Call, v1};
use std::collections::HashMap;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};
use v1::{controller_server::Controller, identity_server::Identity, node_server::Node};

/// The services of one process.
#[derive(Clone)]
pub struct Beside {
    pub shared: Shared,
    pub node: String,
    pub process: mpsc::UnboundedSender<Order>,
}

/// Its Controller service.
#[derive(Clone)]
pub struct Controls(pub Beside);

fn at_controller(name: &str) -> Subject {
    Subject {
        node: None,
        name: name.to_owned(),
    }
}

#[tonic::async_trait]
impl Identity for Beside {
    async fn probe(
        &self,
        _: Request<v1::ProbeRequest>,
    ) -> Result<Response<v1::ProbeResponse>, Status> {
        Ok(Response::new(v1::ProbeResponse { ready: Some(true) }))
    }

    async fn get_plugin_info(
        &self,
        _: Request<v1::GetPluginInfoRequest>,
    ) -> Result<Response<v1::GetPluginInfoResponse>, Status> {
        Ok(Response::new(v1::GetPluginInfoResponse {
            name: "strict.example".into(),
            vendor_version: "1".into(),
            manifest: HashMap::new(),
        }))
    }

    async fn get_plugin_capabilities(
        &self,
        _: Request<v1::GetPluginCapabilitiesRequest>,
    ) -> Result<Response<v1::GetPluginCapabilitiesResponse>, Status> {
        Ok(Response::new(announced::plugin()))
    }
}

/// Writes the methods of a service: those that change something, those that are answered at once, and
/// those that are not offered.
macro_rules! service {
    (
        $service:ident for $implementor:ty;
        changes { $($change:ident $call:ident $question:ident $answer:ident:
            |$self:ident, $asked:ident| $subject:expr => $act:expr;)* }
        answers { $($question_only:ident $asking:ident $answering:ident:
            |$of:ident, $its:ident| $told:expr;)* }
        lacks { $($lacking:ident $lacking_question:ident $lacking_answer:ident;)* }
    ) => {
        #[tonic::async_trait]
        impl $service for $implementor {
            $(async fn $change(
                &$self,
                request: Request<v1::$question>,
            ) -> Result<Response<v1::$answer>, Status> {
                let $asked = request.into_inner();
                let subject = $subject;
                $self.beside().change(Call::$call, subject, $asked, $act).await
            })*

            $(async fn $question_only(
                &$of,
                request: Request<v1::$asking>,
            ) -> Result<Response<v1::$answering>, Status> {
                let $its = request.into_inner();
                Ok(Response::new($told))
            })*

            $(async fn $lacking(
                &self,
                _: Request<v1::$lacking_question>,
            ) -> Result<Response<v1::$lacking_answer>, Status> {
                Err(Status::unimplemented("not offered"))
            })*
        }
    };
}

impl Controls {
    fn beside(&self) -> &Beside {
        &self.0
    }

    fn list(&self) -> v1::ListVolumesResponse {
        let storage = self.0.shared.storage();
        let entry = |(id, disk): (&String, &super::Disk)| v1::list_volumes_response::Entry {
            volume: Some(v1::Volume {
                volume_id: id.clone(),
                capacity_bytes: disk.bytes,
                ..v1::Volume::default()
            }),
            status: Some(v1::list_volumes_response::VolumeStatus {
                published_node_ids: disk.published.keys().cloned().collect(),
                ..Default::default()
            }),
        };
        v1::ListVolumesResponse {
            entries: storage.disks.iter().map(entry).collect(),
            next_token: String::new(),
        }
    }

    fn list_snapshots_of(&self, asked: &v1::ListSnapshotsRequest) -> v1::ListSnapshotsResponse {
        let storage = self.0.shared.storage();
        let is_wanted = |id: &String, source: &String| {
            (asked.snapshot_id.is_empty() || asked.snapshot_id == *id)
                && (asked.source_volume_id.is_empty() || asked.source_volume_id == *source)
        };
        let wanted = storage
            .snapshots
            .iter()
            .filter(|(id, (source, _))| is_wanted(id, source));
        v1::ListSnapshotsResponse {
            entries: wanted
                .map(|(id, _)| v1::list_snapshots_response::Entry {
                    snapshot: Some(storage.snapshot(id)),
                })
                .collect(),
            next_token: String::new(),
        }
    }
}

impl Beside {
    fn beside(&self) -> &Self {
        self
    }

    fn here(&self, name: &str) -> Subject {
        Subject {
            node: Some(self.node.clone()),
            name: name.to_owned(),
        }
    }
}

service! {
    Controller for Controls;
    changes {
    create_volume CreateVolume CreateVolumeRequest CreateVolumeResponse:
        |self, asked| at_controller(&asked.name) => |storage, asked| storage.create_volume(asked);
    delete_volume DeleteVolume DeleteVolumeRequest DeleteVolumeResponse:
        |self, asked| at_controller(&asked.volume_id) => |storage, asked| storage.delete_volume(asked);
    controller_publish_volume ControllerPublishVolume ControllerPublishVolumeRequest
        ControllerPublishVolumeResponse:
        |self, asked| at_controller(&asked.volume_id) => |storage, asked| storage.controller_publish(asked);
    controller_unpublish_volume ControllerUnpublishVolume ControllerUnpublishVolumeRequest
        ControllerUnpublishVolumeResponse:
        |self, asked| at_controller(&asked.volume_id) => |storage, asked| storage.controller_unpublish(asked);
    controller_expand_volume ControllerExpandVolume ControllerExpandVolumeRequest
        ControllerExpandVolumeResponse:
        |self, asked| at_controller(&asked.volume_id) => |storage, asked| storage.controller_expand(asked);
    create_snapshot CreateSnapshot CreateSnapshotRequest CreateSnapshotResponse:
        |self, asked| at_controller(&asked.source_volume_id) => |storage, asked| storage.create_snapshot(asked);
    delete_snapshot DeleteSnapshot DeleteSnapshotRequest DeleteSnapshotResponse:
        |self, asked| at_controller(&asked.snapshot_id) => |storage, asked| storage.delete_snapshot(asked);
    }
    answers {
    controller_get_capabilities ControllerGetCapabilitiesRequest ControllerGetCapabilitiesResponse:
        |self, _asked| announced::controller();
    validate_volume_capabilities ValidateVolumeCapabilitiesRequest
        ValidateVolumeCapabilitiesResponse: |self, asked| {
            if !self.0.shared.storage().disks.contains_key(&asked.volume_id) {
                return Err(Status::not_found("there is no such volume"));
            }
            v1::ValidateVolumeCapabilitiesResponse {
                confirmed: Some(v1::validate_volume_capabilities_response::Confirmed {
                    volume_context: asked.volume_context,
                    volume_capabilities: asked.volume_capabilities,
                    parameters: asked.parameters,
                    ..Default::default()
                }),
                message: String::new(),
            }
        };
    list_volumes ListVolumesRequest ListVolumesResponse: |self, _asked| self.list();
    list_snapshots ListSnapshotsRequest ListSnapshotsResponse:
        |self, asked| self.list_snapshots_of(&asked);
    }
    lacks {
    controller_get_volume ControllerGetVolumeRequest ControllerGetVolumeResponse;
    controller_list_volume_health ControllerListVolumeHealthRequest ControllerListVolumeHealthResponse;
    controller_get_volume_health ControllerGetVolumeHealthRequest ControllerGetVolumeHealthResponse;
    get_capacity GetCapacityRequest GetCapacityResponse;
    get_snapshot GetSnapshotRequest GetSnapshotResponse;
    controller_modify_volume ControllerModifyVolumeRequest ControllerModifyVolumeResponse;
    }
}

service! {
    Node for Beside;
    changes {
    node_stage_volume NodeStageVolume NodeStageVolumeRequest NodeStageVolumeResponse:
        |self, asked| self.here(&asked.volume_id) => {
            let node = self.node.clone();
            move |storage, asked| storage.stage(&node, asked)
        };
    node_unstage_volume NodeUnstageVolume NodeUnstageVolumeRequest NodeUnstageVolumeResponse:
        |self, asked| self.here(&asked.volume_id) => {
            let node = self.node.clone();
            move |storage, asked| storage.unstage(&node, asked)
        };
    node_publish_volume NodePublishVolume NodePublishVolumeRequest NodePublishVolumeResponse:
        |self, asked| self.here(&asked.volume_id) => {
            let node = self.node.clone();
            move |storage, asked| storage.publish(&node, asked)
        };
    node_unpublish_volume NodeUnpublishVolume NodeUnpublishVolumeRequest
        NodeUnpublishVolumeResponse:
        |self, asked| self.here(&asked.volume_id) => {
            let node = self.node.clone();
            move |storage, asked| storage.unpublish(&node, asked)
        };
    node_expand_volume NodeExpandVolume NodeExpandVolumeRequest NodeExpandVolumeResponse:
        |self, asked| self.here(&asked.volume_id) => {
            let node = self.node.clone();
            move |storage, asked| storage.expand(&node, asked)
        };
    }
    answers {
    node_get_capabilities NodeGetCapabilitiesRequest NodeGetCapabilitiesResponse:
        |self, _asked| announced::node();
    node_get_info NodeGetInfoRequest NodeGetInfoResponse: |self, _asked| v1::NodeGetInfoResponse {
        node_id: self.node.clone(),
        ..Default::default()
    };
    }
    lacks {
    node_get_volume_stats NodeGetVolumeStatsRequest NodeGetVolumeStatsResponse;
    node_get_volume_health NodeGetVolumeHealthRequest NodeGetVolumeHealthResponse;
    node_get_storage_health NodeGetStorageHealthRequest NodeGetStorageHealthResponse;
    }
}
