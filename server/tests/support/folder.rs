//! A temporary folder that unmounts what is left mounted in it: as root the built-in driver mounts, and a
//! server that a test ends, or kills, leaves what is claimed mounted.

use rustix::mount::{UnmountFlags, unmount};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        let here = points.filter(|point| Path::new(point).starts_with(self.path()));
        for point in here.collect::<Vec<_>>().into_iter().rev() {
            let _ = unmount(point, UnmountFlags::DETACH);
        }
    }
}
