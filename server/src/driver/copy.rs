//! Copies a volume's content, sharing blocks where the file system can (reflink), keeping holes
//! where it cannot.
//!
//! Whoever writes to a volume may try to make the copy reach outside it, so everything is opened
//! relative to an open directory and no symbolic link is ever followed. Kept: contents, modes,
//! owners (as far as permitted), times, extended attributes, symbolic and hard links, FIFOs and
//! devices. Sockets are left out. A copy of what is being written to is not of one instant.

use rustix::{
    fs::{
        AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags,
        chownat, copy_file_range, fchmod, fchown, fgetxattr, flistxattr, fsetxattr, fstat,
        futimens, ioctl_ficlone, linkat, mkdirat, mknodat, openat, readlinkat, seek, statat,
        symlinkat,
    },
    io::Errno,
};
use std::{
    collections::HashMap,
    ffi::CStr,
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
    path::{Path, PathBuf},
};

/// Directories may nest this deep: two descriptors are open per level.
const DEEPEST: usize = 200;

/// Copies the content of one directory into another that exists and is empty.
pub(super) fn directory(from: &Path, to: &Path) -> io::Result<()> {
    let mut copy = Copy::default();
    copy.directory(
        &open_directory(from)?,
        &open_directory(to)?,
        Path::new(""),
        0,
    )
}

/// Copies one file to a path where none is.
pub(super) fn file(from: &Path, to: &Path) -> io::Result<()> {
    let from = File::options().read(true).open(from)?;
    let to = File::options().write(true).create_new(true).open(to)?;
    content(&from, &to)?;
    attributes(&from, &to, &fstat(&from)?)
}

fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// One copy under way.
#[derive(Default)]
struct Copy {
    /// Where each file with several names was copied to first, by device and inode.
    linked: HashMap<(u64, u64), PathBuf>,
}

impl Copy {
    /// Copies a directory's entries, then its own attributes. `at` is its path in the copy.
    fn directory(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        at: &Path,
        depth: usize,
    ) -> io::Result<()> {
        if depth > DEEPEST {
            return Err(io::Error::other(format!(
                "directories nest more than {DEEPEST} deep at {}",
                at.display()
            )));
        }
        for entry in Dir::read_from(from)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                self.entry(from, to, name, at, depth)?;
            }
        }
        attributes(from, to, &fstat(from)?)
    }

    fn entry(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        name: &CStr,
        at: &Path,
        depth: usize,
    ) -> io::Result<()> {
        let stat = match statat(from, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(()), // removed since it was listed
            stat => stat?,
        };
        let mode = Mode::from_raw_mode(stat.st_mode);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let inner = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let source = openat(from, name, inner, Mode::empty())?;
                mkdirat(to, name, Mode::RWXU)?;
                let target = openat(to, name, inner, Mode::empty())?;
                self.directory(&source, &target, &at.join(as_path(name)), depth + 1)
            }
            FileType::RegularFile => self.file(from, to, name, at, &stat),
            FileType::Symlink => {
                symlinkat(readlinkat(from, name, [])?, to, name)?;
                own(chownat(
                    to,
                    name,
                    uid(&stat),
                    gid(&stat),
                    AtFlags::SYMLINK_NOFOLLOW,
                ))
            }
            kind @ (FileType::Fifo | FileType::CharacterDevice | FileType::BlockDevice) => {
                mknodat(to, name, kind, mode, stat.st_rdev)?;
                own(chownat(
                    to,
                    name,
                    uid(&stat),
                    gid(&stat),
                    AtFlags::SYMLINK_NOFOLLOW,
                ))
            }
            FileType::Socket | FileType::Unknown => Ok(()),
        }
    }

    fn file(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        name: &CStr,
        at: &Path,
        stat: &Stat,
    ) -> io::Result<()> {
        if stat.st_nlink > 1 {
            let inode = (stat.st_dev, stat.st_ino);
            if let Some(first) = self.linked.get(&inode) {
                let root = ascend(to, at)?;
                return Ok(linkat(&root, first, to, name, AtFlags::empty())?);
            }
            self.linked.insert(inode, at.join(as_path(name)));
        }
        let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let source = File::from(openat(from, name, read, Mode::empty())?);
        let stat = fstat(&source)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(()); // replaced since it was listed
        }
        let make = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let target = File::from(openat(to, name, make, Mode::RUSR | Mode::WUSR)?);
        content(&source, &target)?;
        attributes(&source, &target, &stat)
    }
}

/// The top of the copy, from a directory that lies `at` in it. Nobody else can write to a copy
/// under way, so going up is safe.
fn ascend(directory: &OwnedFd, at: &Path) -> io::Result<OwnedFd> {
    let up: PathBuf = at.components().map(|_| "..").collect();
    let up = if up.as_os_str().is_empty() {
        Path::new(".")
    } else {
        &up
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(directory, up, flags, Mode::empty())?)
}

fn as_path(name: &CStr) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()))
}

/// Copies what a file holds: all at once where blocks can be shared, else extent by extent.
fn content(from: &File, to: &File) -> io::Result<()> {
    if ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    let length = from.metadata()?.len();
    to.set_len(length)?;
    let mut end = 0;
    while let Some((start, stop)) = next_extent(from, end, length)? {
        extent(from, to, start, stop)?;
        end = stop;
    }
    Ok(())
}

/// The next range that holds data, at or after an offset.
fn next_extent(from: &File, offset: u64, length: u64) -> io::Result<Option<(u64, u64)>> {
    if offset >= length {
        return Ok(None);
    }
    let start = match seek(from, rustix::fs::SeekFrom::Data(offset)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Some((offset, length))),
        Err(errno) => return Err(errno.into()),
    };
    let stop = seek(from, rustix::fs::SeekFrom::Hole(start))?;
    Ok((start < length).then_some((start, stop.min(length))))
}

fn extent(from: &File, to: &File, mut offset: u64, stop: u64) -> io::Result<()> {
    while offset < stop {
        let (mut read_at, mut write_at) = (offset, offset);
        let wanted = usize::try_from(stop - offset).unwrap_or(usize::MAX);
        let moved = copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), wanted);
        match moved {
            Ok(0) => return Ok(()), // truncated since it was measured
            Ok(moved) => offset += moved as u64,
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => {
                return through_memory(from, to, offset, stop);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn through_memory(from: &File, to: &File, mut offset: u64, stop: u64) -> io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    while offset < stop {
        let wanted = usize::try_from(stop - offset).unwrap_or(usize::MAX);
        let wanted = wanted.min(buffer.len());
        let read = from.read_at(&mut buffer[..wanted], offset)?;
        if read == 0 {
            return Ok(());
        }
        to.write_all_at(&buffer[..read], offset)?;
        offset += read as u64;
    }
    Ok(())
}

/// Copies owner, mode, extended attributes and times, in the order in which none undoes another.
fn attributes(from: impl AsFd, to: impl AsFd, stat: &Stat) -> io::Result<()> {
    own(fchown(&to, uid(stat), gid(stat)))?;
    fchmod(&to, Mode::from_raw_mode(stat.st_mode))?;
    extended_attributes(&from, &to);
    futimens(
        &to,
        &Timestamps {
            last_access: time(stat.st_atime, stat.st_atime_nsec),
            last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
        },
    )?;
    Ok(())
}

/// Only root may give files away; without it a copy belongs to who makes it.
fn own(result: rustix::io::Result<()>) -> io::Result<()> {
    match result {
        Err(Errno::PERM) => Ok(()),
        result => Ok(result?),
    }
}

/// As far as the file system has them and permits it: what cannot be read or set is left out.
fn extended_attributes(from: impl AsFd, to: impl AsFd) {
    let mut names = vec![0; 64 * 1024];
    let Ok(length) = flistxattr(&from, &mut names[..]) else {
        return;
    };
    let mut value = vec![0; 64 * 1024];
    for name in names[..length].split(|byte| *byte == 0) {
        if name.is_empty() {
            continue;
        }
        if let Ok(length) = fgetxattr(&from, name, &mut value[..]) {
            let _ = fsetxattr(&to, name, &value[..length], XattrFlags::empty());
        }
    }
}

fn uid(stat: &Stat) -> Option<Uid> {
    Some(Uid::from_raw(stat.st_uid))
}

fn gid(stat: &Stat) -> Option<Gid> {
    Some(Gid::from_raw(stat.st_gid))
}

fn time(seconds: i64, nanoseconds: impl TryInto<i64>) -> Timespec {
    Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds.try_into().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    };

    #[test]
    fn a_tree_arrives_with_modes_links_times_and_holes() {
        let work = tempfile::tempdir().unwrap();
        let (from, to) = (work.path().join("from"), work.path().join("to"));
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(from.join("a/b/text"), "words").unwrap();
        fs::set_permissions(from.join("a/b/text"), fs::Permissions::from_mode(0o4640)).unwrap();
        fs::hard_link(from.join("a/b/text"), from.join("a/z")).unwrap();
        symlink("/etc/passwd", from.join("away")).unwrap();
        fs::set_permissions(from.join("a/b"), fs::Permissions::from_mode(0o500)).unwrap();
        let sparse = File::create(from.join("sparse")).unwrap();
        sparse.set_len(64 << 20).unwrap();
        sparse.write_all_at(b"end", (64 << 20) - 3).unwrap();

        directory(&from, &to).unwrap();

        assert_eq!(fs::read_to_string(to.join("a/b/text")).unwrap(), "words");
        let mode = |path: &str| fs::symlink_metadata(to.join(path)).unwrap().mode() & 0o7777;
        assert_eq!(mode("a/b/text"), 0o4640);
        assert_eq!(mode("a/b"), 0o500);
        let inode = |path: &str| fs::metadata(to.join(path)).unwrap().ino();
        assert_eq!(inode("a/b/text"), inode("a/z"));
        assert_eq!(
            fs::read_link(to.join("away")).unwrap(),
            Path::new("/etc/passwd")
        );
        let copied = fs::metadata(to.join("sparse")).unwrap();
        assert_eq!(copied.len(), 64 << 20);
        assert!(copied.blocks() * 512 < 1 << 20, "the hole was filled");
        let mut end = [0; 3];
        let sparse = File::open(to.join("sparse")).unwrap();
        sparse.read_exact_at(&mut end, (64 << 20) - 3).unwrap();
        assert_eq!(&end, b"end");
        let times = |root: &Path| {
            let metadata = fs::metadata(root.join("a/b/text")).unwrap();
            (metadata.mtime(), metadata.mtime_nsec())
        };
        assert_eq!(times(&from), times(&to));
        fs::set_permissions(to.join("a/b"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(from.join("a/b"), fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn nesting_beyond_the_limit_is_an_error_and_not_a_crash() {
        let work = tempfile::tempdir().unwrap();
        let (from, to) = (work.path().join("from"), work.path().join("to"));
        let deep: PathBuf = std::iter::repeat_n("d", DEEPEST + 2).collect();
        fs::create_dir_all(from.join(deep)).unwrap();
        fs::create_dir(&to).unwrap();
        let error = directory(&from, &to).unwrap_err();
        assert!(error.to_string().contains("nest"), "{error}");
    }
}
