//! Operations in the tables: those under way, which lock their subject, and those that ended.

use super::{State, Stored, Touched};
use crate::id::VolumeKey;
use crate::operation::{Kind, Operation, Subject};
use std::sync::Arc;

impl State {
    pub(super) fn put_operation(&mut self, stored: Stored<Operation>, touched: &mut Touched) {
        let operation = &stored.row;
        touched.operations.insert(operation.id);
        if !operation.progress.has_ended() {
            let known = self.doing.insert(operation.subject.clone(), operation.id);
            touched.volumes.extend(
                operation
                    .volume()
                    .filter(|_| known.is_none() && operation.kind == Kind::Delete)
                    .cloned(),
            );
        }
        self.operations.insert(operation.id, Arc::new(stored));
    }

    /// Forgets that an operation on this volume is under way.
    pub(super) fn remove_doing(&mut self, volume: VolumeKey, touched: &mut Touched) {
        if self.is_being_deleted(&volume) {
            touched.volumes.insert(volume.clone());
        }
        self.doing.remove(&Subject::Volume(volume));
    }
}
