//! Telling whether a file is as it was without reading it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What differs between a file and what replaced it. Follows links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Option<(u64, u64, i64, i64)>);

impl Stamp {
    /// The file as it is now, or that it cannot be found.
    pub fn of(file: &Path) -> Self {
        let seen = std::fs::metadata(file).ok();
        Self(seen.map(|seen| (seen.ino(), seen.size(), seen.ctime(), seen.ctime_nsec())))
    }
}
