//! Folders and mounts of this host, around the paths that drivers are told.
//!
//! CSI wants the staging folder and the parent of a target path to be there, and leaves the target
//! itself to the driver. What was made here, and only that, is removed again, once it is empty and
//! nothing is mounted there. Nothing here waits for a file system that hangs: only folders above
//! mounts are touched, and what is mounted is read from the mount table.

use rustix::fs::{Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

/// Makes a folder below a root, and those above it that are missing, for its owner only. The topmost one
/// that was made below the root, if one was.
///
/// How the root is reached is its operator's; below it no link is followed: whoever may write there, a driver for
/// one, cannot have folders made, and volumes mounted, elsewhere.
pub(super) fn make(root: &Path, folder: &Path) -> io::Result<Option<PathBuf>> {
    const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);
    let inside = folder.strip_prefix(root).map_err(io::Error::other)?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(root)?;
    let mut at = rustix::fs::open(root, FOLDER, Mode::empty())?;
    let (mut path, mut topmost) = (root.to_owned(), None);
    for part in inside.components() {
        let Component::Normal(name) = part else {
            let text = format!("{} is not plainly below it", folder.display());
            return Err(io::Error::other(text));
        };
        path.push(name);
        match mkdirat(&at, name, Mode::RWXU) {
            Ok(()) => drop(topmost.get_or_insert_with(|| path.clone())),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        at = openat(&at, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()).map_err(|error| {
            match error {
                // Which of both it is differs among systems.
                Errno::LOOP | Errno::NOTDIR if is_link(&path) => io::Error::other(format!(
                    "{} is a link, and none is followed there",
                    path.display()
                )),
                error => error.into(),
            }
        })?;
    }
    Ok(topmost)
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink())
}

/// Removes a folder or file that a driver left at a path of ours, and the folders above it down from
/// `topmost`, as far as they are empty. What holds anything stays.
pub(super) fn remove(path: &Path, topmost: Option<&Path>) {
    let gone = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir(path),
        Ok(there) if there.is_file() && there.len() == 0 => fs::remove_file(path),
        Ok(_) | Err(_) => Ok(()),
    };
    if let Err(error) = gone {
        tracing::debug!("{} stays: {error}", path.display());
    }
    let Some(topmost) = topmost else { return };
    let above = path.ancestors().skip(1);
    for folder in above.take_while(|folder| folder.starts_with(topmost)) {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Whether something is mounted at a path, by the mount table; where there is no such table, nothing is
/// known to be.
pub(super) fn is_mounted(path: &Path) -> io::Result<bool> {
    let table = match fs::read("/proc/self/mountinfo") {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        table => table?,
    };
    let path = resolved(path);
    Ok(table
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .any(|mounted| path.as_os_str().as_encoded_bytes() == unescaped(mounted)))
}

/// Whether a path leads to below one of these folders, all symbolic links above it followed. The path
/// itself and its parents need not exist.
pub(super) fn is_below(path: &Path, roots: &[PathBuf]) -> bool {
    let Some(above) = path.ancestors().skip(1).find(|above| exists(above)) else {
        return false;
    };
    let Ok(above) = above.canonicalize() else {
        return false;
    };
    roots
        .iter()
        .filter(|root| path.starts_with(root))
        .filter_map(|root| root.canonicalize().ok())
        .any(|root| above.starts_with(root))
}

/// The path with all symbolic links above it followed.
fn resolved(path: &Path) -> PathBuf {
    let followed = path
        .parent()
        .and_then(|parent| parent.canonicalize().ok())
        .zip(path.file_name())
        .map(|(parent, name)| parent.join(name));
    followed.unwrap_or_else(|| path.to_owned())
}

/// A path of the mount table: blanks, tabs, line ends and backslashes stand there as octal numbers.
fn unescaped(escaped: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((&byte, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| byte == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(character) => {
                plain.push(character);
                rest = &after[3..];
            }
            None => {
                plain.push(byte);
                rest = after;
            }
        }
    }
    plain
}

/// Whether anything is there, a symbolic link that leads nowhere included.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// Conformance case 74.
    #[test]
    fn folders_are_made_for_their_owner_and_removed_as_far_as_they_were_made() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("a/b");
        let made = make(root.path(), &parent).unwrap();
        assert_eq!(made.as_deref(), Some(root.path().join("a").as_path()));
        let mode = fs::metadata(&parent).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(make(root.path(), &parent).unwrap(), None);
        let target = parent.join("target");
        fs::create_dir(&target).unwrap();
        remove(&target, made.as_deref());
        assert!(!root.path().join("a").exists() && root.path().exists());
    }

    #[test]
    fn what_holds_something_stays() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("a");
        let made = make(root.path(), &parent).unwrap();
        let target = parent.join("target");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("data"), "precious").unwrap();
        remove(&target, made.as_deref());
        assert!(target.join("data").exists());
    }

    #[test]
    fn a_link_at_any_level_below_the_root_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        for level in ["a", "a/b", "a/b/c"] {
            for to in [outside.path(), Path::new("/nowhere/at/all"), Path::new(".")] {
                let root = tempfile::tempdir().unwrap();
                let planted = root.path().join(level);
                fs::create_dir_all(planted.parent().unwrap()).unwrap();
                symlink(to, &planted).unwrap();
                let refused = make(root.path(), &root.path().join("a/b/c")).unwrap_err();
                let expected = format!("{} is a link", planted.display());
                assert!(refused.to_string().contains(&expected), "{refused}");
            }
        }
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        // The root itself may be reached by one, and folders never climb out of it.
        let root = tempfile::tempdir().unwrap();
        symlink(outside.path(), root.path().join("link")).unwrap();
        let root = root.path().join("link");
        make(&root, &root.join("a")).unwrap();
        assert!(outside.path().join("a").is_dir());
        assert!(make(&root, &root.join("../b")).is_err());
        assert!(make(&root, Path::new("/elsewhere")).is_err());
    }

    #[test]
    fn a_path_that_leads_out_of_its_root_is_not_below_it() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let roots = [root.path().to_owned()];
        assert!(is_below(&root.path().join("a/b"), &roots));
        symlink(outside.path(), root.path().join("out")).unwrap();
        assert!(!is_below(&root.path().join("out/b"), &roots));
        symlink("/nowhere/at/all", root.path().join("lost")).unwrap();
        assert!(!is_below(&root.path().join("lost/b"), &roots));
    }

    #[test]
    fn paths_of_the_mount_table_are_read_as_they_are() {
        assert_eq!(unescaped(br"/a\040b\134c\"), br"/a b\c\");
        assert_eq!(unescaped(b"/a"), b"/a");
    }

    #[test]
    fn the_root_of_the_host_is_mounted_and_a_new_folder_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_mounted(folder.path()).unwrap());
        if Path::new("/proc/self/mountinfo").exists() {
            assert!(is_mounted(Path::new("/proc")).unwrap());
        }
    }
}
