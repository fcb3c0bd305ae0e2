//! Operations in the tables: those under way, which lock their subject, and those that ended.

use super::claims::forget;
use super::{State, Stored, Touched};
use crate::id::{ExternalId, PluginId};
use crate::operation::{Kind, Operation, Subject};
use std::sync::Arc;

impl State {
    pub(super) fn put_operation(&mut self, stored: Stored<Operation>, touched: &mut Touched) {
        let operation = &stored.row;
        touched.operations.insert(operation.id);
        if !operation.progress.has_ended() {
            let known = self.doing.insert(operation.subject.clone(), operation.id);
            if known.is_none() {
                *self.doing_of.entry(operation.plugin.clone()).or_default() += 1;
            }
            if let Some(at) = backing(operation) {
                self.doing_at.entry(at).or_default().insert(operation.id);
            }
            touched.volumes.extend(
                operation
                    .volume()
                    .filter(|_| known.is_none() && operation.kind == Kind::Delete)
                    .cloned(),
            );
        }
        self.operations.insert(operation.id, Arc::new(stored));
    }

    /// Forgets that an operation is under way on this subject.
    pub(super) fn remove_doing(&mut self, subject: &Subject, touched: &mut Touched) {
        if let Subject::Volume(volume) = subject
            && self.is_being_deleted(volume)
        {
            touched.volumes.insert(volume.clone());
        }
        let Some(id) = self.doing.remove(subject) else {
            return;
        };
        let Some(operation) = self.operations.get(&id) else {
            return;
        };
        let plugin = &operation.row.plugin;
        match self.doing_of.get(plugin).copied().unwrap_or(0) {
            0 | 1 => self.doing_of.remove(plugin),
            more => self.doing_of.insert(plugin.clone(), more - 1),
        };
        if let Some(at) = backing(&operation.row) {
            forget(&mut self.doing_at, &at, &id);
        }
    }
}

/// The backing store that an operation is about; a creation has none yet.
fn backing(operation: &Operation) -> Option<(PluginId, ExternalId)> {
    let external = operation.external_id.clone()?;
    Some((operation.plugin.clone(), external))
}
