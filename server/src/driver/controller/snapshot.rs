//! Snapshots: full copies of a volume's content, independent of it from then on.
//!
//! A snapshot is of one instant only if nobody writes to the volume meanwhile.

use super::{
    creation::{fill, flush},
    volume::{required, signed},
};
use crate::{
    csi::v1::{
        self, CreateSnapshotRequest, CreateSnapshotResponse, DeleteSnapshotRequest,
        DeleteSnapshotResponse, GetSnapshotRequest, GetSnapshotResponse,
    },
    driver::{
        Driver, Refusal, parameters,
        pending::Subject,
        record::{Record, Snapshot, Volume},
        refusal::Doing,
        root,
    },
};
use std::{path::Path, sync::Arc, time::SystemTime};

impl Driver {
    pub(super) fn create_snapshot(
        self: &Arc<Self>,
        request: CreateSnapshotRequest,
    ) -> Result<CreateSnapshotResponse, Refusal> {
        let name = parameters::name(request.name)?;
        let source = required("source_volume_id", request.source_volume_id)?;
        parameters::parse("parameters", request.parameters)?;
        let _turn = self.pending.hold(Subject::SnapshotNamed(name.clone()))?;
        if let Some(snapshot) = self.snapshot_named(&name)? {
            if snapshot.source_volume_id != source {
                return Err(Refusal::Exists {
                    what: format!("a snapshot named {name:?}"),
                    difference: format!("volume {} as its source", snapshot.source_volume_id),
                });
            }
            return Ok(self.snapshot_created(&snapshot));
        }
        self.check_topology(request.accessibility_requirements.as_ref())?;
        let _pin = self.pending.pin(Subject::Volume(source.clone()))?;
        let volume = self.known_volume(&source)?;
        let _reserved = self.reserve(volume.bytes)?;
        let snapshot = self.cut(name, &volume)?;
        let answer = self.snapshot_created(&snapshot);
        self.inventory.tables().snapshots.put(snapshot);
        Ok(answer)
    }

    /// The snapshot of a name, unless it is just being deleted.
    fn snapshot_named(&self, name: &str) -> Result<Option<Arc<Snapshot>>, Refusal> {
        let Some(snapshot) = self.inventory.tables().snapshots.named(name) else {
            return Ok(None);
        };
        let _pin = self.pending.pin(Subject::Snapshot(snapshot.id.clone()))?;
        Ok(self.inventory.snapshot(&snapshot.id))
    }

    fn cut(&self, name: String, volume: &Volume) -> Result<Snapshot, Refusal> {
        let id = Snapshot::new_id(&self.options.chance);
        let draft = self.root.draft(&id)?;
        let snapshot = Snapshot {
            id,
            name,
            source_volume_id: volume.id.clone(),
            bytes: volume.bytes,
            contents: volume.contents.clone(),
            taken: self.taken_now(draft.path())?,
        };
        for content in &volume.contents {
            let copy = draft.path().join(content.entry());
            fill(*content, &self.content_path(volume, *content), &copy)?;
        }
        flush(draft.path(), true)?;
        self.root.keep(draft, &snapshot)?;
        Ok(snapshot)
    }

    /// What time it is for a snapshot whose directory was just made.
    fn taken_now(&self, directory: &Path) -> Result<(i64, i32), Refusal> {
        match &self.options.clock {
            Some(clock) => {
                let now = clock.now();
                Ok((now.as_second(), now.subsec_nanosecond()))
            }
            None => made_at(directory),
        }
    }

    fn snapshot_created(&self, snapshot: &Snapshot) -> CreateSnapshotResponse {
        CreateSnapshotResponse {
            snapshot: Some(self.describe_snapshot(snapshot)),
        }
    }

    /// A snapshot as CSI shows it. It exists only once it is complete, so it is always ready.
    pub(super) fn describe_snapshot(&self, snapshot: &Snapshot) -> v1::Snapshot {
        let (seconds, nanos) = snapshot.taken;
        v1::Snapshot {
            size_bytes: signed(snapshot.bytes),
            snapshot_id: snapshot.id.clone(),
            source_volume_id: snapshot.source_volume_id.clone(),
            creation_time: Some(prost_types::Timestamp { seconds, nanos }),
            ready_to_use: true,
            group_snapshot_id: String::new(),
            accessible_topology: Vec::new(),
        }
    }

    pub(super) fn delete_snapshot(
        self: &Arc<Self>,
        request: DeleteSnapshotRequest,
    ) -> Result<DeleteSnapshotResponse, Refusal> {
        let id = required("snapshot_id", request.snapshot_id)?;
        let _turn = self.pending.hold_alone(Subject::Snapshot(id.clone()))?;
        if self.inventory.snapshot(&id).is_some() {
            let leftover = self.root.discard::<Snapshot>(&id)?;
            self.inventory.tables().snapshots.remove(&id);
            root::erase(&leftover);
        }
        Ok(DeleteSnapshotResponse {})
    }

    pub(super) fn get_snapshot(
        self: &Arc<Self>,
        request: GetSnapshotRequest,
    ) -> Result<GetSnapshotResponse, Refusal> {
        let id = required("snapshot_id", request.snapshot_id)?;
        let snapshot = self.known_snapshot(&id)?;
        Ok(GetSnapshotResponse {
            snapshot: Some(self.describe_snapshot(&snapshot)),
        })
    }

    /// The snapshot of an id, or CSI's `NOT_FOUND`.
    pub(super) fn known_snapshot(&self, id: &str) -> Result<Arc<Snapshot>, Refusal> {
        let snapshot = self.inventory.snapshot(id);
        snapshot.ok_or_else(|| Refusal::NoSnapshot(id.into()))
    }
}

/// When a fresh directory was made, by the clock of its file system.
fn made_at(directory: &Path) -> Result<(i64, i32), Refusal> {
    let time = std::fs::metadata(directory)
        .and_then(|metadata| metadata.modified())
        .doing("look at", directory)?;
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Ok((
        signed(since.as_secs()),
        i32::try_from(since.subsec_nanos()).unwrap_or(0),
    ))
}
