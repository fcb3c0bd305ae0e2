//! Which volumes, snapshots, names and paths have a call under way.
//!
//! A second call on the same one is refused at once (CSI: `ABORTED`), never queued, so a call that
//! hangs holds up nobody but its own volume. Copies *pin* what they read: a pinned volume can be
//! used in every way but deleted.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Refusal;

/// What a call can be under way on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Volume(String),
    VolumeNamed(String),
    Snapshot(String),
    SnapshotNamed(String),
    TargetPath(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume(id) => write!(f, "volume {id}"),
            Self::VolumeNamed(name) => write!(f, "the volume named {name:?}"),
            Self::Snapshot(id) => write!(f, "snapshot {id}"),
            Self::SnapshotNamed(name) => write!(f, "the snapshot named {name:?}"),
            Self::TargetPath(path) => write!(f, "target path {path:?}"),
        }
    }
}

/// How many calls hold a subject, and how.
#[derive(Default)]
struct Use {
    held: bool,
    alone: bool,
    pins: usize,
}

/// The calls under way.
#[derive(Clone, Default)]
pub(super) struct Pending(Arc<Mutex<HashMap<Subject, Use>>>);

impl Pending {
    /// Holds a subject for a change to it. Refused while another change or a removal is under way.
    pub(super) fn hold(&self, subject: Subject) -> Result<Turn, Refusal> {
        self.take(subject, Kind::Hold, |now| !now.held)
    }

    /// Holds a subject for its removal. Refused while anything else is under way, copies included.
    pub(super) fn hold_alone(&self, subject: Subject) -> Result<Turn, Refusal> {
        self.take(subject, Kind::Alone, |now| !now.held && now.pins == 0)
    }

    /// Keeps a subject from being removed. Refused only while it is being removed.
    pub(super) fn pin(&self, subject: Subject) -> Result<Turn, Refusal> {
        self.take(subject, Kind::Pin, |now| !now.alone)
    }

    fn take(
        &self,
        subject: Subject,
        kind: Kind,
        free: impl FnOnce(&Use) -> bool,
    ) -> Result<Turn, Refusal> {
        let mut uses = self.uses();
        let now = uses.entry(subject.clone()).or_default();
        if !free(now) {
            return Err(Refusal::Pending(subject));
        }
        match kind {
            Kind::Hold => now.held = true,
            Kind::Alone => (now.held, now.alone) = (true, true),
            Kind::Pin => now.pins += 1,
        }
        drop(uses);
        Ok(Turn {
            pending: self.clone(),
            subject,
            kind,
        })
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<Subject, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Hold,
    Alone,
    Pin,
}

/// The right to work on a subject, until dropped.
#[must_use]
pub(super) struct Turn {
    pending: Pending,
    subject: Subject,
    kind: Kind,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut uses = self.pending.uses();
        let Some(now) = uses.get_mut(&self.subject) else {
            return;
        };
        match self.kind {
            Kind::Hold => now.held = false,
            Kind::Alone => (now.held, now.alone) = (false, false),
            Kind::Pin => now.pins -= 1,
        }
        if !now.held && now.pins == 0 {
            uses.remove(&self.subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_exclude_each_other_and_pins_exclude_only_removal() {
        let pending = Pending::default();
        let volume = || Subject::Volume("v".into());

        let hold = pending.hold(volume()).unwrap();
        assert!(pending.hold(volume()).is_err());
        assert!(pending.hold_alone(volume()).is_err());
        let pin = pending.pin(volume()).unwrap();
        let second_pin = pending.pin(volume()).unwrap();
        drop(hold);
        assert!(pending.hold_alone(volume()).is_err());
        drop(pin);
        drop(pending.hold(volume()).unwrap());
        assert!(pending.hold_alone(volume()).is_err());
        drop(second_pin);

        let removal = pending.hold_alone(volume()).unwrap();
        assert!(pending.pin(volume()).is_err());
        assert!(pending.hold(volume()).is_err());
        drop(removal);
        assert!(pending.uses().is_empty());
    }
}
