//! What the files of a directory occupy.

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, statat},
    io::Errno,
};
use std::{
    collections::HashSet,
    ffi::OsStr,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
};

/// The sum over a directory and all below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Bytes on disk: holes and shared names count once or not at all.
    pub(super) bytes: u64,
    /// Files, directories and everything else with an inode.
    pub(super) inodes: u64,
}

/// Adds up a directory without following links out of it. Takes time with the number of files.
pub(super) fn measure(directory: &Path) -> io::Result<Usage> {
    let mut usage = Usage::default();
    let mut linked = HashSet::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(path) = waiting.pop() {
        let directory = match open_directory(&path) {
            // Removed or replaced since it was listed.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) if usage.inodes > 0 => continue,
            directory => directory?,
        };
        usage.add(fstat(&directory)?.st_blocks);
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let stat = match statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue, // removed since it was listed
                stat => stat?,
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                waiting.push(path.join(OsStr::from_bytes(name.to_bytes())));
            } else if stat.st_nlink < 2 || linked.insert((stat.st_dev, stat.st_ino)) {
                usage.add(stat.st_blocks);
            }
        }
    }
    Ok(usage)
}

impl Usage {
    fn add(&mut self, blocks: impl TryInto<u64>) {
        self.bytes += blocks.try_into().unwrap_or(0) * 512;
        self.inodes += 1;
    }
}

fn open_directory(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_inode_counts_once() {
        let work = tempfile::tempdir().unwrap();
        let root = work.path();
        fs::create_dir(root.join("inner")).unwrap();
        fs::write(root.join("inner/file"), vec![1; 100_000]).unwrap();
        fs::hard_link(root.join("inner/file"), root.join("again")).unwrap();
        std::os::unix::fs::symlink("/usr", root.join("away")).unwrap();
        let usage = measure(root).unwrap();
        assert_eq!(usage.inodes, 4);
        assert!((100_000..200_000).contains(&usage.bytes), "{usage:?}");
    }
}
