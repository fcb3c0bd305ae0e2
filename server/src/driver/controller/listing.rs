//! Lists of volumes and snapshots, the health of volumes, and what room is left.

use super::volume::{required, signed};
use crate::{
    csi::v1::{
        ControllerGetVolumeHealthRequest, ControllerGetVolumeHealthResponse,
        ControllerGetVolumeRequest, ControllerGetVolumeResponse, ControllerListVolumeHealthRequest,
        ControllerListVolumeHealthResponse, GetCapacityRequest, GetCapacityResponse,
        ListSnapshotsRequest, ListSnapshotsResponse, ListVolumesRequest, ListVolumesResponse,
        controller_get_volume_response, list_snapshots_response, list_volumes_response,
    },
    driver::{
        Driver, Refusal,
        capability::contents_for,
        page::{Page, Paging},
        record::{Record, Snapshot, Volume},
    },
};
use std::sync::Arc;

impl Driver {
    pub(super) fn list_volumes(
        self: &Arc<Self>,
        request: ListVolumesRequest,
    ) -> Result<ListVolumesResponse, Refusal> {
        let page = self.page_of_volumes(request.max_entries, request.starting_token)?;
        let entry = |volume: &Arc<Volume>| list_volumes_response::Entry {
            volume: Some(self.describe(volume)),
            status: Some(list_volumes_response::VolumeStatus {
                published_node_ids: nodes(volume),
                volume_condition: Some(self.ailments(volume).condition()),
            }),
        };
        Ok(ListVolumesResponse {
            entries: page.records.iter().map(entry).collect(),
            next_token: page.next_token,
        })
    }

    fn page_of_volumes(&self, max_entries: i32, token: String) -> Result<Page<Volume>, Refusal> {
        let paging = Paging::parse::<Volume>(max_entries, token)?;
        Ok(paging.of(&self.inventory.tables().volumes, |_| true))
    }

    pub(super) fn controller_get_volume(
        self: &Arc<Self>,
        request: ControllerGetVolumeRequest,
    ) -> Result<ControllerGetVolumeResponse, Refusal> {
        let volume = self.known_volume(&required("volume_id", request.volume_id)?)?;
        Ok(ControllerGetVolumeResponse {
            volume: Some(self.describe(&volume)),
            status: Some(controller_get_volume_response::VolumeStatus {
                published_node_ids: nodes(&volume),
                volume_condition: Some(self.ailments(&volume).condition()),
            }),
        })
    }

    pub(super) fn controller_get_volume_health(
        self: &Arc<Self>,
        request: ControllerGetVolumeHealthRequest,
    ) -> Result<ControllerGetVolumeHealthResponse, Refusal> {
        let volume = self.known_volume(&required("volume_id", request.volume_id)?)?;
        Ok(ControllerGetVolumeHealthResponse {
            volume_health: Some(self.ailments(&volume).into_health(&volume.id)),
        })
    }

    /// Only volumes with something wrong are listed (CSI: SHOULD), so pages are of those.
    pub(super) fn controller_list_volume_health(
        self: &Arc<Self>,
        request: ControllerListVolumeHealthRequest,
    ) -> Result<ControllerListVolumeHealthResponse, Refusal> {
        let paging = Paging::parse::<Volume>(request.max_entries, request.starting_token)?;
        let all = self.page_of_volumes(0, String::new())?;
        let ill = |volume: &Arc<Volume>| {
            let ailments = self.ailments(volume);
            (!ailments.is_empty()).then(|| (volume.clone(), ailments.into_health(&volume.id)))
        };
        let ill: Vec<_> = all.records.iter().filter_map(ill).collect();
        let (entries, next_token) = paging.cut(ill, |(volume, _)| volume.id());
        Ok(ControllerListVolumeHealthResponse {
            entries: entries.into_iter().map(|(_, health)| health).collect(),
            next_token,
        })
    }

    pub(super) fn list_snapshots(
        self: &Arc<Self>,
        request: ListSnapshotsRequest,
    ) -> Result<ListSnapshotsResponse, Refusal> {
        let paging = Paging::parse::<Snapshot>(request.max_entries, request.starting_token)?;
        let asked = |filter: &str, value: &str| filter.is_empty() || filter == value;
        let page = paging.of(&self.inventory.tables().snapshots, |snapshot| {
            asked(&request.snapshot_id, &snapshot.id)
                && asked(&request.source_volume_id, &snapshot.source_volume_id)
        });
        let entry = |snapshot: &Arc<Snapshot>| list_snapshots_response::Entry {
            snapshot: Some(self.describe_snapshot(snapshot)),
        };
        Ok(ListSnapshotsResponse {
            entries: page.records.iter().map(entry).collect(),
            next_token: page.next_token,
        })
    }

    /// What cannot be made here has no room: other topologies, unsupported capabilities.
    pub(super) fn get_capacity(
        self: &Arc<Self>,
        request: GetCapacityRequest,
    ) -> Result<GetCapacityResponse, Refusal> {
        let here = request
            .accessible_topology
            .as_ref()
            .is_none_or(|asked| self.is_in(asked));
        let capabilities = &request.volume_capabilities;
        let supported = capabilities.is_empty() || contents_for(capabilities).is_ok();
        let available = if here && supported {
            self.free_bytes()?
        } else {
            0
        };
        Ok(GetCapacityResponse {
            available_capacity: signed(available),
            maximum_volume_size: self.options.max_volume_bytes.map(signed),
            minimum_volume_size: Some(1),
        })
    }
}

fn nodes(volume: &Volume) -> Vec<String> {
    volume.attachments.keys().cloned().collect()
}
