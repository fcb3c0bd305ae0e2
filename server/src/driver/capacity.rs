//! How large a volume becomes, and whether there is room for it.
//!
//! With a configured capacity, volumes and snapshots count in full, whatever they really occupy.
//! Without one, storage is thin: each volume alone must fit what the file system has free. The
//! capacity of a directory is not enforced while it is written to: `NodeGetVolumeStats` and volume
//! health report one that outgrew it.

use super::{Driver, Refusal, refusal::Doing};
use crate::csi::v1;
use std::sync::Arc;

/// A `CapacityRange` that makes sense: `required <= limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    required: u64,
    limit: u64,
}

impl Range {
    /// The range that was sent; an absent or empty one admits every size.
    pub(super) fn parse(sent: Option<&v1::CapacityRange>) -> Result<Self, Refusal> {
        let (required, limit) = sent.map_or((0, 0), |sent| (sent.required_bytes, sent.limit_bytes));
        let bytes = |field, bytes: i64| {
            u64::try_from(bytes).map_err(|_| Refusal::invalid(field, "must not be negative"))
        };
        let required = bytes("capacity_range.required_bytes", required)?;
        let limit = match bytes("capacity_range.limit_bytes", limit)? {
            0 => i64::MAX.unsigned_abs(),
            limit => limit,
        };
        if limit < required {
            return Err(Refusal::invalid(
                "capacity_range",
                format!("has a limit of {limit} bytes below the required {required}"),
            ));
        }
        Ok(Self { required, limit })
    }

    /// The range that a call must carry.
    pub(super) fn required(sent: Option<&v1::CapacityRange>) -> Result<Self, Refusal> {
        match sent {
            None => Err(Refusal::Missing("capacity_range")),
            Some(range) if range.required_bytes == 0 && range.limit_bytes == 0 => {
                Err(Refusal::Missing("capacity_range.required_bytes"))
            }
            Some(range) => Self::parse(Some(range)),
        }
    }

    pub(super) fn admits(self, bytes: u64) -> bool {
        (self.required..=self.limit).contains(&bytes)
    }

    /// The size for a new volume that holds at least its source, `default` if any size will do.
    fn choose(self, source_bytes: Option<u64>, default: u64) -> Result<u64, Refusal> {
        let Some(source_bytes) = source_bytes else {
            return Ok(match self.required {
                0 => default.min(self.limit),
                required => required,
            });
        };
        if self.limit < source_bytes || (1..source_bytes).contains(&self.required) {
            return Err(Refusal::OutOfRange(format!(
                "the source has {source_bytes} bytes; a copy cannot be smaller"
            )));
        }
        Ok(self.required.max(source_bytes))
    }

    /// The size that a volume grows to.
    pub(super) fn grow(self, bytes: u64) -> Result<u64, Refusal> {
        if self.limit < bytes {
            return Err(Refusal::OutOfRange(format!(
                "the volume has {bytes} bytes already and cannot shrink to {}",
                self.limit
            )));
        }
        Ok(self.required.max(bytes))
    }
}

impl Driver {
    /// The size for a new volume.
    pub(super) fn choose_size(
        &self,
        range: Range,
        source_bytes: Option<u64>,
    ) -> Result<u64, Refusal> {
        let most = self.options.max_volume_bytes.unwrap_or(u64::MAX);
        let default = self.options.default_volume_bytes.min(most);
        let bytes = range.choose(source_bytes, default)?;
        self.check_size(bytes)?;
        Ok(bytes)
    }

    /// Refuses sizes above the configured maximum.
    pub(super) fn check_size(&self, bytes: u64) -> Result<(), Refusal> {
        match self.options.max_volume_bytes {
            Some(most) if bytes > most => Err(Refusal::OutOfRange(format!(
                "{bytes} bytes are more than the {most} that a volume may have"
            ))),
            _ => Ok(()),
        }
    }

    /// Bytes that a new volume could have.
    pub(super) fn free_bytes(&self) -> Result<u64, Refusal> {
        match self.options.capacity {
            Some(capacity) => Ok(capacity.saturating_sub(self.inventory.tables().promised_bytes())),
            None => {
                let root = self.root.path();
                let numbers = rustix::fs::statvfs(root).doing("measure", root)?;
                Ok(numbers.f_bavail.saturating_mul(numbers.f_frsize))
            }
        }
    }

    /// Sets bytes aside for something to be made, until the answer is dropped.
    pub(super) fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Reserved, Refusal> {
        let no_room =
            |free| Refusal::Exhausted(format!("{bytes} bytes are wanted and {free} are free"));
        if self.options.capacity.is_none() {
            let free = self.free_bytes()?;
            if bytes > free {
                return Err(no_room(free));
            }
        }
        let mut tables = self.inventory.tables();
        if let Some(capacity) = self.options.capacity {
            let free = capacity.saturating_sub(tables.promised_bytes());
            if bytes > free {
                return Err(no_room(free));
            }
        }
        tables.reserved_bytes = tables.reserved_bytes.saturating_add(bytes);
        Ok(Reserved {
            driver: self.clone(),
            bytes,
        })
    }
}

/// Bytes set aside.
#[must_use]
pub(super) struct Reserved {
    driver: Arc<Driver>,
    bytes: u64,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut tables = self.driver.inventory.tables();
        tables.reserved_bytes = tables.reserved_bytes.saturating_sub(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(required_bytes: i64, limit_bytes: i64) -> Result<Range, Refusal> {
        Range::parse(Some(&v1::CapacityRange {
            required_bytes,
            limit_bytes,
        }))
    }

    #[test]
    fn a_range_is_refused_when_negative_or_upside_down() {
        for (required, limit) in [(-1, 0), (0, -1), (2, 1)] {
            assert!(range(required, limit).is_err(), "{required} {limit}");
        }
    }

    #[test]
    fn a_new_volume_gets_what_is_required_or_the_default_within_the_limit() {
        let chosen = |required, limit| range(required, limit).unwrap().choose(None, 100).unwrap();
        assert_eq!(chosen(0, 0), 100);
        assert_eq!(chosen(7, 0), 7);
        assert_eq!(chosen(7, 9), 7);
        assert_eq!(chosen(0, 9), 9);
        assert_eq!(chosen(0, 900), 100);
    }

    #[test]
    fn a_copy_is_never_smaller_than_its_source() {
        let chosen = |required, limit| range(required, limit).unwrap().choose(Some(50), 100);
        assert_eq!(chosen(0, 0).unwrap(), 50);
        assert_eq!(chosen(60, 0).unwrap(), 60);
        assert!(matches!(chosen(49, 0), Err(Refusal::OutOfRange(_))));
        assert!(matches!(chosen(0, 49), Err(Refusal::OutOfRange(_))));
    }

    #[test]
    fn growth_never_shrinks() {
        assert_eq!(range(10, 0).unwrap().grow(50).unwrap(), 50);
        assert_eq!(range(60, 70).unwrap().grow(50).unwrap(), 60);
        assert!(matches!(
            range(10, 40).unwrap().grow(50),
            Err(Refusal::OutOfRange(_))
        ));
    }
}
