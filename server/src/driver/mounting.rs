//! How a volume gets to its target path: by bind mount where that is permitted, else by symbolic
//! link.
//!
//! Both are safe to repeat, and undoing touches only what publishing made: a target path that
//! leads elsewhere is left alone. A symbolic link cannot be made read-only and takes no mount
//! options; `GetPluginInfo` says which of the two it is.

use super::{Refusal, capability::Content, refusal::Doing};
use rustix::{
    fs::{CWD, StatVfsMountFlags, statvfs},
    io::Errno,
    mount::{
        MountFlags, OpenTreeFlags, UnmountFlags, mount_bind, mount_remount, open_tree, unmount,
    },
};
use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink},
    path::{Path, PathBuf},
};

/// The way of publishing that this process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mounting {
    BindMount,
    SymbolicLink,
}

/// What is to appear at a target path.
pub(super) struct Publishing<'a> {
    pub(super) content: Content,
    /// Where the data is.
    pub(super) from: &'a Path,
    pub(super) target: &'a Path,
    pub(super) readonly: bool,
    pub(super) mount_flags: &'a [String],
}

impl Mounting {
    /// Finds out whether this process may mount, by making a detached mount that nobody sees.
    pub(super) fn permitted(root: &Path) -> Self {
        match open_tree(CWD, root, OpenTreeFlags::OPEN_TREE_CLONE) {
            Ok(_) => Self::BindMount,
            Err(_) => Self::SymbolicLink,
        }
    }

    /// In words, for the log and `GetPluginInfo`.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::BindMount => "bind mount",
            Self::SymbolicLink => "symbolic link (read-only and mount flags are not enforced)",
        }
    }

    /// Makes a volume appear at a target path, or makes sure that it does.
    pub(super) fn publish(self, publishing: &Publishing<'_>) -> Result<(), Refusal> {
        let Publishing { from, target, .. } = *publishing;
        match self {
            Self::SymbolicLink if leads_to(target, from) => Ok(()),
            Self::SymbolicLink => {
                clear(target, from).or_else(|error| obstructed(error, target))?;
                symlink(from, target).doing("link", target)
            }
            Self::BindMount => {
                if !is_mounted(target, from).doing("look at", target)? {
                    clear(target, from).or_else(|error| obstructed(error, target))?;
                    make_mount_point(target, publishing.content).doing("make", target)?;
                    mount_bind(from, target).doing("mount at", target)?;
                }
                restrict(publishing)
            }
        }
    }
}

/// Makes a volume disappear from a target path, whichever way it was published, and even if its data
/// is gone. Never answers OK while something is mounted there.
pub(super) fn withdraw(from: &Path, target: &Path) -> Result<(), Refusal> {
    if leads_to(target, from) {
        return fs::remove_file(target).doing("remove", target);
    }
    let data_is_gone = !from.exists();
    while data_is_gone || is_mounted(target, from).doing("look at", target)? {
        match unmount(target, UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOENT) => break,
            Err(Errno::PERM) if data_is_gone => break,
            Err(Errno::BUSY) => {
                return Err(Refusal::Precondition(format!(
                    "{} is in use and cannot be unmounted",
                    target.display()
                )));
            }
            Err(errno) => return Err(errno).doing("unmount", target),
        }
    }
    match clear(target, from) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            tracing::warn!(
                target_path = %target.display(),
                "left what is at a target path where the volume no longer is"
            );
            Ok(())
        }
        cleared => cleared.or_else(|error| obstructed(error, target)),
    }
}

/// Makes a volume disappear from a target path even if it is in use there, as far as that goes.
pub(super) fn withdraw_from_users(from: &Path, target: &Path) {
    if withdraw(from, target).is_ok() {
        return;
    }
    let flags = UnmountFlags::NOFOLLOW | UnmountFlags::DETACH;
    let withdrawn = match unmount(target, flags) {
        Ok(()) => withdraw(from, target),
        Err(errno) => Err(errno).doing("unmount", target),
    };
    if let Err(refusal) = withdrawn {
        tracing::warn!(target_path = %target.display(), "a volume is left at a target path: {refusal}");
    }
}

/// Whether a volume can be reached at a target path.
pub(super) fn is_published(from: &Path, target: &Path) -> bool {
    leads_to(target, from) || is_mounted(target, from).unwrap_or(false)
}

/// Whether a path is a symbolic link to another.
fn leads_to(target: &Path, from: &Path) -> bool {
    fs::read_link(target).is_ok_and(|to| to == from)
}

/// Whether a path that is no symbolic link is the very same file or directory as another.
fn is_mounted(target: &Path, from: &Path) -> io::Result<bool> {
    let there = match fs::symlink_metadata(target) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        there => there?,
    };
    let data = match fs::metadata(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        data => data?,
    };
    Ok((there.dev(), there.ino()) == (data.dev(), data.ino()))
}

/// Removes what orchestrators leave ready at a target path: an empty directory, an empty file, an
/// old link to this volume. Anything else is `AlreadyExists`, a mount point `ResourceBusy`.
fn clear(target: &Path, from: &Path) -> io::Result<()> {
    let there = match fs::symlink_metadata(target) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    if there.is_dir() {
        fs::remove_dir(target).map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty => ErrorKind::AlreadyExists.into(),
            _ => error,
        })
    } else if (there.is_file() && there.len() == 0) || leads_to(target, from) {
        fs::remove_file(target)
    } else {
        Err(ErrorKind::AlreadyExists.into())
    }
}

/// Why a target path could not be cleared.
fn obstructed(error: io::Error, target: &Path) -> Result<(), Refusal> {
    let path = target.display();
    match error.kind() {
        ErrorKind::AlreadyExists => Err(Refusal::Precondition(format!(
            "something else is at {path}"
        ))),
        ErrorKind::ResourceBusy => Err(Refusal::Precondition(format!(
            "something else is mounted at {path}"
        ))),
        _ => Err(error).doing("clear", target),
    }
}

fn make_mount_point(target: &Path, content: Content) -> io::Result<()> {
    match content {
        Content::Directory => fs::DirBuilder::new().mode(0o750).create(target),
        Content::File => {
            let mut options = fs::File::options();
            options.write(true).create_new(true).mode(0o600);
            options.open(target).map(drop)
        }
    }
}

/// Gives a bind mount its flags, keeping those of the mount that it came from, which may be locked.
fn restrict(publishing: &Publishing<'_>) -> Result<(), Refusal> {
    let target = publishing.target;
    let inherited = statvfs(publishing.from).doing("look at", target)?.f_flag;
    let mut flags = inherited_flags(inherited);
    for flag in publishing.mount_flags {
        match effect(flag) {
            Some(Effect::Set(set)) => flags |= set,
            Some(Effect::Clear(clear)) => flags -= clear,
            None => {}
        }
    }
    if publishing.readonly {
        flags |= MountFlags::RDONLY;
    }
    mount_remount(target, MountFlags::BIND | flags, c"").doing("set mount flags at", target)
}

fn inherited_flags(from: StatVfsMountFlags) -> MountFlags {
    let pairs = [
        (StatVfsMountFlags::RDONLY, MountFlags::RDONLY),
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    pairs
        .into_iter()
        .filter(|(inherited, _)| from.contains(*inherited))
        .fold(MountFlags::empty(), |flags, (_, flag)| flags | flag)
}

/// What a mount flag does to a bind mount.
enum Effect {
    Set(MountFlags),
    Clear(MountFlags),
}

fn effect(flag: &str) -> Option<Effect> {
    Some(match flag {
        "ro" => Effect::Set(MountFlags::RDONLY),
        "rw" => Effect::Clear(MountFlags::RDONLY),
        "nosuid" => Effect::Set(MountFlags::NOSUID),
        "suid" => Effect::Clear(MountFlags::NOSUID),
        "nodev" => Effect::Set(MountFlags::NODEV),
        "dev" => Effect::Clear(MountFlags::NODEV),
        "noexec" => Effect::Set(MountFlags::NOEXEC),
        "exec" => Effect::Clear(MountFlags::NOEXEC),
        "noatime" => Effect::Set(MountFlags::NOATIME),
        "atime" => Effect::Clear(MountFlags::NOATIME),
        "nodiratime" => Effect::Set(MountFlags::NODIRATIME),
        "diratime" => Effect::Clear(MountFlags::NODIRATIME),
        "relatime" => Effect::Set(MountFlags::RELATIME),
        _ => return None,
    })
}

/// Refuses mount flags that mean nothing to a bind mount. Flags may be sensitive (CSI), so the
/// answer gives the place of the bad one, not its text.
pub(super) fn check_flags(flags: &[String]) -> Result<(), Refusal> {
    match flags.iter().position(|flag| effect(flag).is_none()) {
        None => Ok(()),
        Some(place) => Err(Refusal::invalid(
            "volume_capability.mount.mount_flags",
            format!(
                "[{place}] is not one of ro, rw and [no]{{suid,dev,exec,atime,diratime}}, relatime"
            ),
        )),
    }
}

/// A path from a request: absolute, without `..`, outside the driver's own directory.
pub(super) fn checked_path(
    field: &'static str,
    path: &str,
    root: &Path,
) -> Result<PathBuf, Refusal> {
    use std::path::Component;
    if path.is_empty() {
        return Err(Refusal::Missing(field));
    }
    let path = Path::new(path);
    let plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    if !path.is_absolute() || !path.components().all(plain) {
        return Err(Refusal::invalid(
            field,
            "must be an absolute path without ..",
        ));
    }
    if path.as_os_str().len() > 4000 || path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(Refusal::invalid(field, "is no path of this system"));
    }
    if path.starts_with(root) {
        return Err(Refusal::invalid(
            field,
            "lies in the driver's own directory",
        ));
    }
    Ok(path.to_owned())
}
